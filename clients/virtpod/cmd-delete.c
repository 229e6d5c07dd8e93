/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod delete: forget a container; a sandbox goes with its last one. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"
#include "vp-error.h"

static gboolean opt_force;

static const GOptionEntry options[] = {
  { "force", 'f', 0, G_OPTION_ARG_NONE, &opt_force, N_("Stop it first if it runs; succeed if there is none"),
    NULL },
  { NULL },
};

static gboolean
delete_container (VpClient *client, const char *id, GError **error)
{
  g_autoptr (VpDBusContainer1) container = vp_client_find_container (client, id, error);

  return container != NULL
         && vp_dbus_container1_call_delete_sync (container, vp_command_force_options (opt_force), NULL, NULL,
                                                 NULL, error);
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (GError) error = NULL;

  if (delete_container (client, args[0], &error) || (opt_force && vp_error_is (error, VP_ERROR_NOT_FOUND)))
    return 0;
  return vp_command_fail (command, args[0], error);
}

const VpCommand vp_cmd_delete = {
  .name = "delete",
  .arguments = N_("ID"),
  .summary = N_("Delete a container that has ended, and its sandbox with the last one"),
  .min_args = 1,
  .max_args = 1,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
