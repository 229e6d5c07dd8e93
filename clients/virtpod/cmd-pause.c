/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod pause, virtpod resume: containers, or whole virtual machines, stand still and go on. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"

static gboolean opt_sandbox;

static const GOptionEntry options[] = {
  { "sandbox", 's', 0, G_OPTION_ARG_NONE, &opt_sandbox, N_("Each ID is a sandbox: its whole virtual machine"),
    NULL },
  { NULL },
};

static gboolean
do_container (VpClient *client, const char *id, gboolean pause, GError **error)
{
  g_autoptr (VpDBusContainer1) container = vp_client_find_container (client, id, error);

  if (container == NULL)
    return FALSE;
  return pause ? vp_dbus_container1_call_pause_sync (container, NULL, error)
               : vp_dbus_container1_call_resume_sync (container, NULL, error);
}

static gboolean
do_sandbox (VpClient *client, const char *id, gboolean pause, GError **error)
{
  g_autoptr (VpDBusSandbox1) sandbox = vp_client_find_sandbox (client, id, error);

  if (sandbox == NULL)
    return FALSE;
  return pause ? vp_dbus_sandbox1_call_pause_sync (sandbox, NULL, error)
               : vp_dbus_sandbox1_call_resume_sync (sandbox, NULL, error);
}

/* What can be done is done; the status tells that something could not. */
static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  gboolean pause = command == &vp_cmd_pause;
  int result = 0;

  for (int i = 0; i < n_args; i++)
    {
      g_autoptr (GError) error = NULL;

      if (!(opt_sandbox ? do_sandbox : do_container) (client, args[i], pause, &error))
        result = vp_command_fail (command, args[i], error);
    }
  return result;
}

const VpCommand vp_cmd_pause = {
  .name = "pause",
  .arguments = N_("ID..."),
  .summary = N_("Freeze the processes of containers, or virtual machines"),
  .min_args = 1,
  .max_args = -1,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};

const VpCommand vp_cmd_resume = {
  .name = "resume",
  .arguments = N_("ID..."),
  .summary = N_("Let paused containers or virtual machines go on"),
  .min_args = 1,
  .max_args = -1,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
