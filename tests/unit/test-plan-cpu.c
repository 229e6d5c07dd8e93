/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-error.h"
#include "vp-plan.h"

static void
test_parse (void)
{
  static const struct
  {
    const char *text, *result;
  } cases[] = {
    { "", "" },
    { "pmu=off", "pmu=off " },
    { " pmu=off , +avx2,-svm,ssse3 ", "pmu=off avx2=on svm=off ssse3=on " },
    { "sse4.1,sse4_2=on,,", "sse4.1=on sse4_2=on " },
    { "pmu=off,pmu=on", "pmu=on " },
    { "+a,-a,b", "a=off b=on " },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VpPlan) plan = vp_plan_new ();
      g_autoptr (GError) error = NULL;
      g_autoptr (GString) result = g_string_new (NULL);

      g_assert_true (vp_plan_parse_cpu_features (plan, cases[i].text, "cpu-features", &error));
      g_assert_no_error (error);
      for (guint f = 0; f < plan->cpu_features->len; f++)
        {
          const VpCpuFeature *feature = g_ptr_array_index (plan->cpu_features, f);
          g_string_append_printf (result, "%s=%s ", feature->name, feature->on ? "on" : "off");
        }
      g_assert_cmpstr (result->str, ==, cases[i].result);
    }
}

static void
test_refused (void)
{
  static const struct
  {
    const char *text, *message;
    VpError code;
  } cases[] = {
    { "+", "cpu-features: \"+\" is no feature of a CPU", VP_ERROR_INVALID_ARGUMENT },
    { "=on", "cpu-features: \"=on\" is no feature of a CPU", VP_ERROR_INVALID_ARGUMENT },
    { "+a=on", "cpu-features: \"+a=on\" is no feature of a CPU", VP_ERROR_INVALID_ARGUMENT },
    { "a b", "cpu-features: \"a b\" is no feature of a CPU", VP_ERROR_INVALID_ARGUMENT },
    { "<a/>", "cpu-features: \"<a/>\" is no feature of a CPU", VP_ERROR_INVALID_ARGUMENT },
    { "level=3", "cpu-features: \"level=3\": libvirt switches features on or off and gives them no values",
      VP_ERROR_NOT_SUPPORTED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VpPlan) plan = vp_plan_new ();
      g_autoptr (GError) error = NULL;

      g_assert_false (vp_plan_parse_cpu_features (plan, cases[i].text, "cpu-features", &error));
      g_assert_error (error, VP_ERROR, (int)cases[i].code);
      g_assert_cmpstr (error->message, ==, cases[i].message);
    }
}

static void
test_ceilings (void)
{
  g_autoptr (VpPlan) plan = vp_plan_new ();

  plan->vcpus = 4;
  plan->memory = 1 << 30;
  g_assert_cmpuint (vp_plan_get_max_vcpus (plan), ==, 4);
  g_assert_cmpuint (vp_plan_get_max_memory (plan), ==, 1 << 30);
  plan->max_vcpus = 2;
  plan->max_memory = 1 << 20;
  g_assert_cmpuint (vp_plan_get_max_vcpus (plan), ==, 4);
  g_assert_cmpuint (vp_plan_get_max_memory (plan), ==, 1 << 30);
  plan->max_vcpus = 8;
  g_assert_cmpuint (vp_plan_get_max_vcpus (plan), ==, 8);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan-cpu/parse", test_parse);
  g_test_add_func ("/plan-cpu/refused", test_refused);
  g_test_add_func ("/plan-cpu/ceilings", test_ceilings);
  return g_test_run ();
}
