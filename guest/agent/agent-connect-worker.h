/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-process.h"
#include "agent.pb-c.h"

/* The process VP_CONNECT_PROGRAM: a child of the agent that connects to a port of the
 * guest's loopback device and carries bytes between that and its pipes, each direction
 * to its own end. Containers share the guest's network, so it need not go into one; it
 * is a process of a container only so that it goes with it. When it is connected it is
 * nobody, without a capability. */

/* Whether @process' arguments are what it takes; 0, or -1 and what is wrong. */
int agent_connect_worker_check (const Grpc__Process *process, const char **ret_error);
/* 0 or -errno */
int agent_connect_worker_start (AgentProcess *p, const Grpc__Process *process);

/* What the child does, for tests: the status it exits with. */
int agent_connect_main (unsigned port, int in, int out, int err);
