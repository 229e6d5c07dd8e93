/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-container-plan.h"

#include "vp-decision.h"

static void
hook_free (gpointer data)
{
  VpHostHook *hook = data;

  g_free (hook->path);
  g_strfreev (hook->args);
  g_strfreev (hook->env);
  g_free (hook);
}

VpContainerPlan *
vp_container_plan_new (const char *sandbox_id, const char *container_id, VpSpec *spec)
{
  VpContainerPlan *plan = g_atomic_rc_box_new0 (VpContainerPlan);

  plan->sandbox_id = g_strdup (sandbox_id);
  plan->container_id = g_strdup (container_id);
  plan->spec = vp_spec_ref (spec);
  plan->binds = g_ptr_array_new_with_free_func ((GDestroyNotify)vp_host_bind_free);
  plan->storages = g_ptr_array_new_with_free_func ((GDestroyNotify)vp_guest_storage_free);
  plan->hooks = g_ptr_array_new_with_free_func (hook_free);
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
  g_ptr_array_unref (plan->storages);
  g_ptr_array_unref (plan->hooks);
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
  VpHostBind *bind = vp_host_bind_new (field, source, target);

  g_ptr_array_add (plan->binds, bind);
  return bind;
}

static char **
dup_strings (VpJson *object, const char *name)
{
  VpJson *list = vp_json_lookup (object, name);
  guint n = list != NULL ? vp_json_get_n_items (list) : 0;
  char **strings = g_new0 (char *, n + 1);

  for (guint i = 0; i < n; i++)
    strings[i] = g_strdup (vp_json_get_string (vp_json_get_item (list, i)));
  return strings;
}

void
vp_container_plan_add_hook (VpContainerPlan *plan, VpHookKind kind, VpJson *json)
{
  VpHostHook *hook = g_new0 (VpHostHook, 1);
  VpJson *timeout = vp_json_lookup (json, "timeout");

  hook->kind = kind;
  hook->path = g_strdup (vp_json_get_string (vp_json_lookup (json, "path")));
  hook->args = dup_strings (json, "args");
  hook->env = dup_strings (json, "env");
  if (timeout != NULL)
    vp_json_get_int64 (timeout, &hook->timeout);
  g_ptr_array_add (plan->hooks, hook);
}

char *
vp_container_plan_to_text (const VpContainerPlan *plan)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "container: %s\nsandbox: %s\n", plan->container_id, plan->sandbox_id);
  g_string_append_printf (text, "terminal: %s\n", plan->terminal ? "yes" : "no");
  g_string_append_printf (text, "sandbox-pidns: %s\n", plan->sandbox_pidns ? "yes" : "no");
  for (guint i = 0; i < plan->binds->len; i++)
    vp_host_bind_append_text (g_ptr_array_index (plan->binds, i), text);
  for (guint i = 0; i < plan->storages->len; i++)
    vp_guest_storage_append_text (g_ptr_array_index (plan->storages, i), text);
  for (guint i = 0; i < plan->hooks->len; i++)
    {
      const VpHostHook *hook = g_ptr_array_index (plan->hooks, i);

      g_string_append_printf (text, "hook: %s %s timeout=%" G_GINT64_FORMAT "\n",
                              vp_hook_kind_name (hook->kind), hook->path, hook->timeout);
    }
  return g_string_free (text, FALSE);
}
