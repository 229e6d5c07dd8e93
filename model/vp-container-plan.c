/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-container-plan.h"

#include "vp-decision.h"

static void
bind_free (gpointer data)
{
  VpHostBind *bind = data;

  g_free (bind->field);
  g_free (bind->source);
  g_free (bind->target);
  g_free (bind);
}

VpContainerPlan *
vp_container_plan_new (const char *sandbox_id, const char *container_id, VpSpec *spec)
{
  VpContainerPlan *plan = g_atomic_rc_box_new0 (VpContainerPlan);

  plan->sandbox_id = g_strdup (sandbox_id);
  plan->container_id = g_strdup (container_id);
  plan->spec = vp_spec_ref (spec);
  plan->binds = g_ptr_array_new_with_free_func (bind_free);
  plan->decisions = vp_decisions_new ();
  plan->terminal = vp_spec_get_terminal (spec);
  return plan;
}

VpContainerPlan *
vp_container_plan_ref (VpContainerPlan *plan)
{
  return g_atomic_rc_box_acquire (plan);
}

static void
plan_clear (gpointer data)
{
  VpContainerPlan *plan = data;

  g_free (plan->sandbox_id);
  g_free (plan->container_id);
  vp_spec_unref (plan->spec);
  vp_json_unref (plan->guest_spec);
  g_ptr_array_unref (plan->binds);
  g_ptr_array_unref (plan->decisions);
}

void
vp_container_plan_unref (VpContainerPlan *plan)
{
  if (plan != NULL)
    g_atomic_rc_box_release_full (plan, plan_clear);
}

VpHostBind *
vp_container_plan_add_bind (VpContainerPlan *plan, const char *field, const char *source, const char *target)
{
  VpHostBind *bind = g_new0 (VpHostBind, 1);

  bind->field = g_strdup (field);
  bind->source = g_strdup (source);
  bind->target = g_strdup (target);
  g_ptr_array_add (plan->binds, bind);
  return bind;
}

char *
vp_container_plan_to_text (const VpContainerPlan *plan)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "container: %s\nsandbox: %s\n", plan->container_id, plan->sandbox_id);
  g_string_append_printf (text, "terminal: %s\n", plan->terminal ? "yes" : "no");
  g_string_append_printf (text, "sandbox-pidns: %s\n", plan->sandbox_pidns ? "yes" : "no");
  for (guint i = 0; i < plan->binds->len; i++)
    {
      const VpHostBind *bind = g_ptr_array_index (plan->binds, i);

      g_string_append_printf (text, "bind: %s source=%s target=%s%s%s\n", bind->field, bind->source,
                              bind->target, bind->read_only ? " read-only" : "",
                              bind->recursive ? " recursive" : "");
    }
  return g_string_free (text, FALSE);
}
