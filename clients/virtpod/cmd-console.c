/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod console: what a guest says, as it says it. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"
#include "vp-console-view.h"

static gint64 opt_tail = 4096;
static gboolean opt_raw;

static const GOptionEntry options[] = {
  { "tail-bytes", 'n', 0, G_OPTION_ARG_INT64, &opt_tail,
    N_("How much of what was said before to show first; -1: all that is kept (default: 4096)"), N_("BYTES") },
  { "raw", 0, 0, G_OPTION_ARG_NONE, &opt_raw, N_("Give a terminal the guest's bytes as they are"), NULL },
  { NULL },
};

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpDBusSandbox1) sandbox = NULL;

  if (opt_tail < -1)
    return vp_command_usage (command, _("--tail-bytes must not be negative, but for -1"));
  sandbox = vp_client_find_sandbox (client, args[0], &error);
  if (sandbox == NULL
      || !vp_console_view (sandbox, TRUE, opt_tail < 0 ? G_MAXUINT64 : (guint64) opt_tail, opt_raw, &error))
    return vp_command_fail (command, args[0], error);
  return 0;
}

const VpCommand vp_cmd_console = {
  .name = "console",
  .arguments = N_("SANDBOX"),
  .summary = N_("Follow the console of a sandbox's guest"),
  .min_args = 1,
  .max_args = 1,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
