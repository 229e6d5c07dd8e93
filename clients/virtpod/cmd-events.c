/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod events: what happens to sandboxes and containers, a line each; with an id
 * what runc prints of one container. */
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "vp-command.h"
#include "vp-json-text.h"
#include "vp-names.h"
#include "vp-output.h"
#include "vp-stats-stream.h"

static char *opt_format;
static gboolean opt_properties;
static gboolean opt_stats;
static char *opt_interval;

/* as runc has it */
#define INTERVAL_MSEC 5000

static const GOptionEntry options[] = {
  { "format", 'f', 0, G_OPTION_ARG_STRING, &opt_format, N_("Print as text (default) or json, an object a line"),
    N_("FORMAT") },
  { "properties", 'p', 0, G_OPTION_ARG_NONE, &opt_properties, N_("Also every change of a property"), NULL },
  VP_OUTPUT_OPTION_FILTER,
  { "stats", 0, 0, G_OPTION_ARG_NONE, &opt_stats, N_("What the container ID uses, once, as runc prints it"), NULL },
  { "interval", 0, 0, G_OPTION_ARG_STRING, &opt_interval, N_("Time between two lines about ID (default: 5s)"),
    N_("TIME") },
  { NULL },
};

static const char *const filter_keys[] = { "event", "sandbox", "container", NULL };

typedef struct
{
  gboolean json;
  GVariant *filter; /* a{ss} */
  gboolean bus_gone;
  gboolean was_there; /* the daemon */
} Follower;

static void
follower_clear (Follower *self)
{
  g_clear_pointer (&self->filter, g_variant_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Follower, follower_clear)

static gboolean
passes (Follower *self, GVariantDict *line)
{
  GVariantIter iter;
  const char *key, *wanted;

  g_variant_iter_init (&iter, self->filter);
  while (g_variant_iter_next (&iter, "{&s&s}", &key, &wanted))
    {
      const char *have = "";

      (void) g_variant_dict_lookup (line, key, "&s", &have);
      if (!g_str_equal (have, wanted))
        return FALSE;
    }
  return TRUE;
}

static int
compare_words (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* In an order of their own: a dictionary has none. */
static void
append_words (GString *text, GVariant *dictionary)
{
  static const char *const shown_already[] = { "time", "event", "sandbox", NULL };
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  GVariantIter iter;
  GVariant *value;
  const char *key;

  g_variant_iter_init (&iter, dictionary);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value))
    {
      g_autofree char *printed = g_variant_is_of_type (value, G_VARIANT_TYPE_STRING)
                                     ? g_variant_dup_string (value, NULL)
                                     : g_variant_print (value, FALSE);
      g_autofree char *plain = vp_output_plain (printed);

      if (!g_strv_contains (shown_already, key))
        g_ptr_array_add (words, g_strdup_printf (" %s=%s", key, plain));
    }
  g_ptr_array_sort (words, compare_words);
  for (guint i = 0; i < words->len; i++)
    g_string_append (text, g_ptr_array_index (words, i));
}

/* Ends @line. */
static void
print_line (Follower *self, GVariantDict *line)
{
  const char *time = "", *event = "", *sandbox = "-";
  g_autoptr (GVariant) dictionary = NULL;
  g_autoptr (GString) text = NULL;

  if (!passes (self, line))
    return;
  dictionary = g_variant_ref_sink (g_variant_dict_end (line));
  if (self->json)
    {
      g_autofree char *json = vp_json_line (dictionary);

      g_print ("%s\n", json);
      return;
    }
  (void) g_variant_lookup (dictionary, "time", "&s", &time);
  (void) g_variant_lookup (dictionary, "event", "&s", &event);
  (void) g_variant_lookup (dictionary, "sandbox", "&s", &sandbox);
  text = g_string_new (NULL);
  g_string_append_printf (text, "%s %s %s", time, sandbox, event);
  append_words (text, dictionary);
  g_print ("%s\n", text->str);
}

static void
insert_time (GVariantDict *line, guint64 usec)
{
  g_autofree char *time = vp_json_time (usec);

  g_variant_dict_insert (line, "time", "s", time);
}

static void
on_event (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
          const char *signal, GVariant *arguments, gpointer user_data)
{
  g_autoptr (GVariantDict) line = NULL;
  g_autoptr (GVariant) details = NULL;
  const char *event, *id = NULL;
  guint64 time = 0;

  if (!g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(osa{sv})")))
    return;
  g_variant_get (arguments, "(&o&s@a{sv})", NULL, &event, &details);
  (void) g_variant_lookup (details, "time", "t", &time);
  (void) g_variant_lookup (details, "id", "&s", &id);
  line = g_variant_dict_new (details);
  g_variant_dict_remove (line, "id");
  insert_time (line, time != 0 ? time : (guint64) g_get_real_time ());
  g_variant_dict_insert (line, "event", "s", event);
  if (id != NULL)
    g_variant_dict_insert (line, "sandbox", "s", id);
  print_line (user_data, line);
}

static void
on_properties (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
               const char *signal, GVariant *arguments, gpointer user_data)
{
  g_autoptr (GVariantDict) line = NULL;
  g_autoptr (GVariant) changed = NULL;
  const char *of;

  if (!g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(sa{sv}as)")))
    return;
  g_variant_get (arguments, "(&s@a{sv}@as)", &of, &changed, NULL);
  line = g_variant_dict_new (NULL);
  insert_time (line, (guint64) g_get_real_time ());
  g_variant_dict_insert (line, "event", "s", "properties-changed");
  g_variant_dict_insert (line, "path", "s", path);
  g_variant_dict_insert (line, "interface", "s", of);
  g_variant_dict_insert_value (line, "properties", changed);
  print_line (user_data, line);
}

static void
on_daemon_there (GDBusConnection *connection, const char *name, const char *owner, gpointer user_data)
{
  Follower *self = user_data;

  if (!self->was_there)
    g_printerr (_("virtpod: events: virtpodd is back\n"));
  self->was_there = TRUE;
}

/* It may be started again: what happens then is for us as well. */
static void
on_daemon_gone (GDBusConnection *connection, const char *name, gpointer user_data)
{
  Follower *self = user_data;

  if (self->was_there && connection != NULL && !g_dbus_connection_is_closed (connection))
    g_printerr (_("virtpod: events: virtpodd went away; waiting for it\n"));
  self->was_there = FALSE;
}

static void
on_bus_gone (GDBusConnection *connection, gboolean remote, GError *error, gpointer user_data)
{
  ((Follower *) user_data)->bus_gone = TRUE;
}

static gboolean
is_known_filter (Follower *self)
{
  GVariantIter iter;
  const char *key;

  g_variant_iter_init (&iter, self->filter);
  while (g_variant_iter_next (&iter, "{&s&s}", &key, NULL))
    if (!g_strv_contains (filter_keys, key))
      return FALSE;
  return TRUE;
}

/* Of one container, as runc does: what it uses, time and again. */
static int
run_stats (const VpCommand *command, VpClient *client, const char *id)
{
  g_autoptr (GError) error = NULL;
  guint interval = INTERVAL_MSEC;

  if (opt_format != NULL || opt_properties || vp_output.filters != NULL)
    return vp_command_usage (command, _("--format, --properties and --filter are for the events of all"));
  if (opt_interval != NULL && !vp_stats_parse_interval (opt_interval, &interval))
    return vp_command_usage (command, _("--interval must be a time such as 5s or 500ms, 100ms to 24h"));
  if (vp_stats_stream (client, id, opt_stats ? 0 : interval, &error))
    return 0;
  return vp_command_fail (command, id, error);
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_auto (Follower) self = { .json = g_strcmp0 (opt_format, "json") == 0, .was_there = TRUE };
  g_autoptr (GVariant) properties = NULL;
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection;

  if (n_args > 0)
    return run_stats (command, client, args[0]);
  if (opt_stats || opt_interval != NULL)
    return vp_command_usage (command, _("--stats and --interval need the ID of a container"));
  if (opt_format != NULL && !self.json && !g_str_equal (opt_format, "text"))
    return vp_command_usage (command, _("--format must be text or json"));
  if (vp_output_check () != NULL)
    return vp_command_usage (command, vp_output_check ());
  self.filter = g_variant_ref_sink (vp_output_filter ());
  if (!is_known_filter (&self))
    return vp_command_usage (command, _("--filter knows event, sandbox and container"));

  connection = vp_client_get_connection (client, &error);
  if (connection == NULL)
    return vp_command_fail (command, NULL, error);
  g_signal_connect (connection, "closed", G_CALLBACK (on_bus_gone), &self);
  g_dbus_connection_signal_subscribe (connection, VP_BUS_NAME, VP_IFACE_MANAGER, "SandboxEvent", VP_PATH_MANAGER, NULL,
                                      G_DBUS_SIGNAL_FLAGS_NONE, on_event, &self, NULL);
  if (opt_properties)
    g_dbus_connection_signal_subscribe (connection, VP_BUS_NAME, "org.freedesktop.DBus.Properties",
                                        "PropertiesChanged", NULL, NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_properties,
                                        &self, NULL);
  /* starts the daemon where it can be started, and tells who may not ask it */
  properties = vp_client_get_properties (client, VP_PATH_MANAGER, VP_IFACE_MANAGER, &error);
  if (properties == NULL)
    return vp_command_fail (command, NULL, error);
  g_bus_watch_name_on_connection (connection, VP_BUS_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE, on_daemon_there,
                                  on_daemon_gone, &self, NULL);
  while (!self.bus_gone)
    g_main_context_iteration (NULL, TRUE);
  g_printerr (_("virtpod: events: the bus went away\n"));
  return VP_EXIT_FAILURE;
}

const VpCommand vp_cmd_events = {
  .name = "events",
  .arguments = N_("[ID]"),
  .summary = N_("Follow what happens to sandboxes and containers"),
  .max_args = 1,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
