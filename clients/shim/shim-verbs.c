/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls about a task as a whole: State, Wait, Pids, Connect, Pause, Resume, Update,
 * Checkpoint, Shutdown. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim-event.h"
#include "shim-loop.h"
#include "shim-op.h"
#include "shim-sandbox.h"
#include "shim-util.h"
#include "vp-names.h"

/* ---- answered from memory: what containerd asks when it lists must not depend on anybody */

void
shim_rpc_state (ShimCall *call)
{
  const Task__ProcessRequest *request = shim_call_request (call);
  ShimProcess *process = shim_call_find (call, request->id, request->exec_id);
  Task__StateResponse response = TASK__STATE_RESPONSE__INIT;
  Google__Protobuf__Timestamp exited_at;

  if (process == NULL)
    return;
  response.id = process->task->id;
  response.bundle = process->task->bundle;
  response.pid = process->pid;
  response.status = process->status == TASK__STATUS__RUNNING && process->task->paused ? TASK__STATUS__PAUSED
                                                                                      : process->status;
  response.stdin = process->in;
  response.stdout = process->out;
  response.stderr = process->err;
  response.terminal = process->terminal;
  response.exec_id = process->exec_id;
  if (process->status == TASK__STATUS__STOPPED)
    response.exit_status = process->exit_status;
  response.exited_at = shim_timestamp (&exited_at, process->status == TASK__STATUS__STOPPED ? process->exited_at : 0);
  shim_call_reply (call, &response);
}

void
shim_rpc_wait (ShimCall *call)
{
  const Task__ProcessRequest *request = shim_call_request (call);
  ShimProcess *process = shim_call_find (call, request->id, request->exec_id);

  if (process != NULL)
    shim_process_wait (process, call);
}

/* Processes of a guest have no pid on the host; the machine's stands for all. */
void
shim_rpc_pids (ShimCall *call)
{
  const Task__TaskRequest *request = shim_call_request (call);
  ShimProcess *process = shim_call_find (call, request->id, "");
  Task__PidsResponse response = TASK__PIDS_RESPONSE__INIT;
  Task__ProcessInfo info = TASK__PROCESS_INFO__INIT, *infos[] = { &info };

  if (process == NULL)
    return;
  info.pid = process->pid;
  response.n_processes = process->status == TASK__STATUS__STOPPED ? 0 : 1;
  response.processes = infos;
  shim_call_reply (call, &response);
}

void
shim_rpc_connect (ShimCall *call)
{
  static char version[] = PACKAGE_VERSION;
  const Task__TaskRequest *request = shim_call_request (call);
  ShimTask *task = shim_task_find (request->id);
  Task__ConnectResponse response = TASK__CONNECT_RESPONSE__INIT;

  response.shim_pid = (uint32_t) getpid ();
  response.task_pid = task != NULL ? task->init->pid : 0;
  response.version = version;
  shim_call_reply (call, &response);
}

void
shim_rpc_checkpoint (ShimCall *call)
{
  shim_call_fail (call, VP_GRPC_UNIMPLEMENTED, "checkpoint: a container in a virtual machine cannot be checkpointed");
}

/* ---- Pause, Resume --------------------------------------------------------------- */

static void
on_paused (const ShimReply *reply, void *data)
{
  ShimOp *op = data;
  Event__TaskOnly event = EVENT__TASK_ONLY__INIT;

  if (reply->error == NULL)
    {
      op->process->task->paused = 1;
      event.container_id = op->process->task->id;
      shim_event_send ("/tasks/paused", "TaskPaused", &event);
    }
  shim_op_finish (op, reply);
}

static void
on_resumed (const ShimReply *reply, void *data)
{
  ShimOp *op = data;
  Event__TaskOnly event = EVENT__TASK_ONLY__INIT;

  if (reply->error == NULL)
    {
      op->process->task->paused = 0;
      event.container_id = op->process->task->id;
      shim_event_send ("/tasks/resumed", "TaskResumed", &event);
    }
  shim_op_finish (op, reply);
}

static void
call_container (ShimCall *call, const char *member, ShimReplyFunc func)
{
  const Task__TaskRequest *request = shim_call_request (call);
  ShimProcess *process = shim_call_find (call, request->id, "");
  VpBusCall what = { VP_BUS_NAME, NULL, VP_IFACE_CONTAINER, member, "", 0 };

  if (process == NULL)
    return;
  what.path = process->task->path;
  shim_daemon_call (&what, SHIM_ONCE, func, shim_op_new (call, process));
}

void
shim_rpc_pause (ShimCall *call)
{
  call_container (call, "Pause", on_paused);
}

void
shim_rpc_resume (ShimCall *call)
{
  call_container (call, "Resume", on_resumed);
}

/* ---- Update ---------------------------------------------------------------------- */

void
shim_rpc_update (ShimCall *call)
{
  const Task__UpdateTaskRequest *request = shim_call_request (call);
  ShimProcess *process = shim_call_find (call, request->id, "");
  VpBusCall update = { VP_BUS_NAME, NULL, VP_IFACE_CONTAINER, "Update", "s", 0 };
  const Google__Protobuf__Any *resources;
  char *json;

  /* with the call that failed its request is gone */
  if (process == NULL)
    return;
  resources = request->resources;
  if (resources == NULL || memchr (resources->value.data, '\0', resources->value.len) != NULL)
    {
      shim_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "resources: must be a linux.resources object as JSON");
      return;
    }
  json = shim_printf ("%.*s", (int) resources->value.len, (const char *) resources->value.data);
  update.path = process->task->path;
  shim_daemon_call (&update, SHIM_AGAIN, shim_op_finished, shim_op_new (call, process), json);
  free (json);
}

/* ---- Shutdown -------------------------------------------------------------------- */

/* Each container of a pod is shut down; the last one ends the shim, unless the pod is
 * one that is shut down itself. */
void
shim_rpc_shutdown (ShimCall *call)
{
  const Task__TaskRequest *request = shim_call_request (call);
  ShimTask *task = shim_task_find (request->id);

  if (task != NULL && task->path == NULL)
    task->shut_down = 1;
  shim_call_reply (call, NULL);
  if (!shim_task_is_any () && !shim_sandbox_is_any ())
    shim_event_when_sent (shim_loop_quit);
}
