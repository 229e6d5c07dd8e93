/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs of virtpod. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"

static const VpCommand cp = {
  .name = "cp",
  .summary = VP_CP_SUMMARY,
  .program = "virtpod-cp",
};

/* in the order of help and virtpod(1): to run, to look, to change, to end, about the host */
const VpCommand *const vp_verbs[] = {
  &vp_cmd_run,
  &vp_cmd_create,
  &vp_cmd_start,
  &vp_cmd_exec,
  &vp_cmd_attach,
  &cp,
  &vp_cmd_list,
  &vp_cmd_ps,
  &vp_cmd_stats,
  &vp_cmd_wait,
  &vp_cmd_logs,
  &vp_cmd_console,
  &vp_cmd_events,
  &vp_cmd_network,
  &vp_cmd_port_forward,
  &vp_cmd_state,
  &vp_cmd_inspect,
  &vp_cmd_kill,
  &vp_cmd_pause,
  &vp_cmd_resume,
  &vp_cmd_update,
  &vp_cmd_stop,
  &vp_cmd_delete,
  &vp_cmd_prune,
  &vp_cmd_xml,
  &vp_cmd_explain,
  &vp_cmd_config,
  &vp_cmd_k8s,
  &vp_cmd_check,
  &vp_cmd_features,
  &vp_cmd_spec,
  &vp_cmd_version,
  NULL,
};
