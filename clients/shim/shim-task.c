/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-task.h"

#include <stdlib.h>
#include <string.h>

#include "shim-event.h"
#include "shim-loop.h"
#include "shim-mount.h"
#include "shim-sandbox.h"
#include "shim-util.h"
#include "vp-names.h"

#define STATUS_GONE 137 /* of a process nobody knows any more: as if it had been killed */
#define NEVER (-62135596800) /* the first second of year 1 is what Go's clients take for no time */

static ShimTask *tasks;

/* ---- the table ------------------------------------------------------------------- */

ShimTask *
shim_task_find (const char *id)
{
  ShimTask *self = tasks;

  while (self != NULL && strcmp (self->id, id) != 0)
    self = self->next;
  return self;
}

int
shim_task_is_any (void)
{
  return tasks != NULL;
}

static void
task_unref (ShimTask *self)
{
  if (--self->refs > 0)
    return;
  free (self->id);
  free (self->bundle);
  free (self->path);
  free (self);
}

ShimTask *
shim_task_new (const char *id, const char *bundle)
{
  ShimTask *self = shim_alloc (sizeof *self);

  self->refs = 1;
  self->id = shim_strdup (id);
  self->bundle = shim_strdup (bundle);
  self->init = shim_process_new (self, "");
  self->next = tasks;
  tasks = self;
  return self;
}

char *
shim_task_rootfs (const ShimTask *self)
{
  return shim_printf ("%s/" VP_DIR_ROOTFS, self->bundle);
}

void
shim_task_remove (ShimTask *self)
{
  ShimTask **place = &tasks;
  char *rootfs;

  if (self->removed)
    return;
  rootfs = shim_task_rootfs (self);
  while (self->execs != NULL)
    shim_process_remove (self->execs);
  shim_process_remove (self->init);
  if (self->mounted && shim_unmount_all (rootfs) < 0)
    shim_log ("%s: cannot be unmounted", rootfs);
  free (rootfs);
  while (*place != self)
    place = &(*place)->next;
  *place = self->next;
  self->removed = 1;
  if (self->shut_down && tasks == NULL && !shim_sandbox_is_any ())
    shim_event_when_sent (shim_loop_quit);
  task_unref (self);
}

void
shim_task_end_all (void)
{
  ShimTask *next;

  for (ShimTask *self = tasks; self != NULL; self = next)
    {
      next = self->next;
      if (self->path == NULL)
        {
          self->shut_down = 1; /* its creation fails */
          continue;
        }
      while (self->execs != NULL)
        {
          shim_process_end (self->execs, STATUS_GONE, 0);
          shim_process_remove (self->execs);
        }
      shim_process_end (self->init, STATUS_GONE, 0);
      shim_task_remove (self);
    }
}

/* ---- processes ------------------------------------------------------------------- */

ShimProcess *
shim_process_new (ShimTask *task, const char *exec_id)
{
  ShimProcess *self = shim_alloc (sizeof *self);

  self->refs = 1;
  self->task = task;
  task->refs++;
  self->exec_id = shim_strdup (exec_id);
  self->in = shim_strdup ("");
  self->out = shim_strdup ("");
  self->err = shim_strdup ("");
  self->status = TASK__STATUS__CREATED;
  if (*exec_id != '\0')
    {
      self->next = task->execs;
      task->execs = self;
    }
  return self;
}

ShimProcess *
shim_process_find (ShimTask *task, const char *exec_id)
{
  ShimProcess *self = task->execs;

  if (*exec_id == '\0')
    return task->init;
  while (self != NULL && strcmp (self->exec_id, exec_id) != 0)
    self = self->next;
  return self;
}

ShimProcess *
shim_process_ref (ShimProcess *self)
{
  self->refs++;
  return self;
}

void
shim_process_unref (ShimProcess *self)
{
  if (--self->refs > 0)
    return;
  task_unref (self->task);
  free (self->exec_id);
  free (self->path);
  free (self->in);
  free (self->out);
  free (self->err);
  free (self->waiters);
  free (self);
}

void
shim_process_remove (ShimProcess *self)
{
  ShimProcess **place = &self->task->execs;

  if (self->removed)
    return;
  self->removed = 1;
  shim_streams_close (&self->streams, NULL, NULL);
  while (self->n_waiters > 0)
    shim_call_fail (self->waiters[--self->n_waiters], VP_GRPC_NOT_FOUND, "%s: was deleted", self->task->id);
  while (*place != NULL && *place != self)
    place = &(*place)->next;
  if (*place != NULL)
    *place = self->next;
  shim_process_unref (self);
}

void
shim_process_open (ShimProcess *self, const char *in, const char *out, const char *err, ShimLoggerFunc func, void *data)
{
  const char *const names[] = { in, out, err };
  char *suffix = shim_printf ("%s%s", *self->exec_id != '\0' ? "-" : "", self->exec_id);

  free (self->in);
  free (self->out);
  free (self->err);
  self->in = shim_strdup (in);
  self->out = shim_strdup (out);
  self->err = shim_strdup (err);
  /* the program is told the id of an exec, not that of its container: as runc's shim does */
  shim_streams_open (&self->streams, names, self->task->bundle, suffix,
                     *self->exec_id != '\0' ? self->exec_id : self->task->id, func, data);
  free (suffix);
}

Google__Protobuf__Timestamp *
shim_timestamp (Google__Protobuf__Timestamp *self, uint64_t usec)
{
  google__protobuf__timestamp__init (self);
  self->seconds = usec == 0 ? NEVER : (int64_t) (usec / 1000000);
  self->nanos = (int32_t) (usec % 1000000) * 1000;
  return self;
}

static void
answer_wait (const ShimProcess *self, ShimCall *call)
{
  Task__WaitResponse response = TASK__WAIT_RESPONSE__INIT;
  Google__Protobuf__Timestamp exited_at;

  response.exit_status = self->exit_status;
  response.exited_at = shim_timestamp (&exited_at, self->exited_at);
  shim_call_reply (call, &response);
}

void
shim_process_wait (ShimProcess *self, ShimCall *call)
{
  if (self->status == TASK__STATUS__STOPPED)
    {
      answer_wait (self, call);
      return;
    }
  shim_call_append (&self->waiters, &self->n_waiters, call);
}

void
shim_process_end (ShimProcess *self, uint32_t exit_status, uint64_t exited_at)
{
  Event__TaskExit event = EVENT__TASK_EXIT__INIT;
  Google__Protobuf__Timestamp timestamp;

  if (self->status == TASK__STATUS__STOPPED || self->removed)
    return;
  self->exit_status = exit_status;
  self->exited_at = exited_at != 0 ? exited_at : shim_time ();
  /* nobody may hear of the end before the start */
  if (self->starting)
    {
      self->ended_early = 1;
      return;
    }
  self->status = TASK__STATUS__STOPPED;
  shim_streams_end (&self->streams);
  event.container_id = self->task->id;
  event.id = *self->exec_id != '\0' ? self->exec_id : self->task->id;
  event.pid = self->pid;
  event.exit_status = exit_status;
  event.exited_at = shim_timestamp (&timestamp, self->exited_at);
  shim_event_send ("/tasks/exit", "TaskExit", &event);
  while (self->n_waiters > 0)
    answer_wait (self, self->waiters[--self->n_waiters]);
}

static void
on_wait_answer (const ShimReply *reply, void *data)
{
  ShimProcess *self = data;
  uint32_t status = STATUS_GONE;
  uint64_t time = 0;

  if (reply->error == NULL && strcmp (reply->message->signature, "ut") == 0)
    {
      VpBusReader in = vp_bus_reader_of (reply->message);

      (void) (vp_bus_reader_u32 (&in, &status) == 0 && vp_bus_reader_u64 (&in, &time) == 0);
    }
  shim_process_end (self, status, time);
  shim_process_unref (self);
}

void
shim_process_watch (ShimProcess *self)
{
  const VpBusCall call = { VP_BUS_NAME, self->path, VP_IFACE_PROCESS, "Wait", "", 0 };

  shim_daemon_call (&call, SHIM_PATIENT, on_wait_answer, shim_process_ref (self));
}

/* ---- calls ----------------------------------------------------------------------- */

ShimProcess *
shim_call_find (ShimCall *call, const char *id, const char *exec_id)
{
  ShimTask *task = shim_task_find (id);
  ShimProcess *process = task == NULL ? NULL : shim_process_find (task, exec_id);

  if (task == NULL || task->path == NULL)
    shim_call_fail (call, VP_GRPC_NOT_FOUND, "container \"%.128s\": not found", id);
  else if (process == NULL)
    shim_call_fail (call, VP_GRPC_NOT_FOUND, "exec \"%.128s\" of container \"%.128s\": not found", exec_id, id);
  else
    return process;
  return NULL;
}

void
shim_call_fail_reply (ShimCall *call, const char *what, const ShimReply *reply)
{
  static const struct
  {
    const char *name;
    VpGrpcCode code;
  } codes[] = {
    { VP_ERROR_PREFIX "NotFound", VP_GRPC_NOT_FOUND },
    { VP_ERROR_PREFIX "AlreadyExists", VP_GRPC_ALREADY_EXISTS },
    { VP_ERROR_PREFIX "InvalidArgument", VP_GRPC_INVALID_ARGUMENT },
    { VP_ERROR_PREFIX "InvalidState", VP_GRPC_FAILED_PRECONDITION },
    { VP_ERROR_PREFIX "NotSupported", VP_GRPC_UNIMPLEMENTED },
    { VP_ERROR_PREFIX "NotAuthorized", VP_GRPC_PERMISSION_DENIED },
    { VP_ERROR_PREFIX "Cancelled", VP_GRPC_CANCELLED },
    { VP_ERROR_PREFIX "TimedOut", VP_GRPC_DEADLINE_EXCEEDED },
    { VP_ERROR_PREFIX "ResourceExhausted", VP_GRPC_RESOURCE_EXHAUSTED },
    { VP_ERROR_PREFIX "HypervisorUnavailable", VP_GRPC_UNAVAILABLE },
    { "org.freedesktop.DBus.Error.ServiceUnknown", VP_GRPC_UNAVAILABLE },
    { "org.freedesktop.DBus.Error.NoReply", VP_GRPC_UNAVAILABLE },
    { "org.freedesktop.DBus.Error.Disconnected", VP_GRPC_UNAVAILABLE },
    { "org.freedesktop.DBus.Error.AccessDenied", VP_GRPC_PERMISSION_DENIED },
  };
  VpGrpcCode code = VP_GRPC_UNKNOWN;

  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    if (strcmp (codes[i].name, reply->error) == 0)
      code = codes[i].code;
  if (code == VP_GRPC_UNKNOWN && shim_daemon_is_gone (reply->error))
    code = VP_GRPC_NOT_FOUND;
  shim_call_fail (call, code, "%s%s%s", what, *what != '\0' ? ": " : "", reply->text);
}
