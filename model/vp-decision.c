/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-decision.h"

static void
decision_free (gpointer data)
{
  VpDecision *decision = data;

  g_free (decision->what);
  g_free (decision->value);
  g_free (decision->source);
  g_free (decision->key);
  g_free (decision->why);
  g_free (decision);
}

GPtrArray *
vp_decisions_new (void)
{
  return g_ptr_array_new_with_free_func (decision_free);
}

void
vp_decisions_add (GPtrArray *decisions, const char *what, const char *value, const char *source,
                  const char *why)
{
  VpDecision *decision = g_new (VpDecision, 1);

  decision->what = g_strdup (what);
  decision->value = g_strdup (value ?: "");
  decision->source = g_strdup (source ?: "");
  decision->key = NULL;
  decision->why = g_strdup (why ?: "");
  g_ptr_array_add (decisions, decision);
}

void
vp_decisions_set_key (GPtrArray *decisions, const char *key)
{
  VpDecision *decision = g_ptr_array_index (decisions, decisions->len - 1);

  g_free (decision->key);
  decision->key = g_strdup (key);
}

const VpDecision *
vp_decisions_find (const GPtrArray *decisions, const char *what)
{
  for (guint i = decisions != NULL ? decisions->len : 0; i > 0; i--)
    {
      const VpDecision *decision = g_ptr_array_index (decisions, i - 1);

      if (g_str_equal (decision->what, what))
        return decision;
    }
  return NULL;
}

void
vp_plan_note (VpPlan *plan, const char *what, const char *value, const char *source, const char *why)
{
  if (plan->decisions == NULL)
    plan->decisions = vp_decisions_new ();
  vp_decisions_add (plan->decisions, what, value, source, why);
}

void
vp_container_plan_note (VpContainerPlan *plan, const char *what, const char *value, const char *source,
                        const char *why)
{
  if (plan->decisions == NULL)
    plan->decisions = vp_decisions_new ();
  vp_decisions_add (plan->decisions, what, value, source, why);
}

void
vp_plan_note_f (VpPlan *plan, const char *what, const char *source, const char *why, const char *format, ...)
{
  g_autofree char *value = NULL;
  va_list args;

  va_start (args, format);
  value = g_strdup_vprintf (format, args);
  va_end (args);
  vp_plan_note (plan, what, value, source, why);
}
