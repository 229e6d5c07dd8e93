/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "agent-loop.h"

/* Every child of the agent, its own and those it adopts: container processes are
 * orphans of crun, which is gone by the time they run. */
typedef struct AgentReaper AgentReaper;
/* @status as from waitpid() */
typedef void (*AgentExitFunc) (pid_t pid, int status, void *data);

/* Blocks SIGCHLD and SIGPIPE's effect, becomes a subreaper. NULL with errno. */
AgentReaper *agent_reaper_new (AgentLoop *loop);
void agent_reaper_free (AgentReaper *r);

/* @func is called once when @pid is gone, from the loop and never from here. A
 * process adopted between agent_reaper_hold() and now may have ended already; its
 * status was kept. */
void agent_reaper_watch (AgentReaper *r, pid_t pid, AgentExitFunc func, void *data);
void agent_reaper_unwatch (AgentReaper *r, pid_t pid);

/* While held, exits of processes nobody watches are remembered: their parent is
 * about to tell their pid. Nests. */
void agent_reaper_hold (AgentReaper *r);
void agent_reaper_release (AgentReaper *r);
