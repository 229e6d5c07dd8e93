/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of the sandbox: Create, Start, Stop, Shutdown. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim-event.h"
#include "shim-loop.h"
#include "shim-mount.h"
#include "shim-pod.h"
#include "shim-runtime.h"
#include "shim-sandbox-private.h"
#include "shim-util.h"
#include "vp-names.h"

#define STATUS_FAILED 255 /* of a start */

static const Google__Protobuf__Any *runtime_options;

static void shut_down (ShimSandbox *self, ShimCall *call);

/* A call of containerd's that waits for the daemon. */
typedef struct
{
  ShimCall *call;
  ShimSandbox *sandbox; /* referenced */
  char *container; /* path of its own container's object */
} Op;

void
shim_sandbox_init (const Google__Protobuf__Any *options)
{
  runtime_options = options;
}

static Op *
op_new (ShimCall *call, ShimSandbox *sandbox)
{
  Op *self = shim_alloc (sizeof *self);

  self->call = call;
  self->sandbox = shim_sandbox_ref (sandbox);
  return self;
}

static void
op_free (Op *self)
{
  shim_sandbox_unref (self->sandbox);
  free (self->container);
  free (self);
}

/* ---- Create ---------------------------------------------------------------------- */

static void
unmount (const ShimSandbox *self)
{
  char *rootfs = shim_printf ("%s/" VP_DIR_ROOTFS, self->bundle);

  if (self->mounted && shim_unmount_all (rootfs) < 0)
    shim_log ("%s: cannot be unmounted", rootfs);
  free (rootfs);
}

/* There is none any more. */
static void
forget (ShimSandbox *self)
{
  unmount (self);
  while (self->n_waiters > 0)
    shim_call_fail (self->waiters[--self->n_waiters], VP_GRPC_NOT_FOUND, "sandbox \"%s\": was deleted", self->id);
  shim_sandbox = NULL;
  shim_sandbox_unref (self);
}

static void
on_made (const ShimReply *reply, void *data)
{
  Op *op = data;
  ShimSandbox *self = op->sandbox;
  const char *path = reply->error == NULL ? vp_bus_message_get_string (reply->message, 0) : NULL;
  const ShimReply odd = { NULL, VP_ERROR_PREFIX "Failed", "virtpodd names no sandbox" };
  ShimCall *shutdown = self->shutdown;

  self->shutdown = NULL;
  if (path == NULL)
    {
      shim_call_fail_reply (op->call, "", reply->error != NULL ? reply : &odd);
      forget (self);
      if (shutdown != NULL)
        shut_down (NULL, shutdown);
      op_free (op);
      return;
    }
  self->path = shim_strdup (path);
  self->state = SHIM_SANDBOX_CREATED;
  self->created_at = shim_time ();
  shim_daemon_watch (path);
  shim_call_reply (op->call, NULL);
  if (shutdown != NULL)
    shut_down (self, shutdown);
  op_free (op);
}

/* 0, or -1: the call has failed. */
static int
mount_rootfs (ShimSandbox *self, ShimCall *call, const Sandbox__CreateRequest *request)
{
  char *rootfs = shim_printf ("%s/" VP_DIR_ROOTFS, self->bundle);
  size_t what = 0;
  int error = shim_mount_all (request->rootfs, request->n_rootfs, rootfs, &what);

  if (error == 0)
    self->mounted = request->n_rootfs > 0;
  else
    shim_call_fail (call, VP_GRPC_INTERNAL, "rootfs[%zu] (%.64s) on %.1024s: %s", what, request->rootfs[what]->type,
                    rootfs, strerror (-error));
  free (rootfs);
  return error;
}

/* The same. What a client has put there himself is taken as it is. */
static int
make_bundle (ShimSandbox *self, ShimCall *call, const Sandbox__CreateRequest *request)
{
  const char *what = NULL, *why;
  Pod__Config *config;
  int error;

  if (shim_pod_is_complete (request->bundle_path))
    return 0;
  config = shim_pod_read (request->options, &why);
  if (why != NULL)
    {
      shim_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "options: %s", why);
      return -1;
    }
  error = shim_pod_write (request, config, &what);
  if (config != NULL)
    pod__config__free_unpacked (config, NULL);
  if (error != 0)
    shim_call_fail (call, VP_GRPC_INTERNAL, "%s in %.1024s: %s", what, self->bundle, strerror (-error));
  self->has_files = error == 0;
  return error;
}

/* Whether the request is one that can be honoured; if not, the call has failed. */
static int
check (ShimCall *call, const Sandbox__CreateRequest *request)
{
  if (!shim_id_is_valid (request->sandbox_id))
    shim_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "sandbox_id: must be 1 to %d of A-Z a-z 0-9 _ . + -", VP_ID_MAX);
  else if (*request->bundle_path != '/')
    shim_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "bundle_path: must be an absolute path");
  else if (shim_sandbox != NULL && strcmp (shim_sandbox->id, request->sandbox_id) == 0)
    shim_call_fail (call, VP_GRPC_ALREADY_EXISTS, "sandbox \"%s\": exists already", request->sandbox_id);
  else if (shim_sandbox != NULL || shim_task_is_any ())
    shim_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "sandbox \"%s\": this shim has another", request->sandbox_id);
  else
    return 1;
  return 0;
}

void
shim_rpc_sandbox_create (ShimCall *call)
{
  static const VpBusCall make = { VP_BUS_NAME, VP_PATH_MANAGER, VP_IFACE_MANAGER, "CreateSandbox", "ss{", 1 };
  const Sandbox__CreateRequest *request = shim_call_request (call);
  VpBusOption options[2] = { { NULL, NULL, 0 }, { NULL, NULL, 0 } };
  const char *why = NULL;
  ShimRuntime runtime;
  ShimSandbox *self;

  if (!check (call, request))
    return;
  if (shim_runtime_parse (&runtime, runtime_options, &why) < 0)
    {
      shim_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "runtime options: %s", why);
      return;
    }
  if (runtime.ignored != NULL)
    shim_log ("%s: runtime options without a meaning for virtual machines: %s", request->sandbox_id, runtime.ignored);
  shim_sandbox = self = shim_alloc (sizeof *self);
  self->refs = 1;
  self->id = shim_strdup (request->sandbox_id);
  self->bundle = shim_strdup (request->bundle_path);
  if (mount_rootfs (self, call, request) < 0 || make_bundle (self, call, request) < 0)
    forget (self);
  else
    {
      if (runtime.handler != NULL)
        options[0] = (VpBusOption) { "handler", runtime.handler, 0 };
      shim_daemon_call (&make, SHIM_ONCE, on_made, op_new (call, self), self->id, self->bundle, options);
    }
  shim_runtime_clear (&runtime);
}

/* ---- Start: the steps, the last first -------------------------------------------- */

static void
on_ended (const ShimReply *reply, void *data)
{
  ShimSandbox *self = data;

  shim_sandbox_end_by (self, reply);
  shim_sandbox_unref (self);
}

/* It may have been stopped, and be gone, meanwhile. */
static int
is_starting (Op *op, const ShimReply *reply)
{
  if (reply->error == NULL && op->sandbox->state == SHIM_SANDBOX_STARTING)
    return 1;
  if (reply->error != NULL)
    shim_call_fail_reply (op->call, "", reply);
  else
    shim_call_fail (op->call, VP_GRPC_CANCELLED, "sandbox \"%s\": was stopped", op->sandbox->id);
  shim_sandbox_end (op->sandbox, STATUS_FAILED, 0);
  op_free (op);
  return 0;
}

/* What it was made of: containerd's plugins read there what a pod is. */
static void
reply_started (ShimCall *call, const ShimSandbox *self)
{
  static char type_url[] = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
  char *path = shim_printf ("%s/" VP_FILE_OCI_CONFIG, self->bundle), *json = NULL;
  Sandbox__StartResponse response = SANDBOX__START_RESPONSE__INIT;
  Google__Protobuf__Timestamp created_at;
  Google__Protobuf__Any spec = GOOGLE__PROTOBUF__ANY__INIT;
  size_t len = 0;

  response.pid = self->pid;
  response.created_at = shim_timestamp (&created_at, self->created_at);
  if (shim_read_file (path, VP_JSON_MAX_BYTES, &json, &len) == 0)
    {
      spec.type_url = type_url;
      spec.value.data = (uint8_t *) json;
      spec.value.len = len;
      response.spec = &spec;
    }
  shim_call_reply (call, &response);
  free (json);
  free (path);
}

static void
on_own_started (const ShimReply *reply, void *data)
{
  Op *op = data;
  ShimSandbox *self = op->sandbox;
  const VpBusCall wait = { VP_BUS_NAME, self->path, VP_IFACE_SANDBOX, "Wait", "", 0 };

  if (!is_starting (op, reply))
    return;
  self->state = SHIM_SANDBOX_READY;
  reply_started (op->call, self);
  shim_daemon_call (&wait, SHIM_PATIENT, on_ended, shim_sandbox_ref (self));
  op_free (op);
}

/* The hypervisor's pid stands for the sandbox, ours when it is not known. */
static void
on_pid (const ShimReply *reply, void *data)
{
  Op *op = data;
  const VpBusCall start = { VP_BUS_NAME, op->container, VP_IFACE_CONTAINER, "Start", "{", 0 };

  if (!is_starting (op, reply))
    return;
  if (strcmp (reply->message->signature, "v") == 0)
    {
      VpBusReader in = vp_bus_reader_of (reply->message);
      const char *signature = vp_bus_reader_signature (&in);

      if (signature != NULL && strcmp (signature, "u") == 0)
        (void) vp_bus_reader_u32 (&in, &op->sandbox->pid);
    }
  if (op->sandbox->pid == 0)
    op->sandbox->pid = (uint32_t) getpid ();
  shim_daemon_call (&start, SHIM_ONCE, on_own_started, op, NULL);
}

static void
on_found (const ShimReply *reply, void *data)
{
  static const VpBusCall get = { VP_BUS_NAME, NULL, "org.freedesktop.DBus.Properties", "Get", "ss", 0 };
  Op *op = data;
  VpBusCall call = get;
  const char *path = reply->error == NULL ? vp_bus_message_get_string (reply->message, 0) : NULL;
  const ShimReply odd = { NULL, VP_ERROR_PREFIX "Failed", "virtpodd does not know what it made" };

  if (!is_starting (op, reply->error == NULL && path == NULL ? &odd : reply))
    return;
  op->container = shim_strdup (path);
  call.path = op->sandbox->path;
  shim_daemon_call (&call, SHIM_AGAIN, on_pid, op, VP_IFACE_SANDBOX, "HypervisorPid");
}

static void
on_started (const ShimReply *reply, void *data)
{
  static const VpBusCall find = { VP_BUS_NAME, VP_PATH_MANAGER, VP_IFACE_MANAGER, "GetContainer", "s", 0 };
  Op *op = data;

  if (is_starting (op, reply))
    shim_daemon_call (&find, SHIM_AGAIN, on_found, op, op->sandbox->id);
}

void
shim_rpc_sandbox_start (ShimCall *call)
{
  const Sandbox__SandboxRequest *request = shim_call_request (call);
  ShimSandbox *self = shim_sandbox_find (call, request->sandbox_id);
  VpBusCall start = { VP_BUS_NAME, NULL, VP_IFACE_SANDBOX, "Start", "{", 0 };

  if (self == NULL)
    return;
  if (self->state != SHIM_SANDBOX_CREATED)
    {
      shim_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "sandbox \"%s\": %s", self->id,
                      self->state == SHIM_SANDBOX_CREATING ? "is being created" : "was started already");
      return;
    }
  self->state = SHIM_SANDBOX_STARTING;
  start.path = self->path;
  shim_daemon_call (&start, SHIM_ONCE, on_started, op_new (call, self), NULL);
}

/* ---- Stop ------------------------------------------------------------------------ */

static void
on_stop_ended (const ShimReply *reply, void *data)
{
  Op *op = data;

  shim_sandbox_end_by (op->sandbox, reply);
  shim_call_reply (op->call, NULL);
  op_free (op);
}

/* Whoever is answered finds it ended, with the status that it ended with. */
static void
on_stopped (const ShimReply *reply, void *data)
{
  Op *op = data;
  const VpBusCall wait = { VP_BUS_NAME, op->sandbox->path, VP_IFACE_SANDBOX, "Wait", "", 0 };

  if (reply->error != NULL && !shim_daemon_is_gone (reply->error))
    {
      shim_call_fail_reply (op->call, "", reply);
      op_free (op);
      return;
    }
  shim_daemon_call (&wait, SHIM_AGAIN, on_stop_ended, op);
}

void
shim_rpc_sandbox_stop (ShimCall *call)
{
  const Sandbox__StopRequest *request = shim_call_request (call);
  ShimSandbox *self = shim_sandbox_find (call, request->sandbox_id);
  VpBusCall stop = { VP_BUS_NAME, NULL, VP_IFACE_SANDBOX, "Stop", "t{", 0 };

  if (self == NULL)
    return;
  if (self->state == SHIM_SANDBOX_CREATING)
    shim_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "sandbox \"%s\": is being created", self->id);
  else if (self->state == SHIM_SANDBOX_STOPPED)
    shim_call_reply (call, NULL);
  else
    {
      stop.path = self->path;
      shim_daemon_call (&stop, SHIM_AGAIN, on_stopped, op_new (call, self),
                        (uint64_t) request->timeout_secs * 1000000, NULL);
    }
}

/* ---- Shutdown -------------------------------------------------------------------- */

static void
on_deleted (const ShimReply *reply, void *data)
{
  Op *op = data;

  if (reply->error != NULL && !shim_daemon_is_gone (reply->error))
    shim_call_fail_reply (op->call, "", reply);
  else
    {
      /* one that has not run has not failed */
      shim_sandbox_end (op->sandbox, op->sandbox->state == SHIM_SANDBOX_READY ? SHIM_SANDBOX_GONE : 0, 0);
      if (shim_sandbox == op->sandbox)
        forget (op->sandbox);
      /* containers that nobody has deleted went with it */
      shim_task_end_all ();
      shim_call_reply (op->call, NULL);
      shim_event_when_sent (shim_loop_quit);
    }
  op_free (op);
}

/* @self NULL: there is nothing to delete. */
static void
shut_down (ShimSandbox *self, ShimCall *call)
{
  static const VpBusOption force[] = { { "force", NULL, 1 }, { NULL, NULL, 0 } };
  VpBusCall delete = { VP_BUS_NAME, NULL, VP_IFACE_SANDBOX, "Delete", "{", 0 };

  if (self == NULL)
    {
      shim_call_reply (call, NULL);
      shim_event_when_sent (shim_loop_quit);
      return;
    }
  delete.path = self->path;
  shim_daemon_call (&delete, SHIM_AGAIN, on_deleted, op_new (call, self), force);
}

/* Also of one that could not be made: containerd leaves the shim to us then. */
void
shim_rpc_sandbox_shutdown (ShimCall *call)
{
  const Sandbox__SandboxRequest *request = shim_call_request (call);

  if (shim_sandbox == NULL && !shim_task_is_any ())
    shut_down (NULL, call);
  else if (shim_sandbox_find (call, request->sandbox_id) == NULL)
    return;
  else if (shim_sandbox->state != SHIM_SANDBOX_CREATING)
    shut_down (shim_sandbox, call);
  else if (shim_sandbox->shutdown == NULL)
    shim_sandbox->shutdown = call;
  else
    shim_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "sandbox \"%s\": is being shut down", shim_sandbox->id);
}
