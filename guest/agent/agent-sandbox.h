/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-container.h"

struct AgentSandbox
{
  Agent *agent;
  int exists; /* between CreateSandbox and DestroySandbox */
  char *id;
  char *ipc_ns; /* paths of the namespaces all containers share, NULL: none */
  char *uts_ns;
  char *mqueue; /* where the message queues of ipc_ns are mounted, NULL: nowhere */
  pid_t pause; /* holds the pid namespace they may share, 0: there is none */
  AgentList containers;
  unsigned n_containers;
  AgentList storages;
  int destroying;
  AgentList destroys; /* parked calls that wait for the end */
  /* agent-oom.c */
  int inotify;
  AgentWatch *inotify_watch;
  AgentList oom_waits;   /* parked GetOOMEventRequests */
  char *oom_pending[64]; /* ids nobody has asked for yet, oldest first */
  unsigned n_oom_pending;
};

/* NULL with errno */
AgentSandbox *agent_sandbox_new (Agent *agent);
void agent_sandbox_free (AgentSandbox *s);

/* The path of the sandbox' pid namespace (malloc'd), which is made when the first
 * container asks for it; NULL with errno. */
char *agent_sandbox_get_pid_ns (AgentSandbox *s);

AgentContainer *agent_sandbox_find (AgentSandbox *s, const char *id);
/* a container is gone: the sandbox may have waited for that */
void agent_sandbox_container_removed (AgentSandbox *s);

void agent_handle_create_sandbox (Agent *agent, AgentCall *call);
void agent_handle_destroy_sandbox (Agent *agent, AgentCall *call);
void agent_handle_update_ephemeral_mounts (Agent *agent, AgentCall *call);

int agent_oom_init (AgentSandbox *s);
void agent_oom_clear (AgentSandbox *s);
void agent_oom_watch (AgentSandbox *s, AgentContainer *c);
void agent_oom_unwatch (AgentSandbox *s, AgentContainer *c);
/* looks again, so that the event of a container's end comes before its end */
void agent_oom_check (AgentSandbox *s, AgentContainer *c);
void agent_handle_get_oom_event (Agent *agent, AgentCall *call);
