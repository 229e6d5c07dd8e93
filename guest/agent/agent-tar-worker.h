/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-container.h"
#include "agent.pb-c.h"

/* The process VP_TAR_PROGRAM: a child of the agent that goes into the mount and user
 * namespaces of a container and below its root, takes the user of the request, gives up
 * every capability that the container's first process is not allowed to have, and then
 * reads or writes an archive there (agent-tar.h). It uses the memory and processor time
 * of the container, unless that is paused. It stays out of the container's pid
 * namespace: nothing in there can see it, signal it or trace it. */

/* Whether @process' arguments are what it takes; 0, or -1 and what is wrong. */
int agent_tar_worker_check (const Grpc__Process *process, const char **ret_error);
/* 0 or -errno */
int agent_tar_worker_start (AgentProcess *p, AgentContainer *c, const Grpc__Process *process);
