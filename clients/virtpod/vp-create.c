/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-create.h"

#include <glib/gi18n.h>
#include <unistd.h>

#include "vp-command.h"
#include "vp-error.h"
#include "vp-mount-option.h"
#include "vp-names.h"
#include "vp-net-namespace.h"
#include "vp-standin.h"

static const char *
object_path (gpointer proxy)
{
  return g_dbus_proxy_get_object_path (G_DBUS_PROXY (proxy));
}

/* The object path of the sandbox, to free; there is something to undo then. */
static char *
call_create (VpClient *client, const char *id, const VpCreate *create, VpStandin *standin, GError **error)
{
  VpDBusManager1 *manager = vp_client_get_manager (client, error);
  g_autofree char *bundle = g_canonicalize_filename (create->bundle != NULL ? create->bundle : ".", NULL);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  char *sandbox = NULL;

  if (manager == NULL || !vp_standin_add_options (standin, &builder, fds, error)
      || !vp_mount_option_add (&builder, fds, error))
    return NULL;
  if (create->handler != NULL)
    g_variant_builder_add (&builder, "{sv}", "handler", g_variant_new_string (create->handler));
  if (!vp_dbus_manager1_call_create_sandbox_sync (manager, id, bundle, g_variant_builder_end (&builder), fds, &sandbox,
                                                  NULL, NULL, error))
    return NULL;
  return sandbox;
}

/* One that the bundle's annotations made it join runs already. *ret_netns, to free:
 * the network namespace that was made for it; NULL when the bundle names one or wants none. */
static gboolean
start_sandbox (VpClient *client, const char *path, char **ret_netns, GError **error)
{
  g_autoptr (GVariant) before = vp_client_get_properties (client, path, VP_IFACE_SANDBOX, error);
  g_autoptr (GVariant) after = NULL;
  g_autoptr (VpDBusSandbox1) sandbox = NULL;
  const char *state = NULL;
  const char *named = "";
  const char *netns = "";

  if (before == NULL)
    return FALSE;
  if (!g_variant_lookup (before, "State", "&s", &state) || !g_str_equal (state, "created"))
    return TRUE;
  (void) g_variant_lookup (before, "NetworkNamespace", "&s", &named);
  sandbox = vp_client_open_sandbox (client, path, error);
  if (sandbox == NULL || !vp_dbus_sandbox1_call_start_sync (sandbox, vp_command_force_options (FALSE), NULL, error))
    return FALSE;
  after = vp_client_get_properties (client, path, VP_IFACE_SANDBOX, error);
  if (after == NULL)
    return FALSE;
  (void) g_variant_lookup (after, "NetworkNamespace", "&s", &netns);
  /* others than root may not enter it */
  if (*named != '\0' || *netns == '\0' || geteuid () != 0)
    return TRUE;
  *ret_netns = vp_net_namespace_dup_path (client, netns, error);
  return *ret_netns != NULL;
}

static gboolean
check_terminal (VpClient *client, VpDBusContainer1 *container, const VpCreate *create, GError **error)
{
  g_autoptr (GVariant) properties
      = vp_client_get_properties (client, object_path (container), VP_IFACE_CONTAINER, error);
  gboolean terminal = FALSE;

  if (properties == NULL)
    return FALSE;
  (void) g_variant_lookup (properties, "Terminal", "b", &terminal);
  if (terminal == (create->console_socket != NULL))
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "process.terminal: %s",
               terminal ? _("is set, and there is no --console-socket to give it to")
                        : _("is not set, and there is a --console-socket"));
  return FALSE;
}

static gboolean
finish (VpClient *client, VpDBusContainer1 *container, const char *sandbox, const VpCreate *create, VpStandin *standin,
        GError **error)
{
  g_autofree char *process = NULL;
  g_autoptr (VpStandinPlace) place = vp_standin_place_load (create->bundle != NULL ? create->bundle : ".");

  if (!check_terminal (client, container, create, error) || !start_sandbox (client, sandbox, &place->netns, error)
      || !vp_dbus_container1_call_get_process_sync (container, "", &process, NULL, error))
    return FALSE;
  return vp_standin_attend (standin, client, process, place, create->pid_file, error);
}

VpDBusContainer1 *
vp_create (VpClient *client, const char *id, const VpCreate *create, GError **error)
{
  g_autoptr (VpStandin) standin = vp_standin_new (create->console_socket, error);
  g_autoptr (VpDBusContainer1) container = NULL;
  g_autofree char *sandbox = NULL;

  if (standin == NULL)
    return NULL;
  sandbox = call_create (client, id, create, standin, error);
  if (sandbox == NULL)
    return NULL;
  container = vp_client_find_container (client, id, error);
  if (container == NULL)
    return NULL;
  if (finish (client, container, sandbox, create, standin, error))
    return g_steal_pointer (&container);

  /* what went wrong is said already; that there is nothing to delete is no news */
  (void) vp_dbus_container1_call_delete_sync (container, vp_command_force_options (TRUE), NULL, NULL, NULL, NULL);
  return NULL;
}
