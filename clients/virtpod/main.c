/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod, the command: a table of verbs over the D-Bus API. It knows nothing
 * that is not on the bus. A verb that needs libraries of its own is in another
 * program, with this file, which is executed with the same command line. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vp-client.h"
#include "vp-command.h"
#include "vp-names.h"
#include "vp-oci-features.h"
#include "vp-program.h"
#include "vp-report.h"

static char *opt_address;
static gboolean opt_session;
static gboolean opt_no_ask_password;
static gboolean opt_version;
static char *opt_log;
static char *opt_log_format;
static char *opt_root;
static gboolean opt_ignored;
static char *opt_ignored_word;

static const GOptionEntry global_options[] = {
  { "address", 0, 0, G_OPTION_ARG_STRING, &opt_address, N_("Talk to virtpodd on the bus at ADDRESS"),
    N_("ADDRESS") },
  { "session", 0, 0, G_OPTION_ARG_NONE, &opt_session, N_("Talk to virtpodd on the session bus"), NULL },
  { "no-ask-password", 0, 0, G_OPTION_ARG_NONE, &opt_no_ask_password, N_("Do not ask for a password"), NULL },
  { "version", 0, 0, G_OPTION_ARG_NONE, &opt_version, N_("Print the version of this program and exit"),
    NULL },
  { "log", 0, 0, G_OPTION_ARG_FILENAME, &opt_log, N_("Append errors to FILE too"), N_("FILE") },
  { "log-format", 0, 0, G_OPTION_ARG_STRING, &opt_log_format, N_("How lines of the log look: text or json"),
    N_("FORMAT") },
  { "root", 0, 0, G_OPTION_ARG_FILENAME, &opt_root,
    N_("Accepted from container engines: the state is the daemon's"), N_("DIR") },
  { "debug", 0, 0, G_OPTION_ARG_NONE, &opt_ignored, N_("Accepted from container engines: the daemon has the log"),
    NULL },
  { "systemd-cgroup", 0, 0, G_OPTION_ARG_NONE, &opt_ignored,
    N_("Accepted from container engines: control groups are in the guest"), NULL },
  { "cgroup-manager", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &opt_ignored_word, NULL, "MANAGER" },
  { "rootless", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &opt_ignored_word, NULL, "VALUE" },
  { NULL },
};

/* what runtimes for processes of the host can and a virtual machine cannot: engines ask by name */
static const char *const refused[] = { "checkpoint", "restore" };

/* A container tool is often started with standard streams closed; what it
 * opens next must not become one of them. */
static void
ensure_standard_streams (void)
{
  int fd;

  do
    fd = open ("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0)
    (void) close (fd);
}

static const VpCommand *
find_command (const char *name)
{
  for (gsize i = 0; vp_verbs[i] != NULL; i++)
    if (g_str_equal (vp_verbs[i]->name, name) || g_strcmp0 (vp_verbs[i]->alias, name) == 0)
      return vp_verbs[i];
  return NULL;
}

static GOptionContext *
new_global_context (void)
{
  GOptionContext *context = g_option_context_new (_("COMMAND [ARGUMENT...]"));
  GString *summary = g_string_new (_("Runs OCI containers in virtual machines.\n\nCommands:"));

  for (gsize i = 0; vp_verbs[i] != NULL; i++)
    g_string_append_printf (summary, "\n  %-10s %s", vp_verbs[i]->name, _(vp_verbs[i]->summary));
  g_string_append_printf (summary, "\n  %-10s %s", "help", _("Explain a command"));

  g_option_context_set_summary (context, summary->str);
  g_option_context_set_description (
      context, _("\"virtpod COMMAND --help\" explains a command, virtpod(1) all of them."));
  g_option_context_set_strict_posix (context, TRUE);
  g_option_context_set_translation_domain (context, PACKAGE);
  g_option_context_add_main_entries (context, global_options, PACKAGE);
  g_string_free (summary, TRUE);
  return context;
}

static GOptionContext *
new_command_context (const VpCommand *command)
{
  static const GOptionEntry none[] = { { NULL } };
  GOptionContext *context = g_option_context_new (command->arguments != NULL ? _(command->arguments) : NULL);

  g_option_context_set_summary (context, _(command->summary));
  g_option_context_set_strict_posix (context, command->verbatim);
  g_option_context_set_translation_domain (context, PACKAGE);
  g_option_context_add_main_entries (context, command->options != NULL ? command->options : none, PACKAGE);
  return context;
}

/* GOption names the program in "Usage:"; a verb is part of that name. */
static void
set_name (const VpCommand *command)
{
  g_autofree char *name = g_strdup_printf ("virtpod %s", command->name);

  g_set_prgname (name);
}

static int
usage_error (const char *message)
{
  vp_report_error (message);
  g_printerr ("%s\n", _("Try \"virtpod --help\"."));
  return VP_EXIT_OWN;
}

static int
unknown_command (const char *name)
{
  g_autofree char *message = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    if (g_str_equal (refused[i], name))
      {
        message = g_strdup_printf (_("%s: not supported: processes of a guest cannot be saved and restored"), name);
        vp_report_error (message);
        return VP_EXIT_FAILURE;
      }
  message = g_strdup_printf (_("there is no command \"%s\""), name);

  return usage_error (message);
}

/* Returns when it failed. @args is the whole command line. */
static int
become (const VpCommand *command, char **args)
{
  g_autofree char *path = vp_program_path (command->program);
  g_autofree char *message = NULL;

  (void) execv (path, args);
  message = g_strdup_printf ("%s: %s: %s", command->name, path, g_strerror (errno));
  vp_report_error (message);
  return VP_EXIT_FAILURE;
}

static int
run_help (int n_args, char **args, char **line)
{
  g_autoptr (GOptionContext) context = NULL;
  g_autofree char *text = NULL;

  if (n_args == 0)
    context = new_global_context ();
  else
    {
      const VpCommand *command = find_command (args[0]);

      if (command == NULL)
        return unknown_command (args[0]);
      if (command->program != NULL)
        return become (command, line);
      set_name (command);
      context = new_command_context (command);
    }
  text = g_option_context_get_help (context, TRUE, NULL);
  g_print ("%s", text);
  return EXIT_SUCCESS;
}

/* @argv[0] is the verb. */
static int
run_command (const VpCommand *command, int argc, char **argv)
{
  g_autoptr (GOptionContext) context = new_command_context (command);
  g_autoptr (VpClient) client = NULL;
  g_autoptr (GError) error = NULL;

  set_name (command);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return vp_command_usage (command, error->message);
  /* a first "--" stays in argv when it separates nothing */
  if (argc > 1 && g_str_equal (argv[1], "--"))
    {
      argc--;
      argv++;
    }
  if (argc - 1 < command->min_args)
    return vp_command_usage (command, _("an argument is missing"));
  if (command->max_args >= 0 && argc - 1 > command->max_args)
    {
      g_autofree char *message
          = g_strdup_printf (_("\"%s\" is one argument too many"), argv[1 + command->max_args]);
      return vp_command_usage (command, message);
    }

  client = vp_client_new (opt_address != NULL || opt_session ? opt_address : g_getenv (VP_ENV_ADDRESS),
                          opt_session);
  vp_client_set_may_ask (client, !opt_no_ask_password && isatty (STDIN_FILENO) == 1);
  return command->run (command, client, argc - 1, argv + 1);
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) line = g_strdupv (argv);
  const VpCommand *command;

  ensure_standard_streams ();
  setlocale (LC_ALL, "");
  bindtextdomain (PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (PACKAGE, "UTF-8");
  textdomain (PACKAGE);
  g_set_prgname ("virtpod");

  context = new_global_context ();
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return usage_error (error->message);
  if (!vp_report_open (opt_log, opt_log_format, &error))
    return usage_error (error->message);
  if (opt_version)
    {
      g_print ("virtpod %s\nspec: %s\n", PACKAGE_VERSION, VP_OCI_VERSION);
      return EXIT_SUCCESS;
    }
  if (argc < 2)
    return usage_error (_("a command is missing"));
  if (g_str_equal (argv[1], "help"))
    return run_help (argc - 2, argv + 2, line);

  command = find_command (argv[1]);
  if (command == NULL)
    return unknown_command (argv[1]);
  if (command->program != NULL)
    return become (command, line);
  return run_command (command, argc - 1, argv + 1);
}
