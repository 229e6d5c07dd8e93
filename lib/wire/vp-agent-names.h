/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the two ends of the channel agree on beyond Kata's protocol, within its
 * messages: an agent that does not know it answers that there is no such
 * program or no such log. */

/* ExecProcess with this as args[0] runs a part of the agent itself inside the
 * container's root: args[1] "create" or "extract", args[2] an absolute path
 * there, args[3…] options ("--no-overwrite", "--dereference"). A ustar or pax
 * stream comes out of stdout or goes into stdin; status 0 is success, 2 means
 * that the path is not there, 3 that the stream is no good, and stderr says why
 * in one line. */
#define VP_TAR_PROGRAM "virtpod:tar"

/* GetDiagnosticData with this log_type: the pids of the container's processes,
 * as the guest numbers them, one a line. */
#define VP_DIAGNOSTIC_PIDS "virtpod:pids"
