/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod create, virtpod start: the two halves of a run, for container engines. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"
#include "vp-create.h"
#include "vp-error.h"
#include "vp-net-namespace.h"
#include "vp-oci-options.h"

static char *opt_bundle;
static char *opt_handler;

static const GOptionEntry options[] = {
  { "bundle", 'b', 0, G_OPTION_ARG_FILENAME, &opt_bundle,
    N_("OCI bundle of the container (default: the current directory)"), N_("DIR") },
  { "handler", 'H', 0, G_OPTION_ARG_STRING, &opt_handler, N_("Runtime handler of the daemon's configuration"),
    N_("NAME") },
  VP_OCI_OPTION_PID_FILE,
  VP_OCI_OPTION_CONSOLE_SOCKET,
  VP_OCI_OPTION_PRESERVE_FDS,
  VP_OCI_OPTIONS_WITHOUT_MEANING,
  { NULL },
};

static int
create (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  const VpCreate what = { .bundle = opt_bundle,
                          .handler = opt_handler,
                          .pid_file = vp_oci_options.pid_file,
                          .console_socket = vp_oci_options.console_socket };
  g_autoptr (VpDBusContainer1) container = NULL;
  g_autoptr (GError) error = NULL;

  if (vp_oci_options_check () != NULL)
    return vp_command_usage (command, vp_oci_options_check ());
  container = vp_create (client, args[0], &what, &error);
  return container != NULL ? 0 : vp_command_fail (command, args[0], error);
}

static int
start (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpDBusContainer1) container = vp_client_find_container (client, args[0], &error);

  if (container == NULL || !vp_net_namespace_settle (client, container, &error)
      || !vp_dbus_container1_call_start_sync (container, vp_command_force_options (FALSE), NULL, NULL, &error))
    return vp_command_fail (command, args[0], error);
  return 0;
}

const VpCommand vp_cmd_create = {
  .name = "create",
  .arguments = N_("ID"),
  .summary = N_("Prepare the container of an OCI bundle, with a process on the host that stands for it"),
  .min_args = 1,
  .max_args = 1,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = create,
};

const VpCommand vp_cmd_start = {
  .name = "start",
  .arguments = N_("ID"),
  .summary = N_("Run a container that was created"),
  .min_args = 1,
  .max_args = 1,
  .failure = VP_EXIT_FAILURE,
  .run = start,
};
