/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Create: the container of a bundle, in a virtual machine of its own or in that of its pod. */
#include "shim-task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim-event.h"
#include "shim-mount.h"
#include "shim-pod.h"
#include "shim-runtime.h"
#include "shim-sandbox.h"
#include "shim-util.h"
#include "vp-names.h"

typedef struct
{
  ShimCall *call;
  ShimTask *task;
  ShimRuntime runtime;
  char *sandbox; /* its object's path */
  char *error, *text; /* what it failed with, while what was made is taken away */
} Create;

static void
create_free (Create *self)
{
  shim_process_unref (self->task->init);
  shim_runtime_clear (&self->runtime);
  free (self->sandbox);
  free (self->error);
  free (self->text);
  free (self);
}

/* ---- failure --------------------------------------------------------------------- */

static void
fail (Create *self, const ShimReply *reply)
{
  shim_task_remove (self->task);
  shim_call_fail_reply (self->call, "OCI runtime create failed", reply);
  create_free (self);
}

static void
on_undone (const ShimReply *unused, void *data)
{
  Create *self = data;
  const ShimReply reply = { NULL, self->error, self->text };

  (void) unused;
  fail (self, &reply);
}

/* There is something to undo at the daemon. */
static void
undo (Create *self, const ShimReply *reply)
{
  static const VpBusOption force[] = { { "force", NULL, 1 }, { NULL, NULL, 0 } };
  const VpBusCall call = { VP_BUS_NAME, self->task->path, VP_IFACE_CONTAINER, "Delete", "{", 0 };

  self->error = shim_strdup (reply->error != NULL ? reply->error : VP_ERROR_PREFIX "Failed");
  self->text = shim_strdup (reply->error != NULL ? reply->text : "virtpodd answers what nobody asked");
  shim_daemon_call (&call, SHIM_AGAIN, on_undone, self, force);
}

/* ---- steps, the last first ------------------------------------------------------- */

static void
announce (const Create *self)
{
  const Task__CreateTaskRequest *request = shim_call_request (self->call);
  Event__TaskCreate event = EVENT__TASK_CREATE__INIT;
  Event__TaskIO io = EVENT__TASK_IO__INIT;

  io.stdin = request->stdin;
  io.stdout = request->stdout;
  io.stderr = request->stderr;
  io.terminal = request->terminal;
  event.container_id = request->id;
  event.bundle = request->bundle;
  event.n_rootfs = request->n_rootfs;
  event.rootfs = request->rootfs;
  event.io = &io;
  event.pid = self->task->init->pid;
  shim_event_send ("/tasks/create", "TaskCreate", &event);
}

/* The hypervisor's pid stands for the container, ours when it is not known: 0 means
 * to containerd's clients that there is no process. */
static void
on_pid (const ShimReply *reply, void *data)
{
  Create *self = data;
  ShimProcess *init = self->task->init;
  Task__CreateTaskResponse response = TASK__CREATE_TASK_RESPONSE__INIT;

  if (reply->error == NULL && strcmp (reply->message->signature, "v") == 0)
    {
      VpBusReader in = vp_bus_reader_of (reply->message);
      const char *signature = vp_bus_reader_signature (&in);

      if (signature != NULL && strcmp (signature, "u") == 0)
        (void) vp_bus_reader_u32 (&in, &init->pid);
    }
  if (init->pid == 0)
    init->pid = (uint32_t) getpid ();
  announce (self);
  response.pid = init->pid;
  shim_call_reply (self->call, &response);
  shim_process_watch (init);
  create_free (self);
}

static void
on_ready (const ShimReply *reply, void *data)
{
  static const VpBusCall template = { VP_BUS_NAME, NULL, "org.freedesktop.DBus.Properties", "Get", "ss", 0 };
  Create *self = data;
  VpBusCall call = template;

  /* what its annotations made it join runs already */
  if (reply->error != NULL && strcmp (reply->error, VP_ERROR_PREFIX "InvalidState") != 0)
    {
      undo (self, reply);
      return;
    }
  call.path = self->task->path;
  shim_daemon_call (&call, SHIM_AGAIN, on_pid, self, VP_IFACE_CONTAINER, "Pid");
}

static void
on_found (const ShimReply *reply, void *data)
{
  Create *self = data;
  const VpBusCall call = { VP_BUS_NAME, self->sandbox, VP_IFACE_SANDBOX, "Start", "{", 0 };
  const char *path = reply->error == NULL ? vp_bus_message_get_string (reply->message, 0) : NULL;
  const ShimReply odd = { NULL, VP_ERROR_PREFIX "Failed", "virtpodd does not know what it made" };

  if (path == NULL)
    {
      fail (self, reply->error != NULL ? reply : &odd);
      return;
    }
  self->task->path = shim_strdup (path);
  self->task->init->path = shim_printf ("%s/process/_", path);
  shim_daemon_watch (self->sandbox);
  shim_daemon_call (&call, SHIM_ONCE, on_ready, self, NULL);
}

/* In a sandbox that runs: nothing has to be started. */
static void
on_added (const ShimReply *reply, void *data)
{
  Create *self = data;
  const char *path = reply->error == NULL ? vp_bus_message_get_string (reply->message, 0) : NULL;
  const ShimReply odd = { NULL, VP_ERROR_PREFIX "Failed", "virtpodd names no container" };

  if (path == NULL)
    {
      fail (self, reply->error != NULL ? reply : &odd);
      return;
    }
  self->task->path = shim_strdup (path);
  self->task->init->path = shim_printf ("%s/process/_", path);
  on_ready (reply, self);
}

static void
on_made (const ShimReply *reply, void *data)
{
  static const VpBusCall call = { VP_BUS_NAME, VP_PATH_MANAGER, VP_IFACE_MANAGER, "GetContainer", "s", 0 };
  Create *self = data;
  const char *path = reply->error == NULL ? vp_bus_message_get_string (reply->message, 0) : NULL;
  const ShimReply odd = { NULL, VP_ERROR_PREFIX "Failed", "virtpodd names no sandbox" };

  if (path == NULL)
    {
      fail (self, reply->error != NULL ? reply : &odd);
      return;
    }
  self->sandbox = shim_strdup (path);
  shim_daemon_call (&call, SHIM_AGAIN, on_found, self, self->task->id);
}

/* ---- the call -------------------------------------------------------------------- */

static void
make (Create *self)
{
  static const VpBusCall call = { VP_BUS_NAME, VP_PATH_MANAGER, VP_IFACE_MANAGER, "CreateSandbox", "ss{", 1 };
  const VpBusCall add = { VP_BUS_NAME, shim_sandbox_get_path (), VP_IFACE_SANDBOX, "CreateContainer", "ss{", 0 };
  const ShimProcess *init = self->task->init;
  VpBusOption options[5] = { { "stdin-path", init->streams.in, 0 }, { "stdout-path", init->streams.out, 0 } };
  size_t n = 2;

  if (!init->terminal) /* which has one stream for both */
    options[n++] = (VpBusOption) { "stderr-path", init->streams.err, 0 };
  /* whatever its annotations say, or do not */
  if (add.path != NULL)
    {
      shim_daemon_call (&add, SHIM_ONCE, on_added, self, self->task->id, self->task->bundle, options);
      return;
    }
  if (self->runtime.handler != NULL)
    options[n++] = (VpBusOption) { "handler", self->runtime.handler, 0 };
  shim_daemon_call (&call, SHIM_ONCE, on_made, self, self->task->id, self->task->bundle, options);
}

static void
on_streams (const char *why, void *data)
{
  Create *self = data;

  if (why == NULL)
    {
      make (self);
      return;
    }
  shim_call_fail (self->call, VP_GRPC_INVALID_ARGUMENT, "standard streams: %s", why);
  shim_task_remove (self->task);
  create_free (self);
}

/* 0, or -1: the call has failed. */
static int
read_options (ShimCall *call, const Task__CreateTaskRequest *request, ShimRuntime *ret)
{
  const char *why = NULL;

  if (shim_runtime_parse (ret, request->options, &why) < 0)
    {
      shim_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "runtime options: %s", why);
      return -1;
    }
  if (ret->ignored != NULL)
    shim_log ("%s: runtime options without a meaning for virtual machines: %s", request->id, ret->ignored);
  return 0;
}

static int
mount_rootfs (ShimCall *call, ShimTask *task, const Task__CreateTaskRequest *request)
{
  char *rootfs = shim_task_rootfs (task);
  size_t what = 0;
  int error = shim_mount_all (request->rootfs, request->n_rootfs, rootfs, &what);

  if (error == 0)
    task->mounted = request->n_rootfs > 0;
  else
    shim_call_fail (call, VP_GRPC_INTERNAL, "rootfs[%zu] (%.64s) on %.1024s: %s", what, request->rootfs[what]->type,
                    rootfs, strerror (-error));
  free (rootfs);
  return error;
}

/* 0, or -1: the call has failed. */
static int
add_files (ShimCall *call, const Task__CreateTaskRequest *request)
{
  const char *files = shim_sandbox_get_files ();
  int error = files != NULL ? shim_pod_extend (request->bundle, files) : 0;

  if (error != 0)
    shim_call_fail (call, VP_GRPC_INTERNAL, VP_FILE_OCI_CONFIG " in %.1024s: %s", request->bundle, strerror (-error));
  return error;
}

/* Whether the request is one that can be honoured; if not, the call has failed. */
static int
check (ShimCall *call, const Task__CreateTaskRequest *request)
{
  if (!shim_id_is_valid (request->id))
    shim_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "id: must be 1 to %d of A-Z a-z 0-9 _ . + -", VP_ID_MAX);
  else if (*request->bundle != '/')
    shim_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "bundle: must be an absolute path");
  else if (*request->checkpoint != '\0')
    shim_call_fail (call, VP_GRPC_UNIMPLEMENTED, "checkpoint: virtual machines are not restored from one");
  else if (shim_task_find (request->id) != NULL)
    shim_call_fail (call, VP_GRPC_ALREADY_EXISTS, "container \"%s\": exists already", request->id);
  else if (shim_sandbox_is_any () && shim_sandbox_get_path () == NULL)
    shim_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "container \"%s\": its sandbox does not run", request->id);
  else
    return 1;
  return 0;
}

void
shim_rpc_create (ShimCall *call)
{
  const Task__CreateTaskRequest *request = shim_call_request (call);
  ShimRuntime runtime;
  ShimTask *task;
  Create *self;

  if (!check (call, request) || read_options (call, request, &runtime) < 0)
    return;
  task = shim_task_new (request->id, request->bundle);
  if (add_files (call, request) < 0 || mount_rootfs (call, task, request) < 0)
    {
      shim_task_remove (task);
      shim_runtime_clear (&runtime);
      return;
    }
  self = shim_alloc (sizeof *self);
  self->runtime = runtime;
  self->call = call;
  self->task = task;
  shim_process_ref (task->init);
  task->init->terminal = request->terminal;
  shim_process_open (task->init, request->stdin, request->stdout, request->stderr, on_streams, self);
}
