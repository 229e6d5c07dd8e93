/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The clients of the figures about lists and signals: what they cost themselves is
 * the same on both sides and little.
 *
 *   sweep calls ADDRESS ROUNDS     makes the calls of its stdin, one after the other, ROUNDS
 *                                  times and prints the seconds of one round; a line is
 *                                  NAME PATH INTERFACE METHOD PARAMETERS with tabs between,
 *                                  parameters as GVariant's text
 *   sweep listen ADDRESS SENDER COUNT
 *                                  prints "ready", waits for COUNT signals of object
 *                                  managers and prints how many came, with those of a
 *                                  moment after */
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATE_MS 200

typedef struct
{
  char **words; /* NAME PATH INTERFACE METHOD */
  GVariant *parameters;
} Call;

static GDBusConnection *
open_bus (const char *address)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection = g_dbus_connection_new_for_address_sync (
      address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL,
      NULL, &error);

  if (connection == NULL)
    g_error ("%s", error->message);
  return connection;
}

static Call
parse_call (const char *line)
{
  g_autoptr (GError) error = NULL;
  Call call = { g_strsplit (line, "\t", 5), NULL };

  if (g_strv_length (call.words) != 5)
    g_error ("\"%s\": needs five words", line);
  call.parameters = g_variant_parse (NULL, g_strchomp (call.words[4]), NULL, NULL, &error);
  if (call.parameters == NULL)
    g_error ("\"%s\": %s", call.words[4], error->message);
  g_variant_ref_sink (call.parameters);
  return call;
}

static void
make_call (GDBusConnection *connection, const Call *call)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply
      = g_dbus_connection_call_sync (connection, call->words[0], call->words[1], call->words[2], call->words[3],
                                     call->parameters, NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, 20000, NULL, &error);

  if (reply == NULL)
    g_error ("%s: %s", call->words[3], error->message);
}

static int
make_calls (const char *address, int rounds)
{
  g_autoptr (GDBusConnection) connection = open_bus (address);
  g_autoptr (GArray) calls = g_array_new (FALSE, FALSE, sizeof (Call));
  char line[4096];
  gint64 start = 0;

  while (fgets (line, sizeof line, stdin) != NULL)
    {
      Call call = parse_call (line);
      g_array_append_val (calls, call);
    }
  /* the first round is not counted: both ends have seen each other then */
  for (int round = 0; round <= rounds; round++)
    {
      if (round == 1)
        start = g_get_monotonic_time ();
      for (guint i = 0; i < calls->len; i++)
        make_call (connection, &g_array_index (calls, Call, i));
    }
  printf ("%.9f\n", (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC / rounds);
  return 0;
}

typedef struct
{
  GMainLoop *loop;
  int wanted;
  int heard;
} Listener;

static gboolean
on_late (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_REMOVE;
}

static void
on_signal (GDBusConnection *connection, const char *sender, const char *path, const char *interface, const char *name,
           GVariant *parameters, gpointer user_data)
{
  Listener *listener = user_data;

  if (++listener->heard == listener->wanted)
    g_timeout_add (LATE_MS, on_late, listener->loop);
}

static int
listen_to (const char *address, const char *sender, int count)
{
  g_autoptr (GDBusConnection) connection = open_bus (address);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GVariant) reply = NULL;
  Listener listener = { loop, count, 0 };

  g_dbus_connection_signal_subscribe (connection, sender, "org.freedesktop.DBus.ObjectManager", NULL, NULL, NULL,
                                      G_DBUS_SIGNAL_FLAGS_NONE, on_signal, &listener, NULL);
  /* its reply comes after the bus has made the match */
  reply = g_dbus_connection_call_sync (connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                       "org.freedesktop.DBus", "GetId", NULL, NULL, G_DBUS_CALL_FLAGS_NONE, 20000, NULL,
                                       NULL);
  puts ("ready");
  fflush (stdout);
  g_main_loop_run (loop);
  printf ("%d\n", listener.heard);
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc == 4 && strcmp (argv[1], "calls") == 0)
    return make_calls (argv[2], atoi (argv[3]));
  if (argc == 5 && strcmp (argv[1], "listen") == 0)
    return listen_to (argv[2], argv[3], atoi (argv[4]));
  fprintf (stderr, "usage: sweep calls ADDRESS ROUNDS | sweep listen ADDRESS SENDER COUNT\n");
  return 2;
}
