/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-process.h"

typedef enum
{
  AGENT_CONTAINER_CREATING,
  AGENT_CONTAINER_CREATED,
  AGENT_CONTAINER_STARTING,
  AGENT_CONTAINER_RUNNING,
  AGENT_CONTAINER_PAUSING,
  AGENT_CONTAINER_PAUSED,
  AGENT_CONTAINER_STOPPED,
  AGENT_CONTAINER_REMOVING,
} AgentContainerState;

struct AgentContainer
{
  Agent *agent;
  AgentList link; /* in the sandbox's list */
  char *id;
  char *bundle;
  char *extra; /* of its spec, see agent-bundle.h; NULL: nothing */
  AgentContainerState state;
  char *cgroup; /* NULL until created */
  AgentList processes;
  unsigned n_processes;
  AgentProcess *init;
  unsigned n_busy;     /* crun runs that name this container */
  char **mount_points; /* storages in use; NULL-terminated or NULL */
  AgentList removes;   /* parked calls that wait for its removal */
  int deleted;         /* crun has forgotten it */
  /* a CreateContainer that failed, to be answered when nothing is left of it */
  AgentCall *create_call;
  VpGrpcCode create_code;
  char *create_error;
  uint64_t remove_msec;
  int oom_watch; /* inotify descriptor, -1 */
  uint64_t oom_kills;
};

const char *agent_container_get_id (const AgentContainer *c);
const char *agent_container_state_name (const AgentContainer *c);

/* The container a call names, or NULL when the call was answered with what is wrong. */
AgentContainer *agent_container_of_call (Agent *agent, AgentCall *call, const char *id);
/* Same for a process; @exec_id "" or the container's id is its first one. */
AgentProcess *agent_process_of_call (Agent *agent, AgentCall *call, const char *id, const char *exec_id);

/* from agent-process.c: @p has just ended */
void agent_container_process_exited (AgentContainer *c, AgentProcess *p);
/* Kills what runs in it, deletes it and frees it, later; @call (or NULL) is answered then. */
void agent_container_remove (AgentContainer *c, AgentCall *call, uint64_t timeout_msec);
/* The same for a container whose creation failed; takes @error. */
void agent_container_undo (AgentContainer *c, AgentCall *call, VpGrpcCode code, char *error);
/* a crun run is over: a removal may have waited for that */
void agent_container_release (AgentContainer *c);

void agent_handle_create_container (Agent *agent, AgentCall *call);
void agent_handle_start_container (Agent *agent, AgentCall *call);
void agent_handle_remove_container (Agent *agent, AgentCall *call);
void agent_handle_pause_container (Agent *agent, AgentCall *call);
void agent_handle_resume_container (Agent *agent, AgentCall *call);
void agent_handle_update_container (Agent *agent, AgentCall *call);
