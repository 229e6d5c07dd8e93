/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-domain-xml.h"
#include "vp-error.h"
#include "vp-host-path.h"
#include "vp-planner.h"

/* The first step of a start: everything is decided, and the files it was
 * decided to use are looked at, before anything is touched. */

static gboolean
make_plan (VpSandbox *self, GError **error)
{
  VpFacts *facts = vp_virt_get_facts (self->services->virt);
  g_autofree char *directory = vp_store_dup_directory (self->services->store, self->domain_name);
  VpSpec *spec = vp_container_get_spec (self->containers->pdata[0]);
  VpSandboxIdentity who = { self->id, self->uuid, self->handler, directory };
  g_autoptr (VpPlan) plan = NULL;
  g_autofree char *xml = NULL;
  g_autoptr (VpConfig) effective = NULL;
  const VpDriver *driver;

  if (facts == NULL)
    {
      const char *reason = vp_virt_get_reason (self->services->virt);
      g_set_error (error, VP_ERROR, VP_ERROR_HYPERVISOR_UNAVAILABLE, "libvirt at %s: %s",
                   vp_virt_get_uri (self->services->virt), reason != NULL ? reason : "not connected");
      return FALSE;
    }
  driver = vp_driver_find (vp_facts_get (facts)->driver);
  if (driver == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED, "libvirt driver \"%s\": virtpod does not support it",
                   vp_facts_get (facts)->driver);
      return FALSE;
    }
  effective = vp_planner_effective_config (spec, self->config, facts, error);
  if (effective == NULL || (plan = vp_planner_plan_sandbox (&who, spec, self->config, facts, error)) == NULL
      || (xml = vp_domain_xml (plan, driver, error)) == NULL)
    return FALSE;

  if (vp_plan_find_device (plan, VP_DEVICE_CHANNEL) == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
                   "agent.transport (%s): this version reaches the agent over virtio-serial only",
                   vp_config_get_source (effective, VP_CONFIG_AGENT_TRANSPORT));
      return FALSE;
    }

  /* time limits and containers follow what the sandbox was planned with; doing
   * it once more, when a start is tried again, changes nothing */
  vp_config_unref (self->config);
  self->config = g_steal_pointer (&effective);
  g_clear_pointer (&self->machine.plan, vp_plan_unref);
  self->machine.plan = g_steal_pointer (&plan);
  g_free (self->machine.xml);
  self->machine.xml = g_steal_pointer (&xml);
  g_free (self->machine.share_dir);
  self->machine.share_dir = vp_planner_dup_share_dir (directory);
  return TRUE;
}

static void
check_paths_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  GError *error = NULL;

  if (vp_host_path_check_plan (task_data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_paths_checked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpSandbox *self = VP_SANDBOX (source);
  GError *error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error) || !vp_sandbox_save (self, &error))
    {
      vp_step_done (user_data, error);
      return;
    }
  vp_sandbox_changed (self);
  vp_step_done (user_data, NULL);
}

void
vp_sandbox_run_plan (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  VpSandbox *self = owner;
  GError *error = NULL;

  if (!make_plan (self, &error))
    {
      vp_step_done (steps, error);
      return;
    }
  vp_worker_run_async (self->services->worker, self, vp_sandbox_run_plan, check_paths_in_worker,
                       vp_plan_ref (self->machine.plan), (GDestroyNotify) vp_plan_unref, NULL, on_paths_checked,
                       steps);
}
