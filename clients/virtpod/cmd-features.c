/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod features: what config.json may ask for, in the OCI runtime's own words. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"
#include "vp-oci-features.h"

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_print ("%s", VP_OCI_FEATURES);
  return 0;
}

const VpCommand vp_cmd_features = {
  .name = "features",
  .summary = N_("Print what an OCI bundle may ask for"),
  .max_args = 0,
  .failure = VP_EXIT_FAILURE,
  .run = run,
};
