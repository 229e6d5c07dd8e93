/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-container.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent-cgroup.h"
#include "agent-freeze.h"
#include "agent-log.h"
#include "agent-sandbox.h"
#include "agent-storage.h"
#include "agent.pb-c.h"
#include "vp-message-json.h"

/* of a command of crun, without the id */
#define MAX_WORDS 3
/* a process that the kernel does not let go of can be frozen when it does, not before */
#define FREEZE_MSEC 10000

/* one crun verb under way for a call */
typedef struct
{
  AgentContainer *container;
  AgentCall *call;
  AgentContainerState before;
  char *file; /* to be removed at the end, or NULL */
} Verb;

const char *
agent_container_get_id (const AgentContainer *c)
{
  return c->id;
}

const char *
agent_container_state_name (const AgentContainer *c)
{
  static const char *const names[]
      = { "being created", "created", "being started", "running", "being paused", "paused", "stopped", "being removed" };

  return names[c->state];
}

AgentContainer *
agent_container_of_call (Agent *agent, AgentCall *call, const char *id)
{
  AgentContainer *c = agent_id_is_valid (id) ? agent_sandbox_find (agent->sandbox, id) : NULL;

  if (c == NULL)
    agent_call_fail (call, VP_GRPC_NOT_FOUND, "container \"%.128s\": not found", id);
  return c;
}

AgentProcess *
agent_process_of_call (Agent *agent, AgentCall *call, const char *id, const char *exec_id)
{
  AgentContainer *c = agent_container_of_call (agent, call, id);

  if (c == NULL)
    return NULL;
  if (exec_id[0] == '\0' || strcmp (exec_id, c->id) == 0)
    return c->init;
  agent_list_foreach (it, &c->processes)
  {
    AgentProcess *p = agent_container_of (it, AgentProcess, link);

    if (strcmp (p->exec_id, exec_id) == 0)
      return p;
  }
  agent_call_fail (call, VP_GRPC_NOT_FOUND, "process \"%.128s\" of container \"%s\": not found", exec_id,
                   c->id);
  return NULL;
}

static void
container_free (AgentContainer *c)
{
  AgentSandbox *sandbox = c->agent->sandbox;
  AgentCall *call;
  int rc;

  agent_oom_unwatch (sandbox, c);
  while (!agent_list_is_empty (&c->processes))
    agent_process_free (agent_container_of (c->processes.next, AgentProcess, link));
  for (size_t i = 0; c->mount_points != NULL && c->mount_points[i] != NULL; i++)
    {
      agent_storage_drop (&sandbox->storages, c->mount_points[i]);
      free (c->mount_points[i]);
    }
  free (c->mount_points);
  rc = agent_remove_tree (c->bundle);
  if (rc < 0)
    agent_warning ("container %s: cannot remove its bundle: %s", c->id, strerror (-rc));
  agent_list_remove (&c->link);
  sandbox->n_containers--;
  if (c->create_call != NULL)
    agent_call_fail (c->create_call, c->create_code, "container \"%s\": %s", c->id, c->create_error);
  while ((call = agent_call_unpark (&c->removes)) != NULL)
    agent_call_reply (call, NULL);
  free (c->create_error);
  free (c->cgroup);
  free (c->bundle);
  free (c->extra);
  free (c->id);
  free (c);
  agent_sandbox_container_removed (sandbox);
}

static void
delete_done (const char *error, VpGrpcCode code, void *data)
{
  AgentContainer *c = data;
  AgentCall *call;

  c->n_busy--;
  if (error != NULL && code == VP_GRPC_DEADLINE_EXCEEDED)
    {
      /* still there: it can be tried again */
      while ((call = agent_call_unpark (&c->removes)) != NULL)
        agent_call_fail (call, code, "container \"%s\": %s", c->id, error);
      return;
    }
  if (error != NULL && c->create_call == NULL)
    agent_warning ("container %s: %s", c->id, error);
  c->deleted = 1;
  if (c->init->state != AGENT_PROCESS_RUNNING)
    {
      container_free (c);
      return;
    }
  /* whoever waits for it gets its status first */
  kill (c->init->pid, SIGKILL);
}

void
agent_container_process_exited (AgentContainer *c, AgentProcess *p)
{
  if (c->cgroup != NULL)
    agent_oom_check (c->agent->sandbox, c);
  if (p != c->init)
    return;
  if (c->deleted)
    container_free (c);
  else if (c->state != AGENT_CONTAINER_REMOVING)
    c->state = AGENT_CONTAINER_STOPPED;
}

/* The last run of crun for it. While another one is under way this waits. */
static void
delete_if_free (AgentContainer *c)
{
  static const int none[3] = { -1, -1, -1 };
  const char *args[] = { "delete", "--force", c->id, NULL };
  AgentCall *call;
  int rc;

  if (c->n_busy > 0)
    return;
  c->n_busy++;
  rc = agent_crun_run (c->agent, args, none, c->remove_msec, delete_done, c);
  if (rc == 0)
    return;
  c->n_busy--;
  while ((call = agent_call_unpark (&c->removes)) != NULL)
    agent_call_fail (call, agent_code_from_errno (rc), "container \"%s\": cannot run crun: %s", c->id,
                     strerror (-rc));
}

void
agent_container_release (AgentContainer *c)
{
  c->n_busy--;
  if (c->state == AGENT_CONTAINER_REMOVING)
    delete_if_free (c);
}

void
agent_container_remove (AgentContainer *c, AgentCall *call, uint64_t timeout_msec)
{
  int rc;

  if (call != NULL)
    agent_call_park (call, &c->removes);
  c->remove_msec = timeout_msec;
  c->state = AGENT_CONTAINER_REMOVING;
  if (c->cgroup != NULL)
    {
      rc = agent_cgroup_kill (c->cgroup);
      if (rc < 0 && rc != -ENOENT && rc != -ENODEV)
        agent_warning ("container %s: cannot kill its processes: %s", c->id, strerror (-rc));
    }
  /* which may be in no group of the container's */
  agent_list_foreach (it, &c->processes)
  {
    AgentProcess *p = agent_container_of (it, AgentProcess, link);

    if (p->is_ours)
      agent_process_signal (p, SIGKILL);
  }
  delete_if_free (c);
}

void
agent_container_undo (AgentContainer *c, AgentCall *call, VpGrpcCode code, char *error)
{
  c->create_call = call;
  c->create_code = code;
  c->create_error = error;
  agent_container_remove (c, NULL, 0);
}

void
agent_handle_remove_container (Agent *agent, AgentCall *call)
{
  const Grpc__RemoveContainerRequest *request = agent_call_request (call);
  AgentContainer *c = agent_container_of_call (agent, call, request->container_id);

  if (c != NULL)
    agent_container_remove (c, call, (uint64_t) request->timeout * 1000);
}

static void
verb_free (Verb *v)
{
  if (v->file != NULL)
    unlink (v->file);
  free (v->file);
  free (v);
}

/* Runs crun with @words and the id for @call, if the container is in state @from; meanwhile it is
 * in @during. 0 if it runs; otherwise the call has been answered. */
static int
run_verb (AgentContainer *c, AgentCall *call, AgentContainerState from, AgentContainerState during,
          const char *const *words, char *file, AgentCrunFunc func)
{
  static const int none[3] = { -1, -1, -1 };
  const char *args[MAX_WORDS + 2] = { NULL };
  Verb *v = agent_new (Verb);
  int rc;

  v->container = c;
  v->call = call;
  v->before = from;
  v->file = file;
  for (size_t i = 0; i < MAX_WORDS && words[i] != NULL; i++)
    {
      args[i] = words[i];
      args[i + 1] = c->id;
    }
  rc = agent_crun_run (c->agent, args, none, 0, func, v);
  if (rc < 0)
    {
      agent_call_fail (call, agent_code_from_errno (rc), "container \"%s\": cannot run crun: %s", c->id,
                       strerror (-rc));
      verb_free (v);
      return rc;
    }
  c->n_busy++;
  c->state = during;
  return 0;
}

static int
check_state (AgentContainer *c, AgentCall *call, AgentContainerState wanted, const char *what)
{
  if (c->state == wanted)
    return 1;
  agent_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "container \"%s\": is %s, cannot be %s", c->id,
                   agent_container_state_name (c), what);
  return 0;
}

/* @after is the state if all went well and the container has not ended meanwhile */
static void
finish_verb (Verb *v, const char *error, VpGrpcCode code, AgentContainerState during,
             AgentContainerState after)
{
  AgentContainer *c = v->container;

  if (c->state == during)
    c->state = error == NULL ? after : v->before;
  if (error == NULL)
    agent_call_reply (v->call, NULL);
  else
    agent_call_fail (v->call, code, "container \"%s\": %s", c->id, error);
  agent_container_release (c);
  verb_free (v);
}

static void
start_done (const char *error, VpGrpcCode code, void *data)
{
  finish_verb (data, error, code, AGENT_CONTAINER_STARTING, AGENT_CONTAINER_RUNNING);
}

static void
freeze_done (int rc, void *data)
{
  const AgentContainer *c = ((Verb *) data)->container;
  const char *error = NULL;
  int thawed;

  if (rc == -ENOENT || rc == -ENODEV)
    error = "it has ended meanwhile";
  else if (rc < 0)
    {
      error = rc == -ETIMEDOUT ? "a process in it cannot be stopped at this time" : strerror (-rc);
      thawed = agent_freeze_thaw (c->cgroup);
      if (thawed < 0 && thawed != -ENOENT)
        agent_warning ("container %s: half paused, cannot be resumed: %s", c->id, strerror (-thawed));
    }
  finish_verb (data, error, rc == -ETIMEDOUT ? VP_GRPC_DEADLINE_EXCEEDED : VP_GRPC_FAILED_PRECONDITION,
               AGENT_CONTAINER_PAUSING, AGENT_CONTAINER_PAUSED);
}

/* crun has told the kernel and is done; who asked for a pause wants to see it */
static void
pause_done (const char *error, VpGrpcCode code, void *data)
{
  const AgentContainer *c = ((Verb *) data)->container;

  if (error != NULL || c->cgroup == NULL)
    finish_verb (data, error, code, AGENT_CONTAINER_PAUSING, AGENT_CONTAINER_PAUSED);
  else if (agent_freeze_wait (c->agent->loop, c->cgroup, FREEZE_MSEC, freeze_done, data) == NULL)
    freeze_done (-errno, data);
}

static void
resume_done (const char *error, VpGrpcCode code, void *data)
{
  finish_verb (data, error, code, AGENT_CONTAINER_PAUSED, AGENT_CONTAINER_RUNNING);
}

static void
update_done (const char *error, VpGrpcCode code, void *data)
{
  AgentContainerState state = ((Verb *) data)->container->state;

  finish_verb (data, error, code, state, state);
}

void
agent_handle_start_container (Agent *agent, AgentCall *call)
{
  static const char *const words[] = { "start", NULL };
  const Grpc__StartContainerRequest *request = agent_call_request (call);
  AgentContainer *c = agent_container_of_call (agent, call, request->container_id);

  if (c != NULL && check_state (c, call, AGENT_CONTAINER_CREATED, "started"))
    run_verb (c, call, AGENT_CONTAINER_CREATED, AGENT_CONTAINER_STARTING, words, NULL, start_done);
}

void
agent_handle_pause_container (Agent *agent, AgentCall *call)
{
  static const char *const words[] = { "pause", NULL };
  const Grpc__PauseContainerRequest *request = agent_call_request (call);
  AgentContainer *c = agent_container_of_call (agent, call, request->container_id);

  if (c != NULL && check_state (c, call, AGENT_CONTAINER_RUNNING, "paused"))
    run_verb (c, call, AGENT_CONTAINER_RUNNING, AGENT_CONTAINER_PAUSING, words, NULL, pause_done);
}

void
agent_handle_resume_container (Agent *agent, AgentCall *call)
{
  static const char *const words[] = { "resume", NULL };
  const Grpc__ResumeContainerRequest *request = agent_call_request (call);
  AgentContainer *c = agent_container_of_call (agent, call, request->container_id);

  if (c != NULL && check_state (c, call, AGENT_CONTAINER_PAUSED, "resumed"))
    run_verb (c, call, AGENT_CONTAINER_PAUSED, AGENT_CONTAINER_PAUSED, words, NULL, resume_done);
}

void
agent_handle_update_container (Agent *agent, AgentCall *call)
{
  static unsigned counter;
  const Grpc__UpdateContainerRequest *request = agent_call_request (call);
  AgentContainer *c = agent_container_of_call (agent, call, request->container_id);
  const char *words[] = { "update", "--resources", NULL, NULL };
  char *json, *file;
  size_t len;

  if (c == NULL)
    return;
  if (c->state != AGENT_CONTAINER_CREATED && !check_state (c, call, AGENT_CONTAINER_RUNNING, "updated"))
    return;
  json = request->resources != NULL
             ? vp_message_to_json (&request->resources->base, VP_MESSAGE_JSON_OCI, &len)
             : NULL;
  if (json == NULL)
    {
      agent_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "resources: missing or malformed");
      return;
    }
  file = agent_printf ("%s/resources-%u.json", agent->run_dir, counter++);
  words[2] = file;
  agent_write_file (file, json, len, 1);
  free (json);
  run_verb (c, call, c->state, c->state, words, file, update_done);
}
