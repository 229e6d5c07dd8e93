/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-crun.h"
#include "agent-io.h"

typedef struct AgentContainer AgentContainer;

typedef enum
{
  AGENT_PROCESS_LAUNCHING, /* crun is working on it */
  AGENT_PROCESS_RUNNING,
  AGENT_PROCESS_EXITED,
} AgentProcessState;

/* One process of a container: its first, or one of ExecProcess. Kept after its end,
 * so that its status can be asked for again by a host that lost the answer. */
typedef struct
{
  Agent *agent;
  AgentContainer *container;
  AgentList link; /* in container->processes */
  char *exec_id;  /* "" for the first process */
  AgentProcessState state;
  pid_t pid;
  int status;     /* exit code, 128 + signal */
  uint64_t ended; /* a count, to tell the oldest */
  int was_waited; /* somebody got the status */
  int terminal;
  int is_ours; /* a part of the agent, not of the container */
  int tty;         /* pty master, for its size; -1 */
  AgentList waits; /* parked WaitProcessRequests */
  AgentInput input;
  AgentOutput output, error;
} AgentProcess;

typedef void (*AgentLaunchFunc) (AgentProcess *p, const char *error, VpGrpcCode code, void *data);

/* In state LAUNCHING; owned by @container's list. */
AgentProcess *agent_process_new (Agent *agent, AgentContainer *container, const char *exec_id, int terminal);
void agent_process_free (AgentProcess *p);

/* Runs crun with @args, which it completes by --pid-file, --console-socket and the
 * container's id, on pipes or a terminal. @func is called from the loop; on success the
 * process is RUNNING and its exit will be seen. 0, or -errno and @func is not called. */
int agent_process_launch (AgentProcess *p, const char *const *args, AgentLaunchFunc func, void *data);

/* Runs @child with @data in a child of the agent, on pipes, with none of the agent's
 * files open; what it returns is the process' exit code. 0 or -errno. */
int agent_process_fork (AgentProcess *p, int (*child) (void *data), void *data);

/* 0 or -errno; ok for a process that has ended */
int agent_process_signal (AgentProcess *p, int signal);
void agent_process_wait (AgentProcess *p, AgentCall *call);
/* 0 or -errno; -ENOTTY without a terminal */
int agent_process_resize (AgentProcess *p, unsigned rows, unsigned columns);
