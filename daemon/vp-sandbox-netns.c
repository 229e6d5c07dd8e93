/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-error.h"
#include "vp-log.h"
#include "vp-planner.h"

/* The steps that have the sandbox's network namespace ready: it is made where the
 * spec asks for a new one; hooks set it up, then what is in it is planned for.
 * Sandboxes without one pass them by. */

#define RESOURCE_NETNS "netns" /* of our making: its path */

/* NULL: it was deleted before the others. */
static VpContainer *
own_container (VpSandbox *self)
{
  return vp_sandbox_find_container (self, self->id);
}

const char *
vp_sandbox_get_network_namespace (VpSandbox *self)
{
  if (self->machine.netns != NULL)
    return self->machine.netns;
  return vp_spec_get_namespace_path (self->spec, "network");
}

void
vp_sandbox_plan_namespace (VpSandbox *self, const char *directory)
{
  g_clear_pointer (&self->machine.netns, g_free);
  if (vp_planner_wants_new_namespace (self->spec, self->config))
    self->machine.netns = vp_planner_dup_netns (directory);
}

void
vp_sandbox_describe_namespace (VpSandbox *self, VpRecord *record)
{
  if (self->machine.netns != NULL)
    vp_record_add_resource (record, RESOURCE_NETNS, self->machine.netns);
}

void
vp_sandbox_restore_namespace (VpSandbox *self, const VpRecord *record)
{
  for (guint i = 0; i < record->resources->len; i++)
    {
      const VpRecordResource *resource = record->resources->pdata[i];

      if (!g_str_equal (resource->kind, RESOURCE_NETNS))
        continue;
      g_free (self->machine.netns);
      self->machine.netns = g_strdup (resource->path);
    }
}

gboolean
vp_sandbox_set_network_model (VpSandbox *self, const char *model, GError **error)
{
  g_autoptr (VpConfig) config = vp_config_copy (self->config);

  if (!vp_config_override_from (config, VP_CONFIG_NETWORK_MODEL, model, "option network", error)
      || !vp_config_check (config, error))
    return FALSE;
  vp_config_unref (self->config);
  self->config = g_steal_pointer (&config);
  g_free (self->network);
  self->network = g_strdup (model);
  return TRUE;
}

/* ---- forward ---- */

static void
make_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  GError *error = NULL;

  if (vp_net_ns_create (task_data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_made (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;

  (void)g_task_propagate_boolean (G_TASK (result), &error);
  vp_step_done (user_data, error);
}

void
vp_sandbox_run_namespace (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  VpSandbox *self = owner;

  if (self->machine.netns == NULL)
    vp_step_done (steps, NULL);
  else
    vp_worker_run_async (self->services->worker, self, vp_sandbox_run_namespace, make_in_worker,
                         g_strdup (self->machine.netns), g_free, NULL, on_made, steps);
}

static void
on_hooks_run (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;
  GError *error = NULL;

  if (vp_container_run_create_hooks_finish (VP_CONTAINER (source), result, &error))
    vp_sandbox_plan (self, vp_sandbox_get_network_namespace (self));
  else
    vp_step_done (self->steps, error);
}

static gboolean
has_create_hooks (const VpContainerPlan *plan)
{
  for (guint i = 0; i < plan->hooks->len; i++)
    {
      const VpHostHook *hook = plan->hooks->pdata[i];

      if (hook->kind == VP_HOOK_PRESTART || hook->kind == VP_HOOK_CREATE_RUNTIME)
        return TRUE;
    }
  return FALSE;
}

void
vp_sandbox_run_scan (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  VpSandbox *self = owner;
  VpContainer *container = own_container (self); /* before the start it cannot be deleted */
  g_autoptr (VpContainerPlan) plan = NULL;
  GError *error = NULL;

  if (!vp_planner_wants_namespace (self->spec, self->config))
    {
      vp_step_done (steps, NULL);
      return;
    }
  plan = vp_planner_plan_container (self->id, vp_container_get_id (container), self->spec, self->config,
                                    vp_virt_get_facts (self->services->virt), &error);
  /* else the plan knows: what was named was looked at, what was made is empty */
  if (plan == NULL || !has_create_hooks (plan))
    {
      vp_step_done (steps, error);
      return;
    }
  vp_sandbox_give_hooks (self, container);
  vp_container_run_create_hooks_async (container, plan, cancellable, on_hooks_run, g_object_ref (self));
}

/* ---- back ---- */

static void
remove_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  GError *error = NULL;

  if (vp_net_ns_remove (task_data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_removed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpSandbox *self = VP_SANDBOX (source);
  g_autoptr (GError) error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error))
    g_clear_pointer (&self->machine.netns, g_free);
  else
    vp_warning (self->id, NULL, "network namespace not removed: %s", error->message);
  vp_step_done (user_data, NULL);
}

static void
remove_namespace (VpSandbox *self)
{
  if (self->machine.netns == NULL)
    vp_step_done (self->steps, NULL);
  else
    vp_worker_run_async (self->services->worker, self, remove_namespace, remove_in_worker,
                         g_strdup (self->machine.netns), g_free, NULL, on_removed, self->steps);
}

static void
on_hooks_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;

  vp_container_end_hooks_finish (VP_CONTAINER (source), result);
  remove_namespace (self);
}

/* What hooks have set up for a container that never was is taken back by its
 * others; one that was has them when it is deleted. */
void
vp_sandbox_undo_namespace (gpointer owner, VpSteps *steps)
{
  VpSandbox *self = owner;
  VpContainer *container = own_container (self);

  if (container != NULL && vp_container_get_state (container) == VP_CONTAINER_CREATING)
    vp_container_end_hooks_async (container, on_hooks_ended, g_object_ref (self));
  else
    remove_namespace (self);
}
