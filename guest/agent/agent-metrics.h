/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-rpc.h"

/* The guest's load, memory, processors, disks and interfaces, and the agent itself, in
 * the text format of Prometheus; the names are those of the Kata agent. @proc is the
 * path of a file system like /proc; what it lacks is left out. malloc'd, at most
 * AGENT_METRICS_MAX bytes, never cut within a line. */
#define AGENT_METRICS_MAX (256u << 10)
char *agent_metrics_text (const char *proc);

void agent_handle_get_metrics (Agent *agent, AgentCall *call);
