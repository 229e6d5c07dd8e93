/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus-peer-bus.h"

#include <unistd.h>

#include "vp-names.h"

#define BUS_NAME "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"
#define OWN_UNIQUE_NAME ":1.0"

/* More than this a client has not asked by mistake, and an answer that is not
 * read is memory of ours. */
#define MAX_UNANSWERED 2048

enum { ALREADY_RUNNING = 2 }; /* StartServiceByName () */

static const char bus_xml[]
    = "<node><interface name='" BUS_NAME "'>"
      "<method name='Hello'><arg type='s' direction='out'/></method>"
      "<method name='AddMatch'><arg type='s' direction='in'/></method>"
      "<method name='RemoveMatch'><arg type='s' direction='in'/></method>"
      "<method name='GetId'><arg type='s' direction='out'/></method>"
      "<method name='ListNames'><arg type='as' direction='out'/></method>"
      "<method name='ListActivatableNames'><arg type='as' direction='out'/></method>"
      "<method name='NameHasOwner'><arg type='s' direction='in'/><arg type='b' direction='out'/></method>"
      "<method name='GetNameOwner'><arg type='s' direction='in'/><arg type='s' direction='out'/></method>"
      "<method name='StartServiceByName'><arg type='s' direction='in'/><arg type='u' direction='in'/>"
      "<arg type='u' direction='out'/></method>"
      "<method name='GetConnectionUnixUser'><arg type='s' direction='in'/><arg type='u' direction='out'/></method>"
      "</interface></node>";

static const char *
find_owner (const char *name, const char *peer)
{
  if (g_str_equal (name, VP_BUS_NAME) || g_str_equal (name, OWN_UNIQUE_NAME))
    return OWN_UNIQUE_NAME;
  if (g_str_equal (name, BUS_NAME))
    return BUS_NAME;
  return g_str_equal (name, peer) ? peer : NULL;
}

static GVariant *
answer (const char *method, const char *owner, const char *peer, GDBusConnection *connection)
{
  const char *const names[] = { BUS_NAME, VP_BUS_NAME, OWN_UNIQUE_NAME, peer, NULL };

  if (g_str_equal (method, "Hello"))
    return g_variant_new ("(s)", peer);
  if (g_str_equal (method, "GetId"))
    return g_variant_new ("(s)", g_dbus_connection_get_guid (connection));
  if (g_str_equal (method, "ListNames"))
    return g_variant_new ("(^as)", names);
  if (g_str_equal (method, "ListActivatableNames"))
    return g_variant_new ("(^as)", names + 4);
  if (g_str_equal (method, "NameHasOwner"))
    return g_variant_new ("(b)", owner != NULL);
  if (g_str_equal (method, "GetNameOwner"))
    return g_variant_new ("(s)", owner);
  if (g_str_equal (method, "StartServiceByName"))
    return g_variant_new ("(u)", ALREADY_RUNNING);
  if (g_str_equal (method, "GetConnectionUnixUser"))
    return g_variant_new ("(u)", (guint32) geteuid ());
  return NULL; /* match rules */
}

static void
on_bus_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
             const char *method, GVariant *parameters, GDBusMethodInvocation *invocation, gpointer user_data)
{
  g_autofree char *peer = g_strdup_printf (":1.%u", GPOINTER_TO_UINT (user_data));
  gboolean asks = g_str_equal (method, "GetNameOwner") || g_str_equal (method, "NameHasOwner")
                  || g_str_equal (method, "StartServiceByName") || g_str_equal (method, "GetConnectionUnixUser");
  const char *name = NULL, *owner = NULL;

  if (asks)
    {
      g_variant_get_child (parameters, 0, "&s", &name);
      owner = find_owner (name, peer);
    }
  if (asks && owner == NULL && !g_str_equal (method, "NameHasOwner"))
    g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER,
                                           "%s: nobody has this name on a private connection", method);
  else
    g_dbus_method_invocation_return_value (invocation, answer (method, owner, peer, connection));
}

/* Calls that came less answers that were written, on GDBus's thread. */
static void
count (GSocket *socket, VpDbusPeerTraffic *traffic, GDBusMessage *message, gboolean incoming)
{
  gboolean wants_answer = (g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED) == 0;
  GDBusMessageType type = g_dbus_message_get_message_type (message);

  g_atomic_int_inc (&traffic->n_messages);
  if (incoming && type == G_DBUS_MESSAGE_TYPE_METHOD_CALL && wants_answer)
    {
      if (++traffic->n_unanswered == MAX_UNANSWERED)
        (void) g_socket_shutdown (socket, TRUE, TRUE, NULL);
    }
  else if (!incoming && (type == G_DBUS_MESSAGE_TYPE_METHOD_RETURN || type == G_DBUS_MESSAGE_TYPE_ERROR))
    traffic->n_unanswered--;
}

/* On GDBus's thread. Clients of a bus go by the sender of a signal. */
static GDBusMessage *
on_message (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer user_data)
{
  GIOStream *stream = g_dbus_connection_get_stream (connection);
  GDBusMessage *copy;

  count (g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream)), user_data, message, incoming);
  if (incoming)
    return message;
  if (g_dbus_message_get_locked (message))
    {
      copy = g_dbus_message_copy (message, NULL);
      if (copy == NULL)
        return message;
      g_object_unref (message);
      message = copy;
    }
  g_dbus_message_set_sender (message, OWN_UNIQUE_NAME);
  return message;
}

gboolean
vp_dbus_peer_bus_export (GDBusConnection *connection, guint number, VpDbusPeerTraffic *traffic, GError **error)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_bus_call };
  static GDBusNodeInfo *node;

  if (node == NULL)
    node = g_dbus_node_info_new_for_xml (bus_xml, NULL);
  if (g_dbus_connection_register_object (connection, BUS_PATH, node->interfaces[0], &vtable,
                                         GUINT_TO_POINTER (number), NULL, error)
      == 0)
    return FALSE;
  (void) g_dbus_connection_add_filter (connection, on_message, g_atomic_rc_box_acquire (traffic),
                                       (GDestroyNotify) g_atomic_rc_box_release);
  return TRUE;
}
