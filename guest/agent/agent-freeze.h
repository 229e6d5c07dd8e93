/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-loop.h"

/* The kernel is told that a control group is to be frozen and says so at once; its
 * processes stop one after the other, each when it next leaves the kernel. */
typedef struct AgentFreeze AgentFreeze;

/* @rc: 0 when all of it stands still, -ETIMEDOUT, or -errno of the group's files
 * (-ENODEV, -ENOENT: it is no more). The AgentFreeze is gone then. */
typedef void (*AgentFreezeFunc) (int rc, void *data);

/* Waits until @cgroup, a path, is frozen, @msec at most, and calls @func from the loop.
 * NULL with errno: it is not waited for, and @func is not called. */
AgentFreeze *agent_freeze_wait (AgentLoop *loop, const char *cgroup, uint64_t msec, AgentFreezeFunc func,
                                void *data);
/* lets @cgroup go on; 0 or -errno */
int agent_freeze_thaw (const char *cgroup);
