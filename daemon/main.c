/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <fcntl.h>

#include "vp-daemon.h"
#include "vp-error.h"
#include "vp-fd.h"
#include "vp-kata-import.h"
#include "vp-listen-fds.h"
#include "vp-log.h"
#include "vp-memory.h"

#define IMPORT_MAX (1u << 20)

typedef struct
{
  gboolean session;
  gboolean version;
  gboolean check_config;
  gboolean config_paths;
  char *import_kata;
  char *address;
  char *config_file;
  char *state_dir;
  char *uri;
  char *log_level;
  char **overrides;
} Arguments;

static void
arguments_clear (Arguments *a)
{
  g_free (a->import_kata);
  g_free (a->address);
  g_free (a->config_file);
  g_free (a->state_dir);
  g_free (a->uri);
  g_free (a->log_level);
  g_strfreev (a->overrides);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static gboolean
parse (Arguments *a, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "session", 0, 0, G_OPTION_ARG_NONE, &a->session, "Serve on the session bus", NULL },
    { "address", 0, 0, G_OPTION_ARG_STRING, &a->address, "Serve on the bus at ADDRESS", "ADDRESS" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &a->config_file, "Read FILE instead of virtpod.conf", "FILE" },
    { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &a->overrides, "Override a configuration key", "GROUP.KEY=VALUE" },
    { "state-dir", 0, 0, G_OPTION_ARG_FILENAME, &a->state_dir, "Same as --set daemon.state-dir=DIR", "DIR" },
    { "uri", 0, 0, G_OPTION_ARG_STRING, &a->uri, "Same as --set hypervisor.uri=URI", "URI" },
    { "log-level", 0, 0, G_OPTION_ARG_STRING, &a->log_level, "error, warning, notice, info or debug", "LEVEL" },
    { "check-config", 0, 0, G_OPTION_ARG_NONE, &a->check_config, "Read the configuration and exit", NULL },
    { "config-paths", 0, 0, G_OPTION_ARG_NONE, &a->config_paths, "Print the files of the configuration and exit",
      NULL },
    { "import-kata", 0, 0, G_OPTION_ARG_FILENAME, &a->import_kata,
      "Print Kata's configuration FILE as virtpod.conf and exit", "FILE" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &a->version, "Print the version and exit", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- run containers in virtual machines");

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc > 1)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "\"%s\": no arguments are expected", (*argv)[1]);
      return FALSE;
    }
  if (a->session && a->address != NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "--session and --address exclude each other");
      return FALSE;
    }
  return TRUE;
}

static gboolean
override_one (VpConfig *config, const char *text, GError **error)
{
  const char *equals = strchr (text, '=');
  g_autofree char *key = NULL;

  if (equals == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "--set \"%s\": must be GROUP.KEY=VALUE", text);
      return FALSE;
    }
  key = g_strndup (text, (gsize) (equals - text));
  return vp_config_override (config, key, equals + 1, error);
}

static VpConfig *
load_config (const Arguments *a, GError **error)
{
  g_autoptr (VpConfig) config = vp_config_load (a->config_file, error);
  const struct {
    const char *key, *value;
  } short_forms[] = {
    { "daemon.state-dir", a->state_dir },
    { "hypervisor.uri", a->uri },
    { "daemon.log-level", a->log_level },
  };

  if (config == NULL)
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (short_forms); i++)
    if (short_forms[i].value != NULL
        && !vp_config_override (config, short_forms[i].key, short_forms[i].value, error))
      return NULL;
  for (gsize i = 0; a->overrides != NULL && a->overrides[i] != NULL; i++)
    if (!override_one (config, a->overrides[i], error))
      return NULL;
  return vp_config_check (config, error) ? g_steal_pointer (&config) : NULL;
}

static VpConfig *
load_again (gpointer arguments, GError **error)
{
  return load_config (arguments, error);
}

/* ---- what needs no bus ---- */

static void
print_config_paths (const char *config_file)
{
  g_auto (GStrv) files = vp_config_list_files (config_file);

  for (char **file = files; *file != NULL; file++)
    printf ("%s\n", *file);
}

/* The new file on standard output, what it lacks on standard error. */
static gboolean
import_kata (const char *path, GError **error)
{
  VP_AUTO_FD fd = vp_fd_open (path, O_RDONLY | O_NONBLOCK, "file", error);
  g_autofree char *toml = NULL, *text = NULL;
  g_auto (GStrv) notes = NULL;
  gsize length = 0;

  if (fd >= 0)
    toml = vp_fd_read_all (fd, IMPORT_MAX, path, &length, error);
  if (toml != NULL)
    text = vp_kata_import (toml, length, path, &notes, error);
  if (text == NULL)
    return FALSE;
  for (char **line = notes; *line != NULL; line++)
    fprintf (stderr, "%s\n", *line);
  printf ("%s", text);
  return TRUE;
}

/* TRUE: there is nothing more to do, and *@ret_status is how it went. */
static gboolean
run_offline (const Arguments *a, int *ret_status)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpConfig) config = NULL;

  if (a->version)
    printf ("virtpodd %s\n", PACKAGE_VERSION);
  else if (a->config_paths)
    print_config_paths (a->config_file);
  else if (a->import_kata != NULL)
    (void) import_kata (a->import_kata, &error);
  else if (a->check_config)
    config = load_config (a, &error);
  else
    return FALSE;
  if (error != NULL)
    fprintf (stderr, "virtpodd: %s\n", error->message);
  *ret_status = error != NULL || fflush (stdout) != 0 ? 1 : 0;
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_auto (Arguments) arguments = { 0 };
  g_autoptr (VpConfig) config = NULL;
  g_autoptr (GError) error = NULL;
  VpDaemonOptions options = { 0 };
  int status;

  vp_memory_init ();
  vp_log_init ();
  (void) vp_listen_fds_receive (); /* while there is one thread */
  if (!parse (&arguments, &argc, &argv, &error))
    {
      fprintf (stderr, "virtpodd: %s\nTry \"virtpodd --help\".\n", error->message);
      return 2;
    }
  if (run_offline (&arguments, &status))
    return status;
  config = load_config (&arguments, &error);
  if (config == NULL)
    {
      fprintf (stderr, "virtpodd: %s\n", error->message);
      return 1;
    }
  (void) vp_log_set_level (vp_config_get_string (config, VP_CONFIG_DAEMON_LOG_LEVEL));

  options.config = config;
  options.load = load_again;
  options.load_data = &arguments;
  options.bus = arguments.address != NULL ? VP_BUS_ADDRESS : (arguments.session ? VP_BUS_SESSION : VP_BUS_SYSTEM);
  options.address = arguments.address;
  return vp_daemon_run (&options);
}
