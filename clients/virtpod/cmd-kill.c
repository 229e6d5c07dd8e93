/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod kill: a signal for a container. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"
#include "vp-error.h"
#include "vp-names.h"

static gboolean opt_all;

static const GOptionEntry options[] = {
  { "all", 'a', 0, G_OPTION_ARG_NONE, &opt_all,
    N_("Signal every process of the container; with another than KILL its first"), NULL },
  { NULL },
};

/* Signal 0 asks whether there is somebody to get one, as kill(2) does. */
static gboolean
probe (VpClient *client, VpDBusContainer1 *container, GError **error)
{
  g_autoptr (GVariant) properties
      = vp_client_get_properties (client, g_dbus_proxy_get_object_path (G_DBUS_PROXY (container)), VP_IFACE_CONTAINER,
                                  error);
  const char *state = "";

  if (properties == NULL)
    return FALSE;
  (void) g_variant_lookup (properties, "State", "&s", &state);
  if (!g_str_equal (state, "stopped"))
    return TRUE;
  g_set_error_literal (error, VP_ERROR, VP_ERROR_INVALID_STATE, _("it has ended"));
  return FALSE;
}

/* Engines ask for all where processes are not in a namespace of the container's own and
 * would not end with its first. Here, but for pods that share theirs, they do. */
static gboolean
goes_to_all (const char *signal)
{
  return opt_all && (g_ascii_strcasecmp (signal, "KILL") == 0 || g_ascii_strcasecmp (signal, "SIGKILL") == 0
                     || g_str_equal (signal, "9"));
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpDBusContainer1) container = vp_client_find_container (client, args[0], &error);
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  const char *signal = n_args > 1 ? args[1] : "TERM";

  if (container == NULL)
    return vp_command_fail (command, args[0], error);
  if (g_str_equal (signal, "0"))
    return probe (client, container, &error) ? 0 : vp_command_fail (command, args[0], error);
  if (goes_to_all (signal))
    g_variant_builder_add (&builder, "{sv}", "all", g_variant_new_boolean (TRUE));
  if (!vp_dbus_container1_call_kill_sync (container, signal, g_variant_builder_end (&builder), NULL, &error))
    return vp_command_fail (command, args[0], error);
  return 0;
}

const VpCommand vp_cmd_kill = {
  .name = "kill",
  .arguments = N_("ID [SIGNAL]"),
  .summary = N_("Send a signal (default: TERM) to a container"),
  .min_args = 1,
  .max_args = 2,
  .failure = VP_EXIT_FAILURE,
  .needs_running = TRUE,
  .options = options,
  .run = run,
};
