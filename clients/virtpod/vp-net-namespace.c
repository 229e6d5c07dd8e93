/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-net-namespace.h"

#include <sys/stat.h>

#include "vp-command.h"
#include "vp-names.h"

/* The file is a mount of the daemon's: who has left its mount namespace before that
 * was made sees an empty file of that name. */
char *
vp_net_namespace_dup_path (VpClient *client, const char *path, GError **error)
{
  GDBusConnection *connection = vp_client_get_connection (client, error);
  g_autoptr (GVariant) reply = NULL;
  guint32 pid;

  if (connection == NULL)
    return NULL;
  reply = g_dbus_connection_call_sync (connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                       "org.freedesktop.DBus", "GetConnectionUnixProcessID",
                                       g_variant_new ("(s)", VP_BUS_NAME), G_VARIANT_TYPE ("(u)"),
                                       G_DBUS_CALL_FLAGS_NONE, -1, NULL, error);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply, "(u)", &pid);
  return g_strdup_printf ("/proc/%u/root%s", pid, path);
}

static gboolean
is_elsewhere (guint32 pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%u/ns/net", pid);
  struct stat own, other;

  return stat ("/proc/self/ns/net", &own) == 0 && stat (path, &other) == 0
         && (own.st_dev != other.st_dev || own.st_ino != other.st_ino);
}

gboolean
vp_net_namespace_settle (VpClient *client, VpDBusContainer1 *container, GError **error)
{
  const char *path = g_dbus_proxy_get_object_path (G_DBUS_PROXY (container));
  g_autoptr (GVariant) properties = vp_client_get_properties (client, path, VP_IFACE_CONTAINER, error);
  g_autoptr (VpDBusSandbox1) sandbox = NULL;
  const char *sandbox_path = NULL;
  guint32 pid = 0;

  if (properties == NULL)
    return FALSE;
  (void) g_variant_lookup (properties, "Pid", "u", &pid);
  if (!g_variant_lookup (properties, "Sandbox", "&o", &sandbox_path) || pid == 0 || !is_elsewhere (pid))
    return TRUE;
  sandbox = vp_client_open_sandbox (client, sandbox_path, error);
  return sandbox != NULL
         && vp_dbus_sandbox1_call_rescan_network_sync (sandbox, vp_command_force_options (FALSE), NULL, NULL, NULL,
                                                       error);
}
