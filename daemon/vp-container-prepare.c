/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-container-private.h"

#include "vp-cgroup.h"
#include "vp-error.h"
#include "vp-failpoint.h"
#include "vp-guest-messages.h"
#include "vp-host-mount.h"
#include "vp-log.h"

/* Making a container on both sides, and taking it away again. */

/* ---- host side, on a worker ---- */

typedef struct
{
  char *share_dir;
  char *container_id;
  char *cgroup;          /* NULL: none */
  pid_t standin;         /* that goes there; 0: it has ended */
  gboolean not_ours;     /* the cgroup could not be made: whatever is there is somebody's */
  VpContainerPlan *plan; /* NULL: remove */
  VpMountNs *mount_ns;   /* where its sources are */
} MountJob;

static void
mount_job_free (gpointer data)
{
  MountJob *job = data;

  g_free (job->share_dir);
  g_free (job->container_id);
  g_free (job->cgroup);
  g_clear_pointer (&job->plan, vp_container_plan_unref);
  vp_mount_ns_unref (job->mount_ns);
  g_free (job);
}

/* Worth having, not worth failing for. */
static void
use_cgroup (MountJob *job)
{
  g_autoptr (GError) error = NULL;
  guint n = job->standin != 0 ? 1 : 0;

  if (job->cgroup == NULL)
    return;
  if (job->plan == NULL && !vp_cgroup_remove (job->cgroup, &job->standin, n, &error))
    vp_warning (NULL, job->container_id, "not removed: %s", error->message);
  if (job->plan == NULL)
    return;
  job->not_ours = !vp_cgroup_make (job->cgroup, &error);
  if (job->not_ours || !vp_cgroup_join (job->cgroup, VP_CGROUP_STANDIN, &job->standin, n, &error))
    vp_notice (NULL, job->container_id, "what engines read of its use on the host is not right: %s", error->message);
}

static void
mount_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  MountJob *job = task_data;
  GError *error = NULL;
  gboolean ok;

  if (job->plan != NULL)
    ok = VP_FAILPOINT ("container.mount.before", &error)
         && vp_host_mount_container (job->share_dir, job->plan, job->mount_ns, &error);
  else
    ok = VP_FAILPOINT ("container.unmount.before", &error)
         && vp_host_mount_container_remove (job->share_dir, job->container_id, &error);
  if (ok)
    use_cgroup (job);
  VP_FAILPOINT_ONLY (job->plan != NULL ? "container.mount.after" : "container.unmount.after");
  if (ok)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
run_mount_job (VpContainer *self, gboolean remove, GAsyncReadyCallback callback, gpointer user_data)
{
  MountJob *job = g_new0 (MountJob, 1);

  job->share_dir = g_strdup (self->share_dir);
  job->container_id = g_strdup (self->id);
  job->cgroup = remove ? g_steal_pointer (&self->cgroup) : g_strdup (self->cgroup);
  job->standin = vp_process_get_standin_pid (self->init);
  job->plan = remove ? NULL : vp_container_plan_ref (self->plan);
  job->mount_ns = remove || self->mount_ns == NULL ? NULL : vp_mount_ns_ref (self->mount_ns);
  vp_worker_run_async (self->worker, self, run_mount_job, mount_in_worker, job, mount_job_free, NULL, callback,
                       user_data);
}

/* ---- prepare ---- */

static void
on_ended_after_failure (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  vp_container_end_hooks_finish (VP_CONTAINER (source), result);
  g_task_return_error (task, g_object_steal_data (G_OBJECT (task), "failure"));
}

static void
on_unmounted_after_failure (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpContainer *self = g_task_get_source_object (task);
  g_autoptr (GError) error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    vp_warning (self->sandbox_id, self->id, "files stay in the share: %s", error->message);
  vp_container_end_hooks_async (self, on_ended_after_failure, g_steal_pointer (&task));
}

/* A guest that did not answer in time may still do what it was asked to, and one
 * that did not remove a container when it was told to is told again. */
static void
take_back_in_guest (VpContainer *self, GError *error)
{
  gboolean kept = vp_error_is (error, VP_ERROR_ALREADY_EXISTS);

  if (vp_agent_client_is_open (self->agent)
      && (kept || vp_error_is (error, VP_ERROR_TIMED_OUT) || vp_error_is (error, VP_ERROR_CANCELLED)))
    vp_agent_client_remove_container_async (self->agent, self->id, 0, vp_container_get_request_timeout (), NULL, NULL,
                                            NULL);
  /* nobody here knows one of this id: to the caller it does not exist */
  if (kept)
    {
      error->code = VP_ERROR_AGENT_FAILED;
      g_prefix_error (&error, "the guest did not remove one of this id: ");
    }
}

static void
fail_prepare (GTask *task, GError *error)
{
  VpContainer *self = g_task_get_source_object (task);

  g_prefix_error (&error, "create container \"%s\": ", self->id);
  g_object_set_data (G_OBJECT (task), "failure", error);
  run_mount_job (self, TRUE, on_unmounted_after_failure, task);
}

static void
on_created_in_guest (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpContainer *self = g_task_get_source_object (task);
  GError *error = NULL;

  VP_FAILPOINT_ONLY ("container.create.after");
  if (vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error) && self->place->container != VP_CONTAINER_CREATING)
    g_set_error (&error, VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE, "its virtual machine ended meanwhile");
  if (error != NULL)
    {
      vp_container_name_program (error, vp_spec_get_args (self->spec)[0]);
      take_back_in_guest (self, error);
      fail_prepare (g_steal_pointer (&task), error);
      return;
    }
  vp_process_begin_io (self->init);
  vp_container_set_state (self, VP_CONTAINER_CREATED);
  g_task_return_boolean (task, TRUE);
}

/* Its part of the host is there, and what hooks did to it: now the guest. */
static void
on_hooks_run (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpContainer *self = g_task_get_source_object (task);
  Grpc__CreateContainerRequest *request;
  g_autoptr (GBytes) packed = NULL;
  GCancellable *cancellable;
  guint timeout_ms;
  GError *error = NULL;

  if (!vp_container_run_hooks_finish (self, result, &error) || !VP_FAILPOINT ("container.create.before", &error))
    {
      fail_prepare (g_steal_pointer (&task), error);
      return;
    }
  request = vp_guest_message_create_container (self->plan, &error);
  if (request == NULL || !vp_process_prepare (self->init, self->agent, g_steal_pointer (&self->streams), &error))
    {
      if (request != NULL)
        grpc__create_container_request__free_unpacked (request, NULL);
      fail_prepare (g_steal_pointer (&task), error);
      return;
    }
  packed = vp_guest_message_pack (&request->base);
  grpc__create_container_request__free_unpacked (request, NULL);
  cancellable = g_task_get_cancellable (task);
  timeout_ms = self->create_timeout_ms != 0 ? self->create_timeout_ms : vp_container_get_request_timeout ();
  vp_agent_client_create_container_async (self->agent, packed, timeout_ms, cancellable,
                                          on_created_in_guest, g_steal_pointer (&task));
}

static void
on_mounted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpContainer *self = g_task_get_source_object (task);
  GCancellable *cancellable = g_task_get_cancellable (task);
  GError *error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    {
      g_prefix_error (&error, "create container \"%s\": ", self->id);
      g_task_return_error (task, error);
      return;
    }
  if (((const MountJob *) g_task_get_task_data (G_TASK (result)))->not_ours)
    g_clear_pointer (&self->cgroup, g_free);
  /* what it took from there is mounted here now, and the namespace may go */
  g_clear_pointer (&self->mount_ns, vp_mount_ns_unref);
  vp_container_run_hooks_async (self, VP_CONTAINER_HOOKS_CREATE, cancellable, on_hooks_run, g_steal_pointer (&task));
}

void
vp_container_set_mount_ns (VpContainer *self, VpMountNs *mount_ns)
{
  g_clear_pointer (&self->mount_ns, vp_mount_ns_unref);
  self->mount_ns = mount_ns != NULL ? vp_mount_ns_ref (mount_ns) : NULL;
  self->foreign_paths = mount_ns != NULL;
}

/* Here the paths of its spec lead to nothing, or to something else. */
static gboolean
check_mount_ns (VpContainer *self, GError **error)
{
  if (!self->foreign_paths || self->mount_ns != NULL)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE,
               "create container \"%s\": the mount namespace its files are in went with the daemon that it was given to",
               self->id);
  return FALSE;
}

void
vp_container_set_create_timeout (VpContainer *self, guint timeout_ms)
{
  self->create_timeout_ms = timeout_ms;
}

void
vp_container_set_not_before (VpContainer *self, gint64 when)
{
  self->not_before = when;
}

void
vp_container_take_place (VpContainer *self, VpContainerPlan *plan, const char *share_dir, VpAgentClient *agent,
                         VpWorker *worker)
{
  g_clear_pointer (&self->plan, vp_container_plan_unref);
  self->plan = vp_container_plan_ref (plan);
  g_free (self->share_dir);
  self->share_dir = g_strdup (share_dir);
  g_set_object (&self->agent, agent);
  g_clear_pointer (&self->worker, vp_worker_unref);
  self->worker = vp_worker_ref (worker);
}

static gboolean
on_waited (gpointer user_data)
{
  GTask *task = user_data;

  run_mount_job (g_task_get_source_object (task), FALSE, on_mounted, g_object_ref (task));
  return G_SOURCE_REMOVE;
}

void
vp_container_prepare_async (VpContainer *self, VpContainerPlan *plan, const char *share_dir, VpAgentClient *agent,
                            VpWorker *worker, GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  gint64 wait = self->not_before - g_get_monotonic_time ();
  GError *error = NULL;

  /* a cancelled call still takes its mounts away before it returns */
  g_task_set_check_cancellable (task, FALSE);
  if (!vp_container_check_verb (self, VP_VERB_CONTAINER_PREPARE, &error) || !check_mount_ns (self, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  vp_container_take_place (self, plan, share_dir, agent, worker);
  self->preparing = TRUE;
  if (wait > 0)
    g_timeout_add_full (G_PRIORITY_DEFAULT, (guint) (wait / 1000 + 1), on_waited, g_steal_pointer (&task),
                        g_object_unref);
  else
    run_mount_job (self, FALSE, on_mounted, g_steal_pointer (&task));
}

gboolean
vp_container_prepare_finish (VpContainer *self, GAsyncResult *result, GError **error)
{
  self->preparing = FALSE;
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- discard ---- */

static void
on_discarded_mounts (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpContainer *self = g_task_get_source_object (task);
  g_autoptr (GError) error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    vp_warning (self->sandbox_id, self->id, "files stay in the share: %s", error->message);
  g_task_return_boolean (task, TRUE);
}

static void
on_removed_in_guest (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpContainer *self = g_task_get_source_object (task);
  g_autoptr (GError) error = NULL;

  VP_FAILPOINT_ONLY ("container.remove.after");
  if (!vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error))
    vp_notice (self->sandbox_id, self->id, "the guest did not remove the container: %s", error->message);
  run_mount_job (self, TRUE, on_discarded_mounts, g_steal_pointer (&task));
}

void
vp_container_discard_async (VpContainer *self, gboolean guest_gone, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);

  self->discarding = TRUE;
  vp_container_note (self);
  VP_FAILPOINT_ONLY ("container.remove.before");
  if (self->plan == NULL)
    g_task_return_boolean (task, TRUE);
  else if (guest_gone || self->place->container == VP_CONTAINER_CREATING || !vp_agent_client_is_open (self->agent))
    run_mount_job (self, TRUE, on_discarded_mounts, g_steal_pointer (&task));
  else
    vp_agent_client_remove_container_async (self->agent, self->id, 0, vp_container_get_request_timeout (), NULL,
                                            on_removed_in_guest, g_steal_pointer (&task));
}

void
vp_container_discard_finish (VpContainer *self, GAsyncResult *result)
{
  self->discarding = FALSE;
  vp_container_lose (self);
  (void) g_task_propagate_boolean (G_TASK (result), NULL);
}
