/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-error.h"
#include "vp-guest-messages.h"
#include "vp-host-mount.h"
#include "vp-log.h"
#include "vp-planner.h"

/* The one list of things that are done to make a sandbox run, each with its
 * undo. It serves Start, a start that fails half way, Stop and the end of a
 * machine that died by itself. A step that fails has left nothing of itself. */

/* ---- share: the directory the guest sees ---- */

typedef struct
{
  char *directory;
  VpPlan *plan;
} ShareJob;

static void
share_job_free (gpointer data)
{
  ShareJob *job = data;

  g_free (job->directory);
  vp_plan_unref (job->plan);
  g_free (job);
}

static void
prepare_share_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  const ShareJob *job = task_data;
  GError *error = NULL;

  if (vp_host_mount_sandbox (job->directory, job->plan, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
remove_share_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  GError *error = NULL;

  if (vp_host_mount_share_remove (task_data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_share_prepared (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;

  (void) g_task_propagate_boolean (G_TASK (result), &error);
  vp_step_done (user_data, error);
}

static void
run_share (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  VpSandbox *self = owner;
  ShareJob *job = g_new (ShareJob, 1);

  *job = (ShareJob){ g_strdup (self->machine.share_dir), vp_plan_ref (self->machine.plan) };
  vp_worker_run_async (self->services->worker, self, run_share, prepare_share_in_worker, job, share_job_free, NULL,
                       on_share_prepared, steps);
}

static void
on_share_removed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    vp_warning (VP_SANDBOX (source)->id, NULL, "share not removed: %s", error->message);
  vp_step_done (user_data, NULL);
}

static void
undo_share (gpointer owner, VpSteps *steps)
{
  VpSandbox *self = owner;

  vp_worker_run_async (self->services->worker, self, undo_share, remove_share_in_worker,
                       g_strdup (self->machine.share_dir), g_free, NULL, on_share_removed, steps);
}

/* ---- domain ---- */

static void
on_domain_created (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;
  g_autofree char *uuid = NULL;
  GError *error = NULL;

  uuid = vp_virt_create_finish (VP_VIRT (source), result, &error);
  if (uuid != NULL)
    {
      self->machine.pid = vp_virt_find_pid (self->services->virt, self->domain_name);
      vp_sandbox_changed (self);
    }
  vp_step_done (self->steps, error);
}

static void
run_domain (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  VpSandbox *self = owner;
  const VpDriver *driver = vp_driver_find (vp_facts_get (vp_virt_get_facts (self->services->virt))->driver);
  VpVirtCreateFlags flags = driver->can_validate ? VP_VIRT_CREATE_VALIDATE : VP_VIRT_CREATE_NONE;

  if (vp_sandbox_starts_paused (self))
    flags |= VP_VIRT_CREATE_PAUSED;
  vp_virt_create_async (self->services->virt, self->machine.xml, flags, cancellable, on_domain_created,
                        g_object_ref (self));
}

static void
on_domain_destroyed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;
  g_autoptr (GError) error = NULL;

  if (!vp_virt_destroy_finish (VP_VIRT (source), result, &error) && !vp_error_is (error, VP_ERROR_NOT_FOUND))
    {
      vp_warning (self->id, NULL, "domain not destroyed: %s", error->message);
      self->machine.domain_left = TRUE;
    }
  self->machine.pid = 0;
  vp_step_done (self->steps, NULL);
}

static void
destroy_domain (VpSandbox *self)
{
  vp_virt_destroy_async (self->services->virt, self->domain_name, NULL, on_domain_destroyed, g_object_ref (self));
}

static void
on_shut_down (GObject *source, GAsyncResult *result, gpointer user_data)
{
  vp_sandbox_shutdown_finish (VP_SANDBOX (source), result);
  destroy_domain (VP_SANDBOX (source));
}

static void
undo_domain (gpointer owner, VpSteps *steps)
{
  VpSandbox *self = owner;
  gint64 left_ms = (self->end.deadline - g_get_monotonic_time ()) / 1000;

  /* a machine that is still booting listens to nobody */
  if (self->state == VP_SANDBOX_STOPPING && self->end.graceful && !self->end.agreed && left_ms > 0)
    vp_sandbox_shutdown_async (self, (guint) MIN (left_ms, G_MAXINT), on_shut_down, NULL);
  else
    destroy_domain (self);
}

/* ---- console: worth having, not worth failing for ---- */

static void
on_console_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;
  g_autoptr (GError) error = NULL;

  if (!vp_console_start_finish (VP_CONSOLE (source), result, &error))
    vp_notice (self->id, NULL, "no console log: %s", error->message);
  vp_step_done (self->steps, NULL);
}

VpConsole *
vp_sandbox_new_console (VpSandbox *self)
{
  const VpDevice *device = vp_plan_find_device (self->machine.plan, VP_DEVICE_CONSOLE);
  g_autofree char *directory = NULL;
  g_autofree char *name = NULL;

  if (device == NULL || device->u.console.socket == NULL)
    return NULL;
  directory = g_path_get_dirname (device->u.console.log);
  name = g_path_get_basename (device->u.console.log);
  return vp_console_new (device->u.console.socket, directory, name, device->u.console.max_bytes);
}

static void
run_console (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  VpSandbox *self = owner;

  g_clear_object (&self->machine.console);
  self->machine.console = vp_sandbox_new_console (self);
  if (self->machine.console == NULL)
    {
      vp_step_done (steps, NULL);
      return;
    }
  vp_console_start_async (self->machine.console, cancellable, on_console_started, g_object_ref (self));
}

static void
undo_console (gpointer owner, VpSteps *steps)
{
  VpSandbox *self = owner;

  if (self->machine.console != NULL)
    vp_console_stop (self->machine.console);
  vp_step_done (steps, NULL);
}

/* ---- guest: the sandbox inside ---- */

static void
on_guest_made (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;
  GError *error = NULL;

  if (vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error))
    {
      vp_sandbox_refresh_guest (self);
      vp_sandbox_watch_oom (self);
    }
  else
    g_prefix_error (&error, "guest of sandbox \"%s\": ", self->id);
  vp_step_done (self->steps, error);
}

static void
run_guest (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  VpSandbox *self = owner;
  GError *error = NULL;
  Grpc__CreateSandboxRequest *request = vp_guest_message_create_sandbox (self->machine.plan, &error);
  g_autoptr (GBytes) packed = NULL;

  if (request == NULL)
    {
      vp_step_done (steps, error);
      return;
    }
  packed = vp_guest_message_pack (&request->base);
  grpc__create_sandbox_request__free_unpacked (request, NULL);
  vp_agent_client_create_sandbox_async (
      self->machine.agent, packed,
      (guint) vp_config_get_uint (self->config, VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS), cancellable,
      on_guest_made, g_object_ref (self));
}

static void
on_guest_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;
  g_autoptr (GError) error = NULL;

  self->end.agreed = vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error);
  if (!self->end.agreed)
    vp_info (self->id, NULL, "the guest did not shut down by itself: %s", error->message);
  vp_step_done (self->steps, NULL);
}

static void
undo_guest (gpointer owner, VpSteps *steps)
{
  VpSandbox *self = owner;

  if (self->end.graceful && self->machine.agent != NULL && vp_agent_client_is_open (self->machine.agent))
    vp_agent_client_destroy_sandbox_async (self->machine.agent, vp_sandbox_grace_left_ms (self), self->end.asking, on_guest_ended,
                                           g_object_ref (self));
  else
    vp_step_done (steps, NULL);
}

/* ---- containers that were created before the machine ran ---- */

void
vp_sandbox_give_hooks (VpSandbox *self, VpContainer *container)
{
  const VpContainerHooks with = {
    .worker = self->services->hooks,
    .pid = self->machine.pid,
    .netns = vp_sandbox_get_network_namespace (self),
    .timeout_ms = (guint) vp_config_get_uint (self->services->config, VP_CONFIG_DAEMON_HOOK_TIMEOUT_MS),
  };

  vp_container_set_hooks (container, &with);
}

void
vp_sandbox_prepare_container (VpSandbox *self, VpContainer *container, VpContainerPlan *plan,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  vp_sandbox_give_hooks (self, container);
  vp_sandbox_give_cgroup (self, container);
  vp_container_set_create_timeout (container,
                                   (guint) vp_config_get_uint (self->config, VP_CONFIG_AGENT_CREATE_TIMEOUT_MS));
  vp_container_prepare_async (container, plan, self->machine.share_dir, self->machine.agent, self->services->worker,
                              self->end.cancellable, callback, user_data);
}

static void prepare_next (VpSandbox *self, guint index);

static void
on_prepared (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;
  GError *error = NULL;
  guint index = 0;

  if (!vp_container_prepare_finish (VP_CONTAINER (source), result, &error))
    {
      vp_step_done (self->steps, error);
      return;
    }
  if (g_ptr_array_find (self->containers, source, &index))
    index++;
  prepare_next (self, index);
}

static void
prepare_next (VpSandbox *self, guint index)
{
  g_autoptr (VpContainerPlan) plan = NULL;
  VpContainer *container;
  GError *error = NULL;

  if (index >= self->containers->len)
    {
      vp_step_done (self->steps, NULL);
      return;
    }
  container = self->containers->pdata[index];
  plan = vp_planner_plan_container (self->id, vp_container_get_id (container), vp_container_get_spec (container),
                                    self->config, vp_virt_get_facts (self->services->virt), &error);
  if (plan == NULL)
    {
      vp_step_done (self->steps, error);
      return;
    }
  vp_sandbox_prepare_container (self, container, plan, on_prepared, g_object_ref (self));
}

static void
run_containers (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  prepare_next (owner, 0);
}

/* A container that is being added was cancelled; until it has taken its mounts
 * away again the share cannot go. */
static void
undo_containers (gpointer owner, VpSteps *steps)
{
  VpSandbox *self = owner;

  if (self->n_preparing > 0)
    self->ends_when_prepared = TRUE;
  else
    vp_sandbox_end_containers (self);
}

const VpStep vp_sandbox_steps[] = {
  { "plan", vp_sandbox_run_plan, NULL },
  { "namespace", vp_sandbox_run_namespace, vp_sandbox_undo_namespace },
  { "scan", vp_sandbox_run_scan, NULL },
  { "share", run_share, undo_share },
  { "taps", vp_sandbox_run_taps, vp_sandbox_undo_taps },
  { "cgroup", vp_sandbox_run_cgroup, vp_sandbox_undo_cgroup },
  { "domain", run_domain, undo_domain },
  { "connect", vp_sandbox_run_connect, NULL },
  { "account", vp_sandbox_run_account, NULL },
  { "door", vp_sandbox_run_door, vp_sandbox_undo_door },
  { "console", run_console, undo_console },
  { "agent", vp_sandbox_run_agent, vp_sandbox_undo_agent },
  { "addresses", vp_sandbox_run_addresses, NULL },
  { "guest", run_guest, undo_guest },
  { "containers", run_containers, undo_containers },
};
const gsize vp_sandbox_n_steps = G_N_ELEMENTS (vp_sandbox_steps);
