/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-domain-xml.h"
#include "vp-error.h"
#include "vp-host-path.h"
#include "vp-net.h"
#include "vp-planner.h"

/* The first step of a start: everything is decided, and the files it was
 * decided to use are looked at, before anything is touched. Where hooks set up
 * the network it is done once more when they have. */

static gboolean
make_plan (VpSandbox *self, VpFacts *facts, GError **error)
{
  g_autofree char *directory = vp_store_dup_directory (self->services->store, self->domain_name);
  VpSandboxIdentity who = { self->id, self->uuid, self->handler, directory };
  g_autoptr (VpPlan) plan = NULL;
  g_autofree char *xml = NULL;
  g_autoptr (VpConfig) effective = NULL;
  const VpDriver *driver;

  driver = vp_driver_find (vp_facts_get (facts)->driver);
  if (driver == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED, "libvirt driver \"%s\": virtpod does not support it",
                   vp_facts_get (facts)->driver);
      return FALSE;
    }
  effective = vp_planner_effective_config (self->spec, self->config, facts, error);
  if (effective == NULL || (plan = vp_planner_plan_sandbox (&who, self->spec, self->config, facts, error)) == NULL
      || (xml = vp_domain_xml (plan, driver, error)) == NULL)
    return FALSE;

  /* what a container cannot have is said now, not when the machine runs */
  for (guint i = 0; i < self->containers->len; i++)
    {
      VpContainer *container = self->containers->pdata[i];
      g_autoptr (VpContainerPlan) of_container
          = vp_planner_plan_container (self->id, vp_container_get_id (container), vp_container_get_spec (container),
                                       effective, facts, error);

      if (of_container == NULL)
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
  vp_sandbox_plan_namespace (self, directory);
  vp_sandbox_plan_cgroup (self);
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

/* What is looked at before the plan, since the plan depends on it. */
typedef struct
{
  VpSpec *spec;
  VpConfig *config;
  VpFacts *facts;
  char *netns;  /* to look at; NULL: the one the spec names, if any */
  VpNetNsId id; /* what was looked at */
} Learning;

static void
learning_free (gpointer data)
{
  Learning *learning = data;

  vp_spec_unref (learning->spec);
  vp_config_unref (learning->config);
  vp_facts_unref (learning->facts);
  g_free (learning->netns);
  g_free (learning);
}

static void
learn_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  Learning *learning = task_data;
  GError *error = NULL;
  g_autoptr (VpFacts) known = vp_host_path_learn (learning->spec, learning->config, learning->facts, &error);
  g_autoptr (VpNetwork) network = NULL;
  VpFacts *facts = NULL;

  if (known != NULL && learning->netns == NULL)
    facts = vp_net_learn (learning->spec, learning->config, known, &learning->id, &error);
  else if (known != NULL && (network = vp_net_look (learning->netns, &learning->id, &error)) != NULL)
    facts = vp_facts_new_with_network (known, network);
  if (facts != NULL)
    g_task_return_pointer (task, facts, (GDestroyNotify) vp_facts_unref);
  else
    g_task_return_error (task, error);
}

static void
on_learned (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpSandbox *self = VP_SANDBOX (source);
  GError *error = NULL;
  g_autoptr (VpFacts) facts = g_task_propagate_pointer (G_TASK (result), &error);

  if (facts == NULL || !make_plan (self, facts, &error))
    {
      vp_step_done (user_data, error);
      return;
    }
  vp_sandbox_plan_network (self, &((Learning *) g_task_get_task_data (G_TASK (result)))->id);
  vp_worker_run_async (self->services->worker, self, vp_sandbox_plan, check_paths_in_worker,
                       vp_plan_ref (self->machine.plan), (GDestroyNotify) vp_plan_unref, NULL, on_paths_checked,
                       user_data);
}

void
vp_sandbox_plan (VpSandbox *self, const char *netns)
{
  VpFacts *facts = vp_virt_get_facts (self->services->virt);
  Learning *learning;

  if (facts == NULL)
    {
      const char *reason = vp_virt_get_reason (self->services->virt);

      vp_step_done (self->steps, g_error_new (VP_ERROR, VP_ERROR_HYPERVISOR_UNAVAILABLE, "libvirt at %s: %s",
                                              vp_virt_get_uri (self->services->virt),
                                              reason != NULL ? reason : "not connected"));
      return;
    }
  learning = g_new0 (Learning, 1);
  learning->spec = vp_spec_ref (self->spec);
  learning->config = vp_config_ref (self->config);
  learning->facts = vp_facts_ref (facts);
  learning->netns = g_strdup (netns);
  vp_worker_run_async (self->services->worker, self, vp_sandbox_plan, learn_in_worker, learning, learning_free, NULL,
                       on_learned, self->steps);
}

void
vp_sandbox_run_plan (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  vp_sandbox_plan (owner, NULL);
}
