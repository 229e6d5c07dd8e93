/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes of a container: Exec, Start, Kill, ResizePty, CloseIO, Delete. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim-event.h"
#include "shim-op.h"
#include "shim-util.h"
#include "vp-names.h"

#define KILL 9
/* of a process whose start failed, as shells have it */
#define STATUS_NOT_FOUND 127
#define STATUS_NOT_EXECUTABLE 126
#define STATUS_FAILED 255

/* ---- Exec ------------------------------------------------------------------------ */

static void
on_exec (const ShimReply *reply, void *data)
{
  ShimOp *op = data;
  Event__TaskExecAdded event = EVENT__TASK_EXEC_ADDED__INIT;
  const char *path = reply->error == NULL ? vp_bus_message_get_string (reply->message, 0) : NULL;
  const ShimReply odd = { NULL, VP_ERROR_PREFIX "Failed", "virtpodd names no process" };

  if (path == NULL)
    {
      shim_process_remove (op->process);
      shim_op_finish (op, reply->error != NULL ? reply : &odd);
      return;
    }
  op->process->path = shim_strdup (path);
  event.container_id = op->process->task->id;
  event.exec_id = op->process->exec_id;
  shim_event_send ("/tasks/exec-added", "TaskExecAdded", &event);
  shim_op_finish (op, reply);
}

static void
on_streams (const char *why, void *data)
{
  ShimOp *op = data;
  ShimProcess *process = op->process;
  const Task__ExecProcessRequest *request = shim_call_request (op->call);
  const VpBusCall exec = { VP_BUS_NAME, process->task->path, VP_IFACE_CONTAINER, "ExecProcessSpec", "ss{", 0 };
  const VpBusOption options[] = { { "start", NULL, 0 },
                                  { "stdin-path", process->streams.in, 0 },
                                  { "stdout-path", process->streams.out, 0 },
                                  { process->terminal ? NULL : "stderr-path", process->streams.err, 0 },
                                  { NULL, NULL, 0 } };
  char *json;

  if (why != NULL)
    {
      shim_call_fail (op->call, VP_GRPC_INVALID_ARGUMENT, "standard streams: %s", why);
      shim_process_remove (process);
      shim_op_free (op);
      return;
    }
  json = shim_printf ("%.*s", (int) request->spec->value.len, (const char *) request->spec->value.data);
  shim_daemon_call (&exec, SHIM_ONCE, on_exec, op, process->exec_id, json, options);
  free (json);
}

void
shim_rpc_exec (ShimCall *call)
{
  const Task__ExecProcessRequest *request = shim_call_request (call);
  ShimProcess *init = shim_call_find (call, request->id, "");
  ShimProcess *process;

  if (init == NULL)
    return;
  if (!shim_id_is_valid (request->exec_id))
    shim_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "exec id: must be 1 to %d of A-Z a-z 0-9 _ . + -", VP_ID_MAX);
  else if (shim_process_find (init->task, request->exec_id) != NULL)
    shim_call_fail (call, VP_GRPC_ALREADY_EXISTS, "exec \"%s\": exists already", request->exec_id);
  else if (request->spec == NULL || memchr (request->spec->value.data, '\0', request->spec->value.len) != NULL)
    shim_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "spec: must be a process object as JSON");
  else
    {
      process = shim_process_new (init->task, request->exec_id);
      process->terminal = request->terminal;
      shim_process_open (process, request->stdin, request->stdout, request->stderr, on_streams,
                         shim_op_new (call, process));
    }
}

/* ---- Start ----------------------------------------------------------------------- */

static void
ignore (const ShimReply *reply, void *data)
{
  (void) reply;
  (void) data;
}

static void
resize (const ShimProcess *process, ShimReplyFunc func, void *data)
{
  const VpBusCall call = { VP_BUS_NAME, process->path, VP_IFACE_PROCESS, "ResizeTty", "qq", 0 };

  shim_daemon_call (&call, SHIM_AGAIN, func, data, (int) process->columns, (int) process->rows);
}

static void
close_stdin (const ShimProcess *process, ShimReplyFunc func, void *data)
{
  const VpBusCall call = { VP_BUS_NAME, process->path, VP_IFACE_PROCESS, "CloseStdin", "", 0 };

  shim_daemon_call (&call, SHIM_AGAIN, func, data);
}

static void
announce_start (const ShimProcess *self)
{
  Event__TaskStart start = EVENT__TASK_START__INIT;
  Event__TaskExecStarted exec = EVENT__TASK_EXEC_STARTED__INIT;

  start.container_id = exec.container_id = self->task->id;
  start.pid = exec.pid = self->pid;
  exec.exec_id = self->exec_id;
  if (*self->exec_id == '\0')
    shim_event_send ("/tasks/start", "TaskStart", &start);
  else
    shim_event_send ("/tasks/exec-started", "TaskExecStarted", &exec);
}

/* Nothing will ever run: those who wait for its end hear of it, and nobody else. */
static void
start_failed (ShimProcess *self, const char *error)
{
  self->exit_status = strcmp (error, VP_ERROR_PREFIX "CommandNotFound") == 0        ? STATUS_NOT_FOUND
                      : strcmp (error, VP_ERROR_PREFIX "CommandNotExecutable") == 0 ? STATUS_NOT_EXECUTABLE
                                                                                    : STATUS_FAILED;
  self->exited_at = shim_time ();
  self->status = TASK__STATUS__STOPPED;
  shim_streams_end (&self->streams);
  while (self->n_waiters > 0)
    shim_process_wait (self, self->waiters[--self->n_waiters]);
}

static void
on_start_undone (const ShimReply *reply, void *data)
{
  ShimOp *op = data;

  (void) reply;
  shim_op_free (op);
}

/* Clients read what an exec writes until it is closed, before they delete it: the
 * daemon must not keep the streams of one that never ran. */
static void
undo_start (ShimOp *op, const ShimReply *reply)
{
  const VpBusCall delete = { VP_BUS_NAME, op->process->path, VP_IFACE_PROCESS, "Delete", "", 0 };

  shim_call_fail_reply (op->call, "OCI runtime exec failed", reply);
  start_failed (op->process, reply->error);
  shim_daemon_call (&delete, SHIM_AGAIN, on_start_undone, op);
}

static void
on_started (const ShimReply *reply, void *data)
{
  ShimOp *op = data;
  ShimProcess *process = op->process;
  Task__StartResponse response = TASK__START_RESPONSE__INIT;

  process->starting = 0;
  if (reply->error != NULL)
    {
      if (*process->exec_id != '\0')
        {
          undo_start (op, reply);
          return;
        }
      shim_call_fail_reply (op->call, "OCI runtime start failed", reply);
      /* what became of the container the daemon will say, or has said */
      if (process->ended_early)
        shim_process_end (process, process->exit_status, process->exited_at);
      shim_op_free (op);
      return;
    }
  process->status = TASK__STATUS__RUNNING;
  if (*process->exec_id != '\0')
    process->pid = process->task->init->pid;
  announce_start (process);
  response.pid = process->pid;
  shim_call_reply (op->call, &response);
  if (process->columns > 0)
    resize (process, ignore, NULL);
  if (process->close_stdin)
    close_stdin (process, ignore, NULL);
  if (process->ended_early)
    shim_process_end (process, process->exit_status, process->exited_at);
  else if (*process->exec_id != '\0')
    shim_process_watch (process);
  shim_op_free (op);
}

void
shim_rpc_start (ShimCall *call)
{
  const Task__ProcessRequest *request = shim_call_request (call);
  ShimProcess *process = shim_call_find (call, request->id, request->exec_id);
  VpBusCall start = { VP_BUS_NAME, NULL, VP_IFACE_PROCESS, "Start", "", 0 };

  if (process == NULL)
    return;
  if (process->status != TASK__STATUS__CREATED || process->starting || process->path == NULL)
    {
      shim_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "cannot start what is %s",
                      process->status == TASK__STATUS__CREATED ? "being started" : "started already");
      return;
    }
  process->starting = 1;
  if (*process->exec_id == '\0')
    {
      start = (VpBusCall) { VP_BUS_NAME, process->task->path, VP_IFACE_CONTAINER, "Start", "{", 0 };
      shim_daemon_call (&start, SHIM_ONCE, on_started, shim_op_new (call, process), NULL);
      return;
    }
  start.path = process->path;
  shim_daemon_call (&start, SHIM_ONCE, on_started, shim_op_new (call, process));
}

/* ---- Kill ------------------------------------------------------------------------ */

/* "Not found" is what clients take for the end of a process. */
static void
on_killed (const ShimReply *reply, void *data)
{
  ShimOp *op = data;
  const ShimReply gone = { NULL, VP_ERROR_PREFIX "NotFound", "process already finished" };
  int is_gone = reply->error != NULL
                && (shim_daemon_is_gone (reply->error) || strcmp (reply->error, VP_ERROR_PREFIX "InvalidState") == 0);

  shim_op_finish (op, is_gone && !op->process->task->paused ? &gone : reply);
}

void
shim_rpc_kill (ShimCall *call)
{
  const Task__KillRequest *request = shim_call_request (call);
  ShimProcess *process = shim_call_find (call, request->id, request->exec_id);
  const VpBusOption all[] = { { "all", NULL, 1 }, { NULL, NULL, 0 } };
  VpBusCall kill = { VP_BUS_NAME, NULL, VP_IFACE_PROCESS, "Kill", "s", 0 };
  char signal[16];

  if (process == NULL)
    return;
  if (process->status == TASK__STATUS__STOPPED)
    {
      /* all processes of what has ended have ended */
      if (request->all)
        shim_call_reply (call, NULL);
      else
        shim_call_fail (call, VP_GRPC_NOT_FOUND, "process already finished");
      return;
    }
  if (*process->exec_id != '\0' && process->status == TASK__STATUS__CREATED)
    {
      shim_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "exec \"%s\": was not started", process->exec_id);
      return;
    }
  (void) snprintf (signal, sizeof signal, "%u", request->signal);
  if (*process->exec_id != '\0')
    {
      kill.path = process->path;
      shim_daemon_call (&kill, SHIM_AGAIN, on_killed, shim_op_new (call, process), signal);
      return;
    }
  kill = (VpBusCall) { VP_BUS_NAME, process->task->path, VP_IFACE_CONTAINER, "Kill", "s{", 0 };
  shim_daemon_call (&kill, SHIM_AGAIN, on_killed, shim_op_new (call, process), signal,
                    request->all && request->signal == KILL ? all : NULL);
}

/* ---- ResizePty, CloseIO ---------------------------------------------------------- */

void
shim_rpc_resize_pty (ShimCall *call)
{
  const Task__ResizePtyRequest *request = shim_call_request (call);
  ShimProcess *process = shim_call_find (call, request->id, request->exec_id);

  if (process == NULL)
    return;
  if (request->width > UINT16_MAX || request->height > UINT16_MAX)
    shim_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "size: at most %d", UINT16_MAX);
  else if (process->status == TASK__STATUS__STOPPED)
    shim_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "cannot resize a stopped container");
  else if (request->width == 0 || request->height == 0) /* of a terminal that has none */
    shim_call_reply (call, NULL);
  else
    {
      process->columns = request->width;
      process->rows = request->height;
      if (process->status == TASK__STATUS__RUNNING)
        resize (process, shim_op_finished, shim_op_new (call, process));
      else
        shim_call_reply (call, NULL);
    }
}

/* Of what has just ended there is nothing to close, which is no failure. */
static void
on_stdin_closed (const ShimReply *reply, void *data)
{
  static const ShimReply done = { NULL, NULL, NULL };
  int has_ended = reply->error != NULL
                  && (shim_daemon_is_gone (reply->error) || strcmp (reply->error, VP_ERROR_PREFIX "InvalidState") == 0);

  shim_op_finish (data, has_ended ? &done : reply);
}

void
shim_rpc_close_io (ShimCall *call)
{
  const Task__CloseIORequest *request = shim_call_request (call);
  ShimProcess *process = shim_call_find (call, request->id, request->exec_id);

  if (process == NULL)
    return;
  if (!request->stdin || process->status == TASK__STATUS__STOPPED)
    shim_call_reply (call, NULL);
  else if (process->status == TASK__STATUS__RUNNING)
    close_stdin (process, on_stdin_closed, shim_op_new (call, process));
  else
    {
      process->close_stdin = 1;
      shim_call_reply (call, NULL);
    }
}

/* ---- Delete ---------------------------------------------------------------------- */

static void
reply_deleted (ShimCall *call, const ShimProcess *process)
{
  Task__DeleteResponse response = TASK__DELETE_RESPONSE__INIT;
  Google__Protobuf__Timestamp exited_at;

  response.pid = process->pid;
  response.exit_status = process->exit_status;
  response.exited_at = shim_timestamp (&exited_at, process->exited_at);
  shim_call_reply (call, &response);
}

/* Nothing is left at the daemon: when its logger has written the rest, nothing is at all. */
static void
close_streams (ShimOp *op, ShimLoggerFunc func)
{
  if (op->process->deleting)
    {
      shim_call_fail (op->call, VP_GRPC_FAILED_PRECONDITION, "is being deleted");
      shim_op_free (op);
      return;
    }
  op->process->deleting = 1;
  shim_streams_close (&op->process->streams, func, op);
}

static void
on_exec_closed (const char *unused, void *data)
{
  ShimOp *op = data;

  (void) unused;
  reply_deleted (op->call, op->process);
  shim_process_remove (op->process);
  shim_op_free (op);
}

static void
on_exec_deleted (const ShimReply *reply, void *data)
{
  /* the daemon forgets ended ones by itself after a while */
  if (reply->error != NULL && !shim_daemon_is_gone (reply->error))
    shim_op_finish (data, reply);
  else
    close_streams (data, on_exec_closed);
}

static void
on_closed (const char *unused, void *data)
{
  ShimOp *op = data;
  ShimProcess *process = op->process;
  Event__TaskDelete event = EVENT__TASK_DELETE__INIT;
  Google__Protobuf__Timestamp exited_at;

  (void) unused;
  /* one that never ran ends here */
  if (process->status != TASK__STATUS__STOPPED)
    process->exited_at = shim_time ();
  event.container_id = process->task->id;
  event.pid = process->pid;
  event.exit_status = process->exit_status;
  event.exited_at = shim_timestamp (&exited_at, process->exited_at);
  shim_event_send ("/tasks/delete", "TaskDelete", &event);
  shim_task_remove (process->task);
  reply_deleted (op->call, process);
  shim_op_free (op);
}

static void
on_deleted (const ShimReply *reply, void *data)
{
  ShimOp *op = data;
  ShimTask *task = op->process->task;

  if (reply->error != NULL && !shim_daemon_is_gone (reply->error))
    shim_op_finish (op, reply);
  else if (task->removed)
    {
      shim_call_fail (op->call, VP_GRPC_NOT_FOUND, "container \"%s\": was deleted", task->id);
      shim_op_free (op);
    }
  else
    close_streams (op, on_closed);
}

void
shim_rpc_delete (ShimCall *call)
{
  const Task__ProcessRequest *request = shim_call_request (call);
  ShimProcess *process = shim_call_find (call, request->id, request->exec_id);
  const VpBusOption force[] = { { "force", NULL, 1 }, { NULL, NULL, 0 } };
  VpBusCall delete = { VP_BUS_NAME, NULL, VP_IFACE_PROCESS, "Delete", "", 0 };

  if (process == NULL)
    return;
  if (process->status == TASK__STATUS__RUNNING || process->starting || process->path == NULL)
    shim_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "cannot delete a running process");
  else if (process->deleting)
    shim_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "is being deleted");
  else if (*process->exec_id != '\0')
    {
      delete.path = process->path;
      shim_daemon_call (&delete, SHIM_AGAIN, on_exec_deleted, shim_op_new (call, process));
    }
  else
    {
      /* nothing of it runs: what is left of the machine need not be asked */
      delete = (VpBusCall) { VP_BUS_NAME, process->task->path, VP_IFACE_CONTAINER, "Delete", "{", 0 };
      shim_daemon_call (&delete, SHIM_AGAIN, on_deleted, shim_op_new (call, process), force);
    }
}
