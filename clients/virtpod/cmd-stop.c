/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod stop: end a sandbox's containers and its virtual machine. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"

static gboolean opt_force;
static double opt_timeout;

static const GOptionEntry options[] = {
  { "timeout", 't', 0, G_OPTION_ARG_DOUBLE, &opt_timeout,
    N_("How long the guest may take before it is destroyed (default: as configured)"), N_("SECONDS") },
  { "force", 'f', 0, G_OPTION_ARG_NONE, &opt_force, N_("Do not ask the guest at all"), NULL },
  { NULL },
};

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpDBusSandbox1) sandbox = NULL;

  /* 0 means the default to the daemon; a year is longer than anybody waits */
  if (opt_timeout < 0 || opt_timeout > 366.0 * 24 * 3600)
    return vp_command_usage (command,
                             _("--timeout must be a number of seconds, not negative and at most a year"));
  sandbox = vp_client_find_sandbox (client, args[0], &error);
  if (sandbox == NULL
      || !vp_dbus_sandbox1_call_stop_sync (sandbox, (guint64) (opt_timeout * G_USEC_PER_SEC),
                                           vp_command_force_options (opt_force), NULL, &error))
    return vp_command_fail (command, args[0], error);
  return 0;
}

const VpCommand vp_cmd_stop = {
  .name = "stop",
  .arguments = N_("SANDBOX"),
  .summary = N_("Stop a sandbox: its containers and its virtual machine"),
  .min_args = 1,
  .max_args = 1,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
