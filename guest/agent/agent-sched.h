/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "agent-json.h"

/* What an OCI process document says of scheduling, which the OCI runtime does not
 * do: sets "scheduler" and "ioPriority" of @process (or none) for @pid, which has
 * one thread. 0, or -errno with *ret_what the member that could not be set. */
int agent_sched_apply (pid_t pid, VpJsonPiece process, const char **ret_what);
