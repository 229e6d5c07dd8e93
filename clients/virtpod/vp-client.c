/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-client.h"

#include <glib/gi18n.h>

#include "vp-error.h"
#include "vp-names.h"

struct _VpClient
{
  char *address;
  gboolean session;
  gboolean may_ask;
  GDBusConnection *connection;
  VpDBusManager1 *manager;
};

#define PROXY_FLAGS                                                                      \
  (G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES | G_DBUS_PROXY_FLAGS_DO_NOT_CONNECT_SIGNALS \
   | G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START_AT_CONSTRUCTION)

VpClient *
vp_client_new (const char *address, gboolean session)
{
  VpClient *self = g_new0 (VpClient, 1);

  self->address = g_strdup (address);
  self->session = session;
  /* registers the error names, so that replies come back as VP_ERROR codes */
  (void) VP_ERROR;
  return self;
}

void
vp_client_set_may_ask (VpClient *self, gboolean may_ask)
{
  self->may_ask = may_ask;
}

void
vp_client_free (VpClient *self)
{
  if (self == NULL)
    return;
  g_clear_object (&self->manager);
  g_clear_object (&self->connection);
  g_free (self->address);
  g_free (self);
}

char *
vp_client_dup_address (VpClient *self, GError **error)
{
  if (self->address != NULL)
    return g_strdup (self->address);
  return g_dbus_address_get_for_bus_sync (self->session ? G_BUS_TYPE_SESSION : G_BUS_TYPE_SYSTEM, NULL, error);
}

/* The generated calls have no place for flags. On GDBus's thread; what is changed
 * has to be a copy. */
static GDBusMessage *
allow_asking (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer user_data)
{
  GDBusMessage *copy;

  if (incoming || g_dbus_message_get_message_type (message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
    return message;
  copy = g_dbus_message_copy (message, NULL);
  if (copy == NULL) /* no descriptors left for those in it */
    return message;
  g_dbus_message_set_flags (copy, g_dbus_message_get_flags (copy)
                                      | G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION);
  g_object_unref (message);
  return copy;
}

/* Not g_bus_get(): its shared connections end the process when the bus goes away. */
GDBusConnection *
vp_client_get_connection (VpClient *self, GError **error)
{
  g_autofree char *address = NULL;

  if (self->connection != NULL)
    return self->connection;
  address = vp_client_dup_address (self, error);
  if (address == NULL)
    return NULL;
  self->connection = g_dbus_connection_new_for_address_sync (
      address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
      NULL, NULL, error);
  if (self->connection == NULL)
    g_prefix_error (error, "%s", _("cannot reach the bus: "));
  else if (self->may_ask)
    (void) g_dbus_connection_add_filter (self->connection, allow_asking, NULL, NULL);
  return self->connection;
}

/* Takes @proxy (NULL on failure) and gives it back without a time limit on its calls. */
static gpointer
unlimited (gpointer proxy)
{
  if (proxy != NULL)
    g_dbus_proxy_set_default_timeout (proxy, G_MAXINT);
  return proxy;
}

VpDBusManager1 *
vp_client_get_manager (VpClient *self, GError **error)
{
  GDBusConnection *connection = vp_client_get_connection (self, error);

  if (connection != NULL && self->manager == NULL)
    self->manager = unlimited (
        vp_dbus_manager1_proxy_new_sync (connection, PROXY_FLAGS, VP_BUS_NAME, VP_PATH_MANAGER, NULL, error));
  return self->manager;
}

VpDBusSandbox1 *
vp_client_open_sandbox (VpClient *self, const char *path, GError **error)
{
  GDBusConnection *connection = vp_client_get_connection (self, error);

  if (connection == NULL)
    return NULL;
  return unlimited (
      vp_dbus_sandbox1_proxy_new_sync (connection, PROXY_FLAGS, VP_BUS_NAME, path, NULL, error));
}

VpDBusContainer1 *
vp_client_open_container (VpClient *self, const char *path, GError **error)
{
  GDBusConnection *connection = vp_client_get_connection (self, error);

  if (connection == NULL)
    return NULL;
  return unlimited (
      vp_dbus_container1_proxy_new_sync (connection, PROXY_FLAGS, VP_BUS_NAME, path, NULL, error));
}

VpDBusProcess1 *
vp_client_open_process (VpClient *self, const char *path, GError **error)
{
  GDBusConnection *connection = vp_client_get_connection (self, error);

  if (connection == NULL)
    return NULL;
  return unlimited (
      vp_dbus_process1_proxy_new_sync (connection, PROXY_FLAGS, VP_BUS_NAME, path, NULL, error));
}

GVariant *
vp_client_call (VpClient *self, const char *path, const char *interface, const char *method, GVariant *arguments,
                const char *type, GError **error)
{
  g_autoptr (GVariant) taken = g_variant_ref_sink (arguments);
  GDBusConnection *connection = vp_client_get_connection (self, error);

  if (connection == NULL)
    return NULL;
  return g_dbus_connection_call_sync (connection, VP_BUS_NAME, path, interface, method, taken,
                                      G_VARIANT_TYPE (type), G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, error);
}

/* @method: the manager's that knows the path of an id. NULL and @error when there is none. */
static char *
find_path (VpClient *self, const char *method, const char *id, GError **error)
{
  g_autoptr (GVariant) reply = vp_client_call (self, VP_PATH_MANAGER, VP_IFACE_MANAGER, method,
                                               g_variant_new ("(s)", id), "(o)", error);
  char *path = NULL;

  if (reply != NULL)
    g_variant_get (reply, "(o)", &path);
  return path;
}

VpDBusSandbox1 *
vp_client_find_sandbox (VpClient *self, const char *id, GError **error)
{
  g_autofree char *path = find_path (self, "GetSandbox", id, error);

  return path == NULL ? NULL : vp_client_open_sandbox (self, path, error);
}

char *
vp_client_find_container_path (VpClient *self, const char *id, GError **error)
{
  return find_path (self, "GetContainer", id, error);
}

VpDBusContainer1 *
vp_client_find_container (VpClient *self, const char *id, GError **error)
{
  g_autofree char *path = vp_client_find_container_path (self, id, error);

  return path == NULL ? NULL : vp_client_open_container (self, path, error);
}

GVariant *
vp_client_get_properties (VpClient *self, const char *path, const char *interface, GError **error)
{
  g_autoptr (GVariant) reply = vp_client_call (self, path, "org.freedesktop.DBus.Properties", "GetAll",
                                               g_variant_new ("(s)", interface), "(a{sv})", error);

  return reply == NULL ? NULL : g_variant_get_child_value (reply, 0);
}

int
vp_client_take_fd (GUnixFDList *fds, GVariant *handle, GError **error)
{
  if (fds == NULL || handle == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_FAILED, "%s", _("virtpodd gave no file descriptor"));
      return -1;
    }
  return g_unix_fd_list_get (fds, g_variant_get_handle (handle), error);
}

void
vp_client_ready (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

GAsyncResult *
vp_client_await (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return *result;
}

gboolean
vp_client_error_is_lost (const GError *error)
{
  static const int codes[] = {
    G_DBUS_ERROR_NO_REPLY,
    G_DBUS_ERROR_DISCONNECTED,
    G_DBUS_ERROR_NAME_HAS_NO_OWNER,
    G_DBUS_ERROR_SERVICE_UNKNOWN,
  };

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED))
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    if (g_error_matches (error, G_DBUS_ERROR, codes[i]))
      return TRUE;
  return FALSE;
}

/* What the user can do about an error that is the bus's and not virtpodd's. */
static const char *
bus_error_hint (const GError *error)
{
  if (g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)
      || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER))
    return _("virtpodd is not running: ");
  if (g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY))
    return _("virtpodd went away: ");
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED))
    return _("the bus went away: ");
  if (g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED))
    return _("only root and members of the group virtpod may do this: ");
  return "";
}

char *
vp_client_error_text (const GError *error)
{
  g_autoptr (GError) copy = g_error_copy (error);
  g_autofree char *name = NULL;
  const char *shown;

  if (g_dbus_error_is_remote_error (copy))
    {
      name = g_dbus_error_get_remote_error (copy);
      g_dbus_error_strip_remote_error (copy);
    }
  if (name == NULL)
    return g_strdup_printf ("%s%s", bus_error_hint (error), copy->message);

  shown = g_str_has_prefix (name, VP_ERROR_PREFIX) ? name + strlen (VP_ERROR_PREFIX) : name;
  return g_strdup_printf ("%s%s (%s)", bus_error_hint (error), copy->message, shown);
}
