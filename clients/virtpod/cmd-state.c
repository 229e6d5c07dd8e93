/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod state: the OCI runtime's state document of a container. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpDBusContainer1) container = vp_client_find_container (client, args[0], &error);
  g_autofree char *json = NULL;

  if (container == NULL || !vp_dbus_container1_call_get_state_sync (container, &json, NULL, &error))
    return vp_command_fail (command, args[0], error);
  g_print ("%s%s", json, g_str_has_suffix (json, "\n") ? "" : "\n");
  return 0;
}

const VpCommand vp_cmd_state = {
  .name = "state",
  .arguments = N_("ID"),
  .summary = N_("Print the OCI state of a container"),
  .min_args = 1,
  .max_args = 1,
  .failure = VP_EXIT_FAILURE,
  .run = run,
};
