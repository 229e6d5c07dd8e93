/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-plan.h"

#include <string.h>

#include "vp-error.h"

void
vp_plan_set_cpu_feature (VpPlan *plan, const char *name, gboolean on)
{
  VpCpuFeature *feature;

  for (guint i = 0; i < plan->cpu_features->len; i++)
    {
      feature = g_ptr_array_index (plan->cpu_features, i);
      if (g_str_equal (feature->name, name))
        {
          feature->on = on;
          return;
        }
    }
  feature = g_new0 (VpCpuFeature, 1);
  feature->name = g_strdup (name);
  feature->on = on;
  g_ptr_array_add (plan->cpu_features, feature);
}

/* "+x", "-x", "x", "x=on", "x=off": what QEMU takes and means a switch. */
static gboolean
parse_one (VpPlan *plan, const char *word, const char *what, GError **error)
{
  const char *value = strchr (word, '=');
  const char *start = word + (word[0] == '+' || word[0] == '-');
  gsize len = value != NULL ? (gsize)(value - start) : strlen (start);
  g_autofree char *name = g_strndup (start, len);
  gboolean on = word[0] != '-';

  if (len == 0 || strspn (name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-_.") != len
      || (value != NULL && start != word))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: \"%s\" is no feature of a CPU", what,
                   word);
      return FALSE;
    }
  if (value != NULL)
    {
      on = g_str_equal (value, "=on");
      if (!on && !g_str_equal (value, "=off"))
        {
          g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
                       "%s: \"%s\": libvirt switches features on or off and gives them no values", what,
                       word);
          return FALSE;
        }
    }
  vp_plan_set_cpu_feature (plan, name, on);
  return TRUE;
}

gboolean
vp_plan_parse_cpu_features (VpPlan *plan, const char *text, const char *what, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);

  for (char **word = words; *word != NULL; word++)
    {
      g_strstrip (*word);
      if ((*word)[0] != '\0' && !parse_one (plan, *word, what, error))
        return FALSE;
    }
  return TRUE;
}
