/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-loop.h"
#include "agent-reaper.h"

typedef struct AgentRpc AgentRpc;
typedef struct AgentSandbox AgentSandbox;

/* What everything in the agent shares; made once by main(). */
typedef struct
{
  AgentLoop *loop;
  AgentReaper *reaper;
  AgentRpc *rpc;
  AgentSandbox *sandbox;
  char *state_dir; /* the protocol's /run/kata-containers */
  char *run_dir;   /* the agent's own files, and below it crun's */
  int is_init;     /* process 1 of the guest: powers it off at the end */
} Agent;
