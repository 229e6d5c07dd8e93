/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-container-private.h"

#include "vp-log.h"

/* The hooks of a container's bundle, by the points of its life. */

static const struct
{
  const char *status; /* what the state document says */
  guint kinds;        /* bits of VpHookKind; they run in the order of that */
  gboolean has_machine;
  gboolean must_succeed;
} points[] = {
  [VP_CONTAINER_HOOKS_CREATE]
  = { "creating", 1u << VP_HOOK_PRESTART | 1u << VP_HOOK_CREATE_RUNTIME, TRUE, TRUE },
  [VP_CONTAINER_HOOKS_STARTED] = { "running", 1u << VP_HOOK_POSTSTART, TRUE, FALSE },
  [VP_CONTAINER_HOOKS_STOPPED] = { "stopped", 1u << VP_HOOK_POSTSTOP, FALSE, FALSE },
};

typedef struct
{
  VpContainerHookPoint point;
  VpContainerPlan *plan; /* whose hooks they are */
  guint next;
} Running;

static void
running_free (gpointer data)
{
  Running *running = data;

  vp_container_plan_unref (running->plan);
  g_free (running);
}

void
vp_container_set_hooks (VpContainer *self, const VpContainerHooks *with)
{
  g_clear_pointer (&self->with.worker, vp_worker_unref);
  g_free (self->netns);
  self->with = *with;
  self->with.netns = self->netns = g_strdup (with->netns);
  if (with->worker != NULL)
    vp_worker_ref (with->worker);
}

/* Create hooks are where the interfaces will be. Before there is a machine no
 * process of the sandbox is, so a hook that goes there by the pid it is told
 * goes by its own. */
static VpHookCall
make_call (VpContainer *self, VpContainerHookPoint point, const VpHostHook *hook)
{
  VpHookCall call = {
    .hook = hook,
    .directory = vp_spec_get_bundle (self->spec),
    .state = {
      .id = self->id,
      .status = points[point].status,
      .pid = points[point].has_machine ? (guint)self->with.pid : 0,
      .bundle = vp_spec_get_bundle (self->spec),
      .spec = self->spec,
    },
    .timeout_ms = self->with.timeout_ms,
  };

  if (point != VP_CONTAINER_HOOKS_CREATE)
    return call;
  call.netns = vp_spec_get_namespace_path (self->spec, "network");
  if (call.netns == NULL)
    call.netns = self->with.netns;
  call.own_pid = self->with.pid == 0 && call.netns != NULL;
  return call;
}

static void run_next (GTask *task);

static void
on_hook_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  VpContainer *self = g_task_get_source_object (task);
  Running *running = g_task_get_task_data (task);
  GError *error = NULL;

  if (!vp_hook_run_finish (result, &error) && points[running->point].must_succeed)
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  if (error != NULL)
    vp_warning (self->sandbox_id, self->id, "%s", error->message);
  g_clear_error (&error);
  run_next (task);
}

/* Owns @task. */
static void
run_next (GTask *task)
{
  VpContainer *self = g_task_get_source_object (task);
  Running *running = g_task_get_task_data (task);

  while (running->next < running->plan->hooks->len)
    {
      const VpHostHook *hook = running->plan->hooks->pdata[running->next++];
      VpHookCall call;

      if ((points[running->point].kinds & (1u << hook->kind)) == 0)
        continue;
      call = make_call (self, running->point, hook);
      vp_debug (self->sandbox_id, self->id, "hook %s \"%s\"", vp_hook_kind_name (hook->kind), hook->path);
      vp_hook_run_async (self->with.worker, &call, g_task_get_cancellable (task), on_hook_done, task);
      return;
    }
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

void
vp_container_run_hooks_async (VpContainer *self, VpContainerHookPoint point, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  Running *running;

  g_task_set_check_cancellable (task, FALSE);
  if (self->with.worker == NULL || self->plan == NULL || self->plan->hooks->len == 0
      || (point == VP_CONTAINER_HOOKS_CREATE && self->create_hooks_ran))
    {
      g_task_return_boolean (task, TRUE);
      g_object_unref (task);
      return;
    }
  if (point == VP_CONTAINER_HOOKS_CREATE)
    {
      self->create_hooks_ran = self->hooked = TRUE;
      vp_container_note (self);
    }
  running = g_new0 (Running, 1);
  running->point = point;
  running->plan = vp_container_plan_ref (self->plan);
  g_task_set_task_data (task, running, running_free);
  run_next (task);
}

gboolean
vp_container_run_hooks_finish (VpContainer *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- ahead of prepare ---- */

static void
on_ended_after_failure (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  vp_container_end_hooks_finish (VP_CONTAINER (source), result);
  g_task_return_error (task, g_object_steal_data (G_OBJECT (task), "failure"));
}

static void
on_create_hooks_run (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpContainer *self = VP_CONTAINER (source);
  GError *error = NULL;

  if (vp_container_run_hooks_finish (self, result, &error))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  g_prefix_error (&error, "create container \"%s\": ", self->id);
  g_object_set_data (G_OBJECT (task), "failure", error);
  vp_container_end_hooks_async (self, on_ended_after_failure, g_steal_pointer (&task));
}

void
vp_container_run_create_hooks_async (VpContainer *self, VpContainerPlan *plan, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_clear_pointer (&self->plan, vp_container_plan_unref);
  self->plan = vp_container_plan_ref (plan);
  vp_container_run_hooks_async (self, VP_CONTAINER_HOOKS_CREATE, cancellable, on_create_hooks_run, task);
}

gboolean
vp_container_run_create_hooks_finish (VpContainer *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- at the end ---- */

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  (void)vp_container_run_hooks_finish (VP_CONTAINER (source), result, NULL);
  g_task_return_boolean (task, TRUE);
}

void
vp_container_end_hooks_async (VpContainer *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);

  if (!self->hooked)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  self->hooked = FALSE;
  vp_container_run_hooks_async (self, VP_CONTAINER_HOOKS_STOPPED, NULL, on_ended, g_steal_pointer (&task));
}

void
vp_container_end_hooks_finish (VpContainer *self, GAsyncResult *result)
{
  (void)g_task_propagate_boolean (G_TASK (result), NULL);
}
