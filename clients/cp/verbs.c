/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verb of virtpod-cp. */
#include "config.h"

#include "vp-command.h"

const VpCommand *const vp_verbs[] = { &vp_cmd_cp, NULL };
