/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod features: what config.json may ask for, in the OCI runtime's own words. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"

/* What holds whatever the guest is; the daemon is not asked, as engines want this
 * without one. */
static const char document[]
    = "{\n"
      "  \"ociVersionMin\": \"1.0.0\",\n"
      "  \"ociVersionMax\": \"" VP_OCI_VERSION "\",\n"
      "  \"hooks\": [ \"prestart\", \"createRuntime\", \"startContainer\", \"poststart\","
      " \"poststop\" ],\n"
      "  \"linux\": {\n"
      "    \"namespaces\": [ \"ipc\", \"mount\", \"network\", \"pid\", \"uts\" ],\n"
      "    \"cgroup\": { \"systemd\": false, \"systemdUser\": false }\n"
      "  },\n"
      "  \"annotations\": { \"org.virtpod.version\": \"" PACKAGE_VERSION "\" }\n"
      "}\n";

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_print ("%s", document);
  return 0;
}

const VpCommand vp_cmd_features = {
  .name = "features",
  .summary = N_("Print what an OCI bundle may ask for"),
  .max_args = 0,
  .failure = VP_EXIT_FAILURE,
  .run = run,
};
