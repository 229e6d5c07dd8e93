/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod logs: the journal's entries about a sandbox or a container, or the
 * guest's console. What a container writes is not kept by the daemon: it goes to
 * whoever bound its streams. */
#include "config.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <unistd.h>

#include "vp-command.h"
#include "vp-console-view.h"
#include "vp-names.h"
#include "vp-target.h"

#define JOURNALCTL "journalctl"

static gboolean opt_console;
static gboolean opt_follow;
static gboolean opt_explain;
static gboolean opt_raw;
static int opt_lines = -1;
static char *opt_since;
static char *opt_format;

static const GOptionEntry options[] = {
  { "console", 'c', 0, G_OPTION_ARG_NONE, &opt_console, N_("Print the guest's console instead"), NULL },
  { "follow", 'f', 0, G_OPTION_ARG_NONE, &opt_follow, N_("Go on with what comes from now on"), NULL },
  { "lines", 'n', 0, G_OPTION_ARG_INT, &opt_lines, N_("Journal: only the last N entries"), N_("N") },
  { "since", 0, 0, G_OPTION_ARG_STRING, &opt_since, N_("Journal: only entries from TIME on, as journalctl takes it"),
    N_("TIME") },
  { "explain", 'x', 0, G_OPTION_ARG_NONE, &opt_explain, N_("Journal: add the explanations of the catalog"), NULL },
  { "format", 0, 0, G_OPTION_ARG_STRING, &opt_format, N_("Journal: print as text (default) or json"), N_("FORMAT") },
  { "raw", 0, 0, G_OPTION_ARG_NONE, &opt_raw, N_("Console: give a terminal the guest's bytes as they are"), NULL },
  { NULL },
};

static int
show_console (const VpCommand *command, VpClient *client, const char *id)
{
  g_auto (VpTarget) target = { 0 };
  g_autoptr (VpDBusSandbox1) sandbox = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;

  if (vp_target_find (&target, client, id, VP_TARGET_SANDBOX_FIRST, &error))
    path = vp_target_dup_sandbox_path (&target, client, &error);
  if (path != NULL)
    sandbox = vp_client_open_sandbox (client, path, &error);
  if (sandbox == NULL || !vp_console_view (sandbox, opt_follow, G_MAXUINT64, opt_raw, &error))
    return vp_command_fail (command, id, error);
  return 0;
}

/* The daemon is not asked: what is deleted has a journal as well. */
static int
become_journalctl (const VpCommand *command, const char *id)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (argv, g_strdup (JOURNALCTL));
  g_ptr_array_add (argv, g_strdup_printf ("--output=%s", g_strcmp0 (opt_format, "json") == 0 ? "json" : "short-iso"));
  if (opt_follow)
    g_ptr_array_add (argv, g_strdup ("--follow"));
  if (opt_explain)
    g_ptr_array_add (argv, g_strdup ("--catalog"));
  if (opt_lines >= 0)
    g_ptr_array_add (argv, g_strdup_printf ("--lines=%d", opt_lines));
  else if (opt_follow)
    g_ptr_array_add (argv, g_strdup ("--lines=all"));
  if (opt_since != NULL)
    g_ptr_array_add (argv, g_strdup_printf ("--since=%s", opt_since));
  g_ptr_array_add (argv, g_strdup_printf ("%s=%s", VP_FIELD_SANDBOX, id));
  g_ptr_array_add (argv, g_strdup ("+"));
  g_ptr_array_add (argv, g_strdup_printf ("%s=%s", VP_FIELD_CONTAINER, id));
  g_ptr_array_add (argv, NULL);
  (void) execvp (JOURNALCTL, (char *const *) argv->pdata);
  g_set_error (&error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", JOURNALCTL, g_strerror (errno));
  return vp_command_fail (command, id, error);
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  if (opt_format != NULL && !g_str_equal (opt_format, "json") && !g_str_equal (opt_format, "text"))
    return vp_command_usage (command, _("--format must be text or json"));
  if (opt_console && (opt_lines >= 0 || opt_since != NULL || opt_explain || opt_format != NULL))
    return vp_command_usage (command, _("--lines, --since, --explain and --format are for the journal"));
  if (!opt_console && opt_raw)
    return vp_command_usage (command, _("--raw is for --console"));
  return opt_console ? show_console (command, client, args[0]) : become_journalctl (command, args[0]);
}

const VpCommand vp_cmd_logs = {
  .name = "logs",
  .arguments = N_("ID"),
  .summary = N_("Print the journal of a sandbox or container, or its console"),
  .min_args = 1,
  .max_args = 1,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
