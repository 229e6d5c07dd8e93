/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod delete: forget a container, or a whole sandbox. */
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

static gboolean
delete_sandbox (VpClient *client, const char *id, GError **error)
{
  g_autoptr (VpDBusSandbox1) sandbox = vp_client_find_sandbox (client, id, error);

  return sandbox != NULL
         && vp_dbus_sandbox1_call_delete_sync (sandbox, vp_command_force_options (opt_force), NULL, error);
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (GError) error = NULL;
  gboolean done = delete_container (client, args[0], &error);

  /* a sandbox whose own container is gone is only known by its own id */
  if (!done && vp_error_is (error, VP_ERROR_NOT_FOUND))
    {
      g_autoptr (GError) sandbox_error = NULL;

      done = delete_sandbox (client, args[0], &sandbox_error)
             || (opt_force && vp_error_is (sandbox_error, VP_ERROR_NOT_FOUND));
      if (!done && !vp_error_is (sandbox_error, VP_ERROR_NOT_FOUND))
        return vp_command_fail (command, args[0], sandbox_error);
    }
  return done ? 0 : vp_command_fail (command, args[0], error);
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
