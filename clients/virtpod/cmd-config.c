/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod config: show and handlers ask the daemon, the rest is what the daemon's program
 * does with files. The table of keys is in one place, and not in this one. */
#include "config.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

#include "vp-command.h"
#include "vp-json-text.h"
#include "vp-names.h"

#define DAEMON "virtpodd"

static char *opt_handler;
static gboolean opt_json;
static gboolean opt_sources;

static const GOptionEntry options[] = {
  { "handler", 'H', 0, G_OPTION_ARG_STRING, &opt_handler, N_("show: what is in force for this runtime handler"),
    N_("NAME") },
  { "sources", 's', 0, G_OPTION_ARG_NONE, &opt_sources, N_("show: say where each value is from"), NULL },
  { "json", 'j', 0, G_OPTION_ARG_NONE, &opt_json, N_("show: print JSON"), NULL },
  { NULL },
};

/* ---- show ------------------------------------------------------------------- */

static void
print_key_file (GVariant *settings)
{
  g_autofree char *group = g_strdup ("");
  const char *key, *value, *source;
  GVariantIter iter;

  g_variant_iter_init (&iter, settings);
  while (g_variant_iter_next (&iter, "(&s&s&s)", &key, &value, &source))
    {
      const char *dot = strchr (key, '.');
      gsize length = dot != NULL ? (gsize)(dot - key) : 0;

      if (strncmp (group, key, length) != 0 || group[length] != '\0')
        {
          g_print ("%s[%.*s]\n", group[0] != '\0' ? "\n" : "", (int)length, key);
          g_free (group);
          group = g_strndup (key, length);
        }
      if (opt_sources)
        g_print ("# %s\n", source);
      g_print ("%s=%s\n", dot != NULL ? dot + 1 : key, value);
    }
}

static void
print_json (GVariant *settings)
{
  static const char *const names[] = { "key", "value", "source" };
  GVariantIter iter;
  GVariantBuilder rows;
  g_autoptr (GVariant) list = NULL;
  g_autofree char *text = NULL;
  const char *columns[3];

  g_variant_builder_init (&rows, G_VARIANT_TYPE ("aa{sv}"));
  g_variant_iter_init (&iter, settings);
  while (g_variant_iter_next (&iter, "(&s&s&s)", &columns[0], &columns[1], &columns[2]))
    {
      g_variant_builder_open (&rows, G_VARIANT_TYPE ("a{sv}"));
      for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
        g_variant_builder_add (&rows, "{sv}", names[i], g_variant_new_string (columns[i]));
      g_variant_builder_close (&rows);
    }
  list = g_variant_ref_sink (g_variant_builder_end (&rows));
  text = vp_json_text (list);
  g_print ("%s\n", text);
}

static int
show (const VpCommand *command, VpClient *client)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) settings = NULL;
  VpDBusManager1 *manager = vp_client_get_manager (client, &error);

  if (manager == NULL
      || !vp_dbus_manager1_call_get_config_sync (manager, opt_handler != NULL ? opt_handler : "", &settings, NULL,
                                                 &error))
    return vp_command_fail (command, NULL, error);
  if (opt_json)
    print_json (settings);
  else
    print_key_file (settings);
  return 0;
}

static int
list_handlers (const VpCommand *command, VpClient *client)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) properties
      = vp_client_get_properties (client, VP_PATH_MANAGER, VP_IFACE_MANAGER, &error);
  g_autoptr (GVariant) names = NULL;
  GVariantIter iter;
  const char *name;

  if (properties == NULL)
    return vp_command_fail (command, NULL, error);
  names = g_variant_lookup_value (properties, "RuntimeHandlers", G_VARIANT_TYPE ("as"));
  if (names == NULL)
    return 0;
  g_variant_iter_init (&iter, names);
  while (g_variant_iter_next (&iter, "&s", &name))
    g_print ("%s\n", name);
  return 0;
}

/* ---- files ------------------------------------------------------------------ */

/* The daemon beside this program (a build directory), else the installed one. */
static char *
find_daemon (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *directory = self != NULL ? g_path_get_dirname (self) : NULL;
  g_autofree char *beside = directory != NULL ? g_build_filename (directory, DAEMON, NULL) : NULL;

  if (beside != NULL && g_file_test (beside, G_FILE_TEST_IS_EXECUTABLE))
    return g_steal_pointer (&beside);
  return g_build_filename (VP_SBINDIR, DAEMON, NULL);
}

/* Becomes virtpodd with @option (NULL: none) and "@prefix@file" (@file NULL: not). */
static int
become_daemon (const VpCommand *command, const char *option, const char *prefix, const char *file)
{
  g_autofree char *program = find_daemon ();
  g_autofree char *operand = file != NULL ? g_strconcat (prefix, file, NULL) : NULL;
  const char *argv[] = { DAEMON, option, operand, NULL };
  g_autoptr (GError) error = NULL;

  if (option == NULL)
    {
      argv[1] = operand;
      argv[2] = NULL;
    }
  (void)execv (program, (char *const *)argv);
  g_set_error (&error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", program, g_strerror (errno));
  return vp_command_fail (command, NULL, error);
}

static const struct
{
  const char *name;
  int min_args, max_args;
} verbs[] = { { "show", 0, 0 }, { "handlers", 0, 0 }, { "check", 0, 1 }, { "paths", 0, 1 }, { "import-kata", 1, 1 } };

static int
check_arguments (const VpCommand *command, const char *verb, int n_args)
{
  g_autofree char *message = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    {
      if (!g_str_equal (verbs[i].name, verb))
        continue;
      if (n_args < verbs[i].min_args)
        return vp_command_usage (command, _("an argument is missing"));
      if (n_args > verbs[i].max_args)
        return vp_command_usage (command, _("there is an argument too many"));
      if (i > 0 && (opt_handler != NULL || opt_json || opt_sources))
        return vp_command_usage (command, _("--handler, --sources and --json are for show"));
      if (opt_json && opt_sources)
        return vp_command_usage (command, _("--sources and --json exclude each other"));
      return 0;
    }
  message = g_strdup_printf (_("\"%s\" must be show, handlers, check, paths or import-kata"), verb);
  return vp_command_usage (command, message);
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  const char *file = n_args > 1 ? args[1] : NULL;
  int status = check_arguments (command, args[0], n_args - 1);

  if (status != 0)
    return status;
  if (g_str_equal (args[0], "show"))
    return show (command, client);
  if (g_str_equal (args[0], "handlers"))
    return list_handlers (command, client);
  if (g_str_equal (args[0], "check"))
    return become_daemon (command, "--check-config", "--config=", file);
  if (g_str_equal (args[0], "paths"))
    return become_daemon (command, "--config-paths", "--config=", file);
  return become_daemon (command, NULL, "--import-kata=", file);
}

const VpCommand vp_cmd_config = {
  .name = "config",
  .arguments = N_("show | handlers | check [FILE] | paths [FILE] | import-kata FILE"),
  .summary = N_("Show the configuration, check its files, or make one from Kata's"),
  .min_args = 1,
  .max_args = 2,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
