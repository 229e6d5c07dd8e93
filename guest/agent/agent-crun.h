/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-rpc.h"

/* crun, the OCI runtime, as a child that is not waited for. */

/* @error is NULL on success, else one line of what crun said; borrowed. @code is then
 * what that means for a caller of the protocol. */
typedef void (*AgentCrunFunc) (const char *error, VpGrpcCode code, void *data);

/* Runs crun with @args (NULL-terminated, behind the global options) and calls @func
 * from the loop when it has ended; after @timeout_msec (0: the default) it is killed.
 * @stdio are the descriptors of its and the container's streams, borrowed, -1 for
 * /dev/null. 0, or -errno and @func is not called. */
int agent_crun_run (Agent *agent, const char *const *args, const int stdio[3], uint64_t timeout_msec,
                    AgentCrunFunc func, void *data);
