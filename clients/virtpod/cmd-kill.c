/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod kill: a signal for a container. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"

static gboolean opt_all;

static const GOptionEntry options[] = {
  { "all", 'a', 0, G_OPTION_ARG_NONE, &opt_all, N_("Signal every process of the container (only KILL)"),
    NULL },
  { NULL },
};

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpDBusContainer1) container = vp_client_find_container (client, args[0], &error);
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  if (container == NULL)
    return vp_command_fail (command, args[0], error);
  if (opt_all)
    g_variant_builder_add (&builder, "{sv}", "all", g_variant_new_boolean (TRUE));
  if (!vp_dbus_container1_call_kill_sync (container, n_args > 1 ? args[1] : "TERM",
                                          g_variant_builder_end (&builder), NULL, &error))
    return vp_command_fail (command, args[0], error);
  return 0;
}

const VpCommand vp_cmd_kill = {
  .name = "kill",
  .arguments = N_("ID [SIGNAL]"),
  .summary = N_("Send a signal (default: TERM) to a container"),
  .min_args = 1,
  .max_args = 2,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
