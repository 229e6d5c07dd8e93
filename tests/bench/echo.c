/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The least a GDBus service can be, and a client that counts: what a property
 * of virtpodd costs is compared with what any answer costs on the same bus.
 *
 *   echo serve ADDRESS NAME
 *   echo call ADDRESS NAME PATH INTERFACE METHOD ARG0 ARG1 COUNT FLIGHT
 *
 * "call" sends METHOD(ARG0, ARG1) COUNT times with FLIGHT of them under way and
 * prints the seconds it took. */
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char introspection[]
    = "<node><interface name='org.virtpod.Echo'><method name='Get'>"
      "<arg name='a' type='s' direction='in'/><arg name='b' type='s' direction='in'/>"
      "<arg name='value' type='v' direction='out'/></method></interface></node>";

static GDBusConnection *
open_bus (const char *address)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection
      = g_dbus_connection_new_for_address_sync (address,
                                                G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                                    | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                NULL, NULL, &error);

  if (connection == NULL)
    g_error ("%s: %s", address, error->message);
  return connection;
}

/* ---- server ---- */

static void
on_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
         const char *method, GVariant *parameters, GDBusMethodInvocation *invocation, gpointer user_data)
{
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(v)", g_variant_new_string ("created")));
}

static int
serve (const char *address, const char *name)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_call };
  g_autoptr (GDBusConnection) connection = open_bus (address);
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (introspection, NULL);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;

  g_dbus_connection_register_object (connection, "/org/virtpod/Echo", node->interfaces[0], &vtable, NULL, NULL,
                                     &error);
  if (error != NULL)
    g_error ("%s", error->message);
  g_bus_own_name_on_connection (connection, name, G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL, NULL, NULL);
  g_main_loop_run (loop);
  return 0;
}

/* ---- client ---- */

typedef struct
{
  GDBusConnection *connection;
  char **words; /* NAME PATH INTERFACE METHOD ARG0 ARG1 */
  int to_send;
  int to_come;
  GMainLoop *loop;
} Client;

static void send_one (Client *client);

static void
on_reply (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *client = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (client->connection, result, &error);

  if (reply == NULL)
    g_error ("%s", error->message);
  if (--client->to_come == 0)
    g_main_loop_quit (client->loop);
  else
    send_one (client);
}

static void
send_one (Client *client)
{
  char **w = client->words;

  if (client->to_send == 0)
    return;
  client->to_send--;
  g_dbus_connection_call (client->connection, w[0], w[1], w[2], w[3], g_variant_new ("(ss)", w[4], w[5]),
                          G_VARIANT_TYPE ("(v)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, 20000, NULL, on_reply, client);
}

static void
run (Client *client, int count, int flight)
{
  client->to_send = client->to_come = count;
  for (int i = 0; i < flight; i++)
    send_one (client);
  g_main_loop_run (client->loop);
}

static int
call (const char *address, char **words, int count, int flight)
{
  g_autoptr (GDBusConnection) connection = open_bus (address);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Client client = { connection, words, 0, 0, loop };
  gint64 start;

  run (&client, 100, 1); /* both ends have seen each other */
  start = g_get_monotonic_time ();
  run (&client, count, flight);
  printf ("%.6f\n", (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC);
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc == 4 && strcmp (argv[1], "serve") == 0)
    return serve (argv[2], argv[3]);
  if (argc == 11 && strcmp (argv[1], "call") == 0)
    return call (argv[2], argv + 3, atoi (argv[9]), atoi (argv[10]));
  fprintf (stderr, "usage: echo serve ADDRESS NAME | echo call ADDRESS NAME PATH INTERFACE METHOD ARG0 ARG1 "
                   "COUNT FLIGHT\n");
  return 2;
}
