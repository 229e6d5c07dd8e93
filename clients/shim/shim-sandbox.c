/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state of the sandbox, and what is asked of it: Platform, Wait, Status, Ping, Metrics. */
#include "config.h"

#include "shim-sandbox-private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "shim-op.h"
#include "shim-stats.h"
#include "shim-text.h"
#include "shim-util.h"
#include "vp-names.h"

ShimSandbox *shim_sandbox;

/* ---- the one --------------------------------------------------------------------- */

int
shim_sandbox_is_any (void)
{
  return shim_sandbox != NULL;
}

const char *
shim_sandbox_get_path (void)
{
  return shim_sandbox != NULL && shim_sandbox->state == SHIM_SANDBOX_READY ? shim_sandbox->path : NULL;
}

const char *
shim_sandbox_get_files (void)
{
  return shim_sandbox != NULL && shim_sandbox->has_files ? shim_sandbox->bundle : NULL;
}

ShimSandbox *
shim_sandbox_ref (ShimSandbox *self)
{
  self->refs++;
  return self;
}

void
shim_sandbox_unref (ShimSandbox *self)
{
  if (--self->refs > 0)
    return;
  free (self->id);
  free (self->bundle);
  free (self->path);
  free (self->waiters);
  free (self);
}

ShimSandbox *
shim_sandbox_find (ShimCall *call, const char *id)
{
  if (shim_sandbox != NULL && strcmp (shim_sandbox->id, id) == 0)
    return shim_sandbox;
  shim_call_fail (call, VP_GRPC_NOT_FOUND, "sandbox \"%.128s\": not found", id);
  return NULL;
}

/* ---- its end --------------------------------------------------------------------- */

static void
answer_wait (const ShimSandbox *self, ShimCall *call)
{
  Sandbox__WaitResponse response = SANDBOX__WAIT_RESPONSE__INIT;
  Google__Protobuf__Timestamp exited_at;

  response.exit_status = self->exit_status;
  response.exited_at = shim_timestamp (&exited_at, self->exited_at);
  shim_call_reply (call, &response);
}

void
shim_sandbox_end (ShimSandbox *self, uint32_t exit_status, uint64_t exited_at)
{
  if (self->state == SHIM_SANDBOX_STOPPED)
    return;
  self->state = SHIM_SANDBOX_STOPPED;
  self->exit_status = exit_status;
  self->exited_at = exited_at != 0 ? exited_at : shim_time ();
  while (self->n_waiters > 0)
    answer_wait (self, self->waiters[--self->n_waiters]);
}

void
shim_sandbox_end_by (ShimSandbox *self, const ShimReply *reply)
{
  uint32_t status = SHIM_SANDBOX_GONE;
  uint64_t time = 0;

  if (reply->error == NULL && strcmp (reply->message->signature, "ut") == 0)
    {
      VpBusReader in = vp_bus_reader_of (reply->message);

      (void) (vp_bus_reader_u32 (&in, &status) == 0 && vp_bus_reader_u64 (&in, &time) == 0);
    }
  shim_sandbox_end (self, status, time);
}

void
shim_rpc_sandbox_wait (ShimCall *call)
{
  const Sandbox__SandboxRequest *request = shim_call_request (call);
  ShimSandbox *self = shim_sandbox_find (call, request->sandbox_id);

  if (self == NULL)
    return;
  if (self->state == SHIM_SANDBOX_STOPPED)
    {
      answer_wait (self, call);
      return;
    }
  shim_call_append (&self->waiters, &self->n_waiters, call);
}

/* ---- answered from memory -------------------------------------------------------- */

/* As Go calls them, which is how images are named. */
static const char *
architecture (void)
{
  static const struct
  {
    const char *kernel, *go;
  } names[] = { { "x86_64", "amd64" }, { "aarch64", "arm64" }, { "loongarch64", "loong64" } };
  static struct utsname name;

  if (uname (&name) < 0)
    return "";
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp (names[i].kernel, name.machine) == 0)
      return names[i].go;
  return name.machine;
}

void
shim_rpc_sandbox_platform (ShimCall *call)
{
  static char os[] = "linux";
  const Sandbox__SandboxRequest *request = shim_call_request (call);
  Sandbox__PlatformResponse response = SANDBOX__PLATFORM_RESPONSE__INIT;
  Sandbox__Platform platform = SANDBOX__PLATFORM__INIT;

  if (shim_sandbox_find (call, request->sandbox_id) == NULL)
    return;
  platform.os = os;
  platform.architecture = (char *) architecture ();
  response.platform = &platform;
  shim_call_reply (call, &response);
}

/* "info" is what crictl shows, and containerd reads: in its words. */
static char *
describe (const ShimSandbox *self)
{
  static const char *const names[] = { [SHIM_SANDBOX_CREATING] = "created", [SHIM_SANDBOX_CREATED] = "created",
                                       [SHIM_SANDBOX_STARTING] = "created", [SHIM_SANDBOX_READY] = "running",
                                       [SHIM_SANDBOX_STOPPED] = "stopped" };
  ShimText text = { NULL, 0, 0 };

  shim_text_printf (&text, "{\"pid\":%u,\"processStatus\":\"%s\",\"runtimeType\":\"io.containerd.virtpod.v2\"}",
                    self->pid, names[self->state]);
  return text.text;
}

static char *
describe_ours (const ShimSandbox *self)
{
  ShimText text = { NULL, 0, 0 };

  shim_text_printf (&text, "{\"version\":\"" PACKAGE_VERSION "\",\"object\":");
  shim_text_string (&text, self->path != NULL ? self->path : "");
  shim_text_printf (&text, ",\"bundle\":");
  shim_text_string (&text, self->bundle);
  shim_text_append (&text, "}", 1);
  return text.text;
}

void
shim_rpc_sandbox_status (ShimCall *call)
{
  static char ready[] = "SANDBOX_READY", not_ready[] = "SANDBOX_NOTREADY", info_key[] = "info", our_key[] = "virtpod";
  const Sandbox__StatusRequest *request = shim_call_request (call);
  const ShimSandbox *self = shim_sandbox_find (call, request->sandbox_id);
  Sandbox__StatusResponse response = SANDBOX__STATUS_RESPONSE__INIT;
  Sandbox__Pair info = SANDBOX__PAIR__INIT, ours = SANDBOX__PAIR__INIT, *pairs[] = { &info, &ours };
  Google__Protobuf__Timestamp created_at, exited_at;
  int verbose;

  if (self == NULL)
    return;
  verbose = request->verbose;
  response.sandbox_id = self->id;
  response.pid = self->pid;
  response.state = self->state == SHIM_SANDBOX_READY ? ready : not_ready;
  response.created_at = shim_timestamp (&created_at, self->created_at);
  response.exited_at = shim_timestamp (&exited_at, self->exited_at);
  if (verbose)
    {
      info.key = info_key;
      info.value = describe (self);
      ours.key = our_key;
      ours.value = describe_ours (self);
      response.info = pairs;
      response.n_info = sizeof pairs / sizeof *pairs;
    }
  shim_call_reply (call, &response);
  if (verbose)
    {
      free (info.value);
      free (ours.value);
    }
}

/* ---- asked of the daemon --------------------------------------------------------- */

static void
on_pinged (const ShimReply *reply, void *data)
{
  ShimCall *call = data;

  if (reply->error != NULL)
    shim_call_fail_reply (call, "", reply);
  else
    shim_call_reply (call, NULL);
}

static void
on_stats (const ShimReply *reply, void *data)
{
  ShimCall *call = data;
  const Sandbox__SandboxRequest *request = shim_call_request (call);
  Sandbox__MetricsResponse response = SANDBOX__METRICS_RESPONSE__INIT;
  Sandbox__Metric metric = SANDBOX__METRIC__INIT;
  Google__Protobuf__Timestamp now;
  Google__Protobuf__Any any;

  if (reply->error != NULL)
    shim_call_fail_reply (call, "", reply);
  else if (shim_stats_pack (reply->message, &any) < 0)
    shim_call_fail (call, VP_GRPC_INTERNAL, "virtpodd's statistics are none");
  else
    {
      metric.timestamp = shim_timestamp (&now, shim_time ());
      metric.id = request->sandbox_id;
      metric.data = &any;
      response.metrics = &metric;
      shim_call_reply (call, &response);
      free (any.value.data);
    }
}

static void
call_sandbox (ShimCall *call, const char *member, ShimReplyFunc func)
{
  const Sandbox__SandboxRequest *request = shim_call_request (call);
  const ShimSandbox *self = shim_sandbox_find (call, request->sandbox_id);
  VpBusCall what = { VP_BUS_NAME, NULL, VP_IFACE_SANDBOX, member, "", 0 };

  if (self == NULL)
    return;
  if (self->state != SHIM_SANDBOX_READY)
    {
      shim_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "sandbox \"%s\": does not run", self->id);
      return;
    }
  what.path = self->path;
  shim_daemon_call (&what, SHIM_AGAIN, func, call);
}

void
shim_rpc_sandbox_ping (ShimCall *call)
{
  call_sandbox (call, "Ping", on_pinged);
}

void
shim_rpc_sandbox_metrics (ShimCall *call)
{
  call_sandbox (call, "GetStats", on_stats);
}
