/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod state: the OCI runtime's state document of a container. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"
#include "vp-names.h"

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = vp_client_find_container_path (client, args[0], &error);
  g_autoptr (GVariant) reply = NULL;
  const char *json;

  if (path != NULL)
    reply = vp_client_call (client, path, VP_IFACE_CONTAINER, "GetState", g_variant_new ("()"), "(s)", &error);
  if (reply == NULL)
    return vp_command_fail (command, args[0], error);
  g_variant_get (reply, "(&s)", &json);
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
