/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-process-rpc.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent-cgroup.h"
#include "agent-bundle.h"
#include "agent-connect-worker.h"
#include "agent-container.h"
#include "agent-tar-worker.h"
#include "agent.pb-c.h"
#include "vp-agent-names.h"

#define MAX_PROCESSES 1024
/* processes that ended and whose status somebody got, kept for a host that lost it */
#define MAX_KEPT 64

typedef struct
{
  AgentCall *call;
  char *file;
} Exec;

static AgentProcess *
find_exec (AgentContainer *c, const char *exec_id)
{
  agent_list_foreach (it, &c->processes)
  {
    AgentProcess *p = agent_container_of (it, AgentProcess, link);

    if (p != c->init && strcmp (p->exec_id, exec_id) == 0)
      return p;
  }
  return NULL;
}

static void
remove_process (AgentContainer *c, AgentProcess *p)
{
  c->n_processes--;
  agent_process_free (p);
}

static void
forget_oldest (AgentContainer *c)
{
  AgentProcess *oldest = NULL;
  unsigned n = 0;

  agent_list_foreach (it, &c->processes)
  {
    AgentProcess *p = agent_container_of (it, AgentProcess, link);

    if (p == c->init || p->state != AGENT_PROCESS_EXITED || !p->was_waited)
      continue;
    n++;
    if (oldest == NULL || p->ended < oldest->ended)
      oldest = p;
  }
  if (n > MAX_KEPT)
    remove_process (c, oldest);
}

static void
exec_done (AgentProcess *p, const char *error, VpGrpcCode code, void *data)
{
  Exec *e = data;
  AgentContainer *c = p->container;

  if (error == NULL)
    agent_call_reply (e->call, NULL);
  else
    {
      agent_call_fail (e->call, code, "process \"%s\" of container \"%s\": %s", p->exec_id, c->id, error);
      remove_process (c, p);
    }
  unlink (e->file);
  free (e->file);
  free (e);
  agent_container_release (c);
}

static void
start_exec (Agent *agent, AgentCall *call, AgentContainer *c)
{
  static unsigned counter;
  const Grpc__ExecProcessRequest *r = agent_call_request (call);
  const char *args[] = { "exec", "--detach", "--process", NULL, NULL };
  AgentProcess *p;
  char *json;
  size_t len;
  Exec *e;
  int rc;

  /* OCI wants one */
  if (r->process->cwd[0] == '\0')
    r->process->cwd = agent_strdup ("/");
  json = agent_bundle_process_json (r->process, c->extra, &len);
  if (json == NULL)
    {
      agent_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "process: has text that is not UTF-8");
      return;
    }
  p = agent_process_new (agent, c, r->exec_id, r->process->terminal);
  agent_list_append (&c->processes, &p->link);
  c->n_processes++;
  e = agent_new (Exec);
  e->call = call;
  e->file = agent_printf ("%s/process-%u.json", agent->run_dir, counter++);
  args[3] = e->file;
  rc = agent_write_file (e->file, json, len, 1);
  free (json);
  if (rc == 0)
    rc = agent_process_launch (p, args, exec_done, e);
  if (rc == 0)
    {
      c->n_busy++;
      return;
    }
  agent_call_fail (call, agent_code_from_errno (rc), "process \"%s\": cannot run crun: %s", r->exec_id,
                   strerror (-rc));
  unlink (e->file);
  free (e->file);
  free (e);
  remove_process (c, p);
}

/* ---- the agent's own programs: see vp-agent-names.h ---- */

typedef struct
{
  const char *name;
  int (*check) (const Grpc__Process *process, const char **ret_error);
  int (*start) (AgentProcess *p, AgentContainer *c, const Grpc__Process *process);
} OwnProgram;

static int
start_connect (AgentProcess *p, AgentContainer *c, const Grpc__Process *process)
{
  (void)c;
  return agent_connect_worker_start (p, process);
}

static const OwnProgram own_programs[] = {
  { VP_TAR_PROGRAM, agent_tar_worker_check, agent_tar_worker_start },
  { VP_CONNECT_PROGRAM, agent_connect_worker_check, start_connect },
};

/* NULL: a program of the container */
static const OwnProgram *
find_own (const Grpc__ExecProcessRequest *r)
{
  for (size_t i = 0; r->process != NULL && r->process->n_args > 0 && i < sizeof own_programs / sizeof own_programs[0]; i++)
    if (strcmp (r->process->args[0], own_programs[i].name) == 0)
      return &own_programs[i];
  return NULL;
}

static void
start_own (Agent *agent, AgentCall *call, AgentContainer *c, const OwnProgram *program)
{
  const Grpc__ExecProcessRequest *r = agent_call_request (call);
  AgentProcess *p;
  const char *why;
  int rc;

  if (r->process->terminal)
    {
      agent_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "process.terminal: %s is not for a terminal", program->name);
      return;
    }
  if (program->check (r->process, &why) < 0)
    {
      agent_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "process.%s", why);
      return;
    }
  p = agent_process_new (agent, c, r->exec_id, 0);
  agent_list_append (&c->processes, &p->link);
  c->n_processes++;
  rc = program->start (p, c, r->process);
  if (rc == 0)
    {
      agent_call_reply (call, NULL);
      return;
    }
  agent_call_fail (call, agent_code_from_errno (rc), "process \"%s\": cannot be started: %s", r->exec_id,
                   strerror (-rc));
  remove_process (c, p);
}

/* What there is of a container while it is paused is files, and the guest's network. */
static int
has_state_for (const AgentContainer *c, const OwnProgram *own)
{
  return c->state == AGENT_CONTAINER_RUNNING || c->state == AGENT_CONTAINER_CREATED
         || (own != NULL
             && (c->state == AGENT_CONTAINER_STARTING || c->state == AGENT_CONTAINER_PAUSING
                 || c->state == AGENT_CONTAINER_PAUSED));
}

void
agent_handle_exec_process (Agent *agent, AgentCall *call)
{
  const Grpc__ExecProcessRequest *r = agent_call_request (call);
  AgentContainer *c = agent_container_of_call (agent, call, r->container_id);
  const OwnProgram *own = find_own (r);
  AgentProcess *same;

  if (c == NULL)
    return;
  forget_oldest (c);
  same = find_exec (c, r->exec_id);
  if (same != NULL && same->state == AGENT_PROCESS_EXITED && same->was_waited)
    {
      remove_process (c, same);
      same = NULL;
    }
  if (!agent_id_is_valid (r->exec_id))
    agent_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "exec id \"%.160s\": is not valid", r->exec_id);
  else if (same != NULL || strcmp (r->exec_id, c->id) == 0)
    agent_call_fail (call, VP_GRPC_ALREADY_EXISTS, "process \"%s\": exists already", r->exec_id);
  else if (!has_state_for (c, own))
    agent_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "container \"%s\": is %s, not running", c->id,
                     agent_container_state_name (c));
  else if (c->n_processes >= MAX_PROCESSES)
    agent_call_fail (call, VP_GRPC_RESOURCE_EXHAUSTED, "container \"%s\": more than %d processes", c->id,
                     MAX_PROCESSES);
  else if (r->process == NULL || r->process->n_args == 0)
    agent_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "process.args: is missing");
  else if (own != NULL)
    start_own (agent, call, c, own);
  else
    start_exec (agent, call, c);
}

void
agent_handle_signal_process (Agent *agent, AgentCall *call)
{
  const Grpc__SignalProcessRequest *r = agent_call_request (call);
  AgentProcess *p = agent_process_of_call (agent, call, r->container_id, r->exec_id);
  int rc = 0;

  if (p == NULL)
    return;
  /* the protocol's way to say "all of them" */
  if (r->exec_id[0] == '\0' && r->signal == SIGKILL && p->container->cgroup != NULL)
    {
      rc = agent_cgroup_kill (p->container->cgroup);
      /* the group goes with its last process */
      rc = rc == -ENOENT || rc == -ENODEV ? 0 : rc;
    }
  else
    rc = r->signal <= 64 ? agent_process_signal (p, (int) r->signal) : -EINVAL;
  if (rc == 0)
    agent_call_reply (call, NULL);
  else if (rc == -EBUSY)
    agent_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "process \"%s\": is being started", p->exec_id);
  else
    agent_call_fail (call, agent_code_from_errno (rc), "signal %u: %s", r->signal, strerror (-rc));
}

void
agent_handle_wait_process (Agent *agent, AgentCall *call)
{
  const Grpc__WaitProcessRequest *r = agent_call_request (call);
  AgentProcess *p = agent_process_of_call (agent, call, r->container_id, r->exec_id);

  if (p != NULL)
    agent_process_wait (p, call);
}

void
agent_handle_write_stdin (Agent *agent, AgentCall *call)
{
  const Grpc__WriteStreamRequest *r = agent_call_request (call);
  AgentProcess *p = agent_process_of_call (agent, call, r->container_id, r->exec_id);

  if (p != NULL)
    agent_input_write (&p->input, call);
}

void
agent_handle_close_stdin (Agent *agent, AgentCall *call)
{
  const Grpc__CloseStdinRequest *r = agent_call_request (call);
  AgentProcess *p = agent_process_of_call (agent, call, r->container_id, r->exec_id);

  if (p == NULL)
    return;
  /* a terminal has no end: it is the same thing as its output */
  if (!p->terminal)
    agent_input_close (&p->input);
  agent_call_reply (call, NULL);
}

void
agent_handle_read_stdout (Agent *agent, AgentCall *call)
{
  const Grpc__ReadStreamRequest *r = agent_call_request (call);
  AgentProcess *p = agent_process_of_call (agent, call, r->container_id, r->exec_id);

  if (p != NULL)
    agent_output_read (&p->output, call);
}

void
agent_handle_read_stderr (Agent *agent, AgentCall *call)
{
  const Grpc__ReadStreamRequest *r = agent_call_request (call);
  AgentProcess *p = agent_process_of_call (agent, call, r->container_id, r->exec_id);

  if (p != NULL)
    agent_output_read (&p->error, call);
}

void
agent_handle_tty_win_resize (Agent *agent, AgentCall *call)
{
  const Grpc__TtyWinResizeRequest *r = agent_call_request (call);
  AgentProcess *p = agent_process_of_call (agent, call, r->container_id, r->exec_id);
  int rc;

  if (p == NULL)
    return;
  rc = agent_process_resize (p, r->row, r->column);
  if (rc == 0)
    agent_call_reply (call, NULL);
  else if (rc == -ENOTTY)
    agent_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "process \"%s\": has no terminal", p->exec_id);
  else
    agent_call_fail (call, agent_code_from_errno (rc), "size %u x %u: %s", r->row, r->column, strerror (-rc));
}
