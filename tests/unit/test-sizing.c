/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "vp-decision.h"
#include "vp-error.h"
#include "vp-sizing.h"

#define MIB (G_GUINT64_CONSTANT (1) << 20)
#define CRI "io.kubernetes.cri.sandbox-"
#define CPU VP_SIZING_CPU

static VpSpec *
make_spec (const char *rest)
{
  g_autofree char *text = g_strdup_printf ("{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"process\":{"
                                           "\"args\":[\"x\"],\"cwd\":\"/\"}%s}",
                                           rest);
  g_autoptr (GError) error = NULL;
  VpSpec *spec = vp_spec_parse (text, strlen (text), "/b", &error);

  g_assert_no_error (error);
  return spec;
}

/* ---- what the workload says ------------------------------------------------- */

static void
test_quota (void)
{
  static const struct
  {
    gint64 quota;
    guint64 period, cpus;
  } cases[] = {
    { 100000, 100000, CPU },
    { 50000, 100000, CPU / 2 },
    { 1, 100000, 10 },
    { 1, 3, 333334 },
    { 300001, 100000, 3000010 },
    { 0, 100000, 0 },
    { -1, 100000, 0 },
    { G_MININT64, 100000, 0 },
    { 100000, 0, 0 },
    { G_MAXINT64, 1, CPU << 20 },
    { G_MAXINT64, G_MAXUINT64, CPU / 2 },
    /* 0 in 32 bits */
    { G_GINT64_CONSTANT (4294967296), G_GUINT64_CONSTANT (4294967296), CPU },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpuint (vp_sizing_quota_to_cpus (cases[i].quota, cases[i].period), ==, cases[i].cpus);
}

static void
test_cpuset (void)
{
  static const struct
  {
    const char *cpus;
    guint n;
  } cases[] = {
    { "0", 1 },   { "0-3", 4 }, { "0-3,8", 5 }, { " 1 , 3 ", 2 },      { "", 0 },
    { "3-1", 0 }, { "a", 0 },   { "0,", 0 },    { "0-4294967296", 0 }, { "1--2", 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpuint (vp_sizing_count_cpuset (cases[i].cpus), ==, cases[i].n);
}

static void
test_workload (void)
{
  static const struct
  {
    VpContainerType type;
    const char *rest;
    guint64 cpus, memory;
    const char *cpu_source, *memory_source;
  } cases[] = {
    { VP_CONTAINER_SINGLE, "", 0, 0, NULL, NULL },
    { VP_CONTAINER_SINGLE, ",\"linux\":{\"resources\":{\"cpu\":{\"quota\":150000},\"memory\":{\"limit\":5}}}",
      CPU * 3 / 2, 5, "spec linux.resources.cpu.quota", "spec linux.resources.memory.limit" },
    { VP_CONTAINER_SINGLE, ",\"linux\":{\"resources\":{\"cpu\":{\"quota\":-1,\"cpus\":\"0-1,4\"}}}", 3 * CPU,
      0, "spec linux.resources.cpu.cpus", NULL },
    { VP_CONTAINER_SINGLE,
      ",\"linux\":{\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304},{\"pageSize\":"
      "\"1GB\",\"limit\":9223372036854771712}]}}",
      0, 4 * MIB, NULL, "spec linux.resources.hugepageLimits" },
    { VP_CONTAINER_SINGLE, ",\"linux\":{\"resources\":{\"memory\":{\"limit\":9223372036854771712}}}", 0, 0,
      NULL, NULL },
    /* what a pod's own container has is not the pod's */
    { VP_CONTAINER_SANDBOX,
      ",\"linux\":{\"resources\":{\"cpu\":{\"quota\":150000},\"memory\":{\"limit\":5}}}", 0, 0, NULL, NULL },
    { VP_CONTAINER_SANDBOX,
      ",\"annotations\":{\"" CRI "cpu-period\":\"100000\",\"" CRI "cpu-quota\":\"250000\",\"" CRI
      "cpu-shares\":\"8192\",\"" CRI "memory\":\"4294967296\"}",
      CPU * 5 / 2, 4096 * MIB, CRI "cpu-quota", CRI "memory" },
    { VP_CONTAINER_SANDBOX,
      ",\"annotations\":{\"" CRI "cpu-period\":\"100000\",\"" CRI "cpu-quota\":\"-1\",\"" CRI
      "cpu-shares\":\"1025\"}",
      2 * CPU, 0, CRI "cpu-quota", NULL },
    { VP_CONTAINER_SANDBOX,
      ",\"annotations\":{\"" CRI "cpu-period\":\"100000\",\"" CRI "cpu-quota\":\"0\",\"" CRI
      "cpu-shares\":\"1024\",\"" CRI "memory\":\"-1\"}",
      0, 0, NULL, NULL },
    { VP_CONTAINER_SANDBOX, ",\"annotations\":{\"" CRI "cpu-quota\":\"100000\"}", 0, 0, NULL, NULL },
    { VP_CONTAINER_SANDBOX, ",\"annotations\":{\"" CRI "memory\":\"9223372036854775807\"}", 0, 0, NULL,
      NULL },
    { VP_CONTAINER_SANDBOX,
      ",\"annotations\":{\"pod-linux-resources.crio.io\":\"{\\\"cpu_period\\\":100000,\\\"cpu_quota\\\":"
      "200000,"
      "\\\"memory_limit_in_bytes\\\":1048576,\\\"unified\\\":{}}\"}",
      2 * CPU, MIB, "pod-linux-resources.crio.io", "pod-linux-resources.crio.io" },
    /* its former name, when that is all there is */
    { VP_CONTAINER_SANDBOX,
      ",\"annotations\":{\"io.kubernetes.cri-o.PodLinuxResources\":\"{\\\"memory_limit_in_bytes\\\":7}\"}", 0,
      7, NULL, "io.kubernetes.cri-o.PodLinuxResources" },
    { VP_CONTAINER_SANDBOX,
      ",\"annotations\":{\"io.kubernetes.cri-o.PodLinuxResources\":\"{\\\"memory_limit_in_bytes\\\":7}\","
      "\"pod-linux-resources.crio.io\":\"{\\\"memory_limit_in_bytes\\\":8}\"}",
      0, 8, NULL, "pod-linux-resources.crio.io" },
    /* containerd is believed before CRI-O */
    { VP_CONTAINER_SANDBOX,
      ",\"annotations\":{\"pod-linux-resources.crio.io\":\"{\\\"memory_limit_in_bytes\\\":8}\",\"" CRI
      "memory\":\"9\"}",
      0, 9, NULL, CRI "memory" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VpSpec) spec = make_spec (cases[i].rest);
      g_autoptr (GError) error = NULL;
      VpWorkload workload;

      vp_sizing_read_workload (spec, cases[i].type, &workload, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (workload.cpus, ==, cases[i].cpus);
      g_assert_cmpuint (workload.memory, ==, cases[i].memory);
      g_assert_cmpstr (workload.cpu_source, ==, cases[i].cpu_source);
      g_assert_cmpstr (workload.memory_source, ==, cases[i].memory_source);
    }
}

static void
test_refused (void)
{
  static const struct
  {
    const char *annotation, *words;
  } cases[] = {
    { "\"" CRI "cpu-period\":\"-1\"", "annotations[\"" CRI "cpu-period\"]: must be a number of 64 bits" },
    { "\"" CRI "cpu-quota\":\"1.5\"", "must be a number" },
    { "\"" CRI "cpu-shares\":\"\"", "must be a number" },
    { "\"" CRI "memory\":\"9223372036854775808\"", "must be a number" },
    { "\"" CRI "memory\":\"1Gi\"", "must be a number" },
    { "\"pod-linux-resources.crio.io\":\"{\"", "annotations[\"pod-linux-resources.crio.io\"]: " },
    { "\"pod-linux-resources.crio.io\":\"[]\"", "must be an object" },
    { "\"pod-linux-resources.crio.io\":\"{\\\"cpu_quota\\\":\\\"1\\\"}\"", "cpu_quota" },
    { "\"io.kubernetes.cri-o.PodLinuxResources\":\"{\\\"cpu_period\\\":-1}\"", "cpu_period" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *rest = g_strdup_printf (",\"annotations\":{%s}", cases[i].annotation);
      g_autoptr (VpSpec) spec = make_spec (rest);
      g_autoptr (GError) error = NULL;
      VpWorkload workload;

      g_assert_false (vp_sizing_read_workload (spec, VP_CONTAINER_SANDBOX, &workload, &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      if (strstr (error->message, cases[i].words) == NULL)
        g_error ("\"%s\" lacks \"%s\"", error->message, cases[i].words);
    }
}

/* ---- how large -------------------------------------------------------------- */

typedef struct
{
  const char *settings; /* "key=value key=value" */
  guint64 cpus, memory; /* of the workload: millionths, bytes */
  guint vcpus, max_vcpus;
  guint64 mib, max_mib;
  guint slots;
} Size;

/* on a host with 8 CPUs and 16 GiB */
static const Size sizes[] = {
  { "", 0, 0, 1, 1, 256, 256, 0 },
  /* fractions are added before they are rounded */
  { "hypervisor.vcpus=0.5", CPU / 2, 0, 1, 1, 256, 256, 0 },
  { "hypervisor.vcpus=0.5", CPU / 2 + 1, 0, 2, 2, 256, 256, 0 },
  { "hypervisor.vcpus=0.7", 3 * CPU / 10, 0, 1, 1, 256, 256, 0 },
  { "hypervisor.vcpus=2", 3 * CPU / 2, 0, 4, 4, 256, 256, 0 },
  { "", 0, 1, 1, 1, 257, 257, 0 },
  { "", 0, MIB, 1, 1, 257, 257, 0 },
  { "", 0, MIB + 1, 1, 1, 258, 258, 0 },
  { "", 0, 3072 * MIB, 1, 1, 3328, 3328, 0 },
  /* ceilings */
  { "", 100 * CPU, 0, 8, 8, 256, 256, 0 },
  { "hypervisor.max-vcpus=3", 100 * CPU, 0, 3, 3, 256, 256, 0 },
  { "hypervisor.max-vcpus=100", 100 * CPU, 0, 8, 8, 256, 256, 0 },
  { "hypervisor.vcpus=100", 0, 0, 8, 8, 256, 256, 0 },
  { "", 0, (G_GUINT64_CONSTANT (1) << 50) - 1, 1, 1, 16384, 16384, 0 },
  { "hypervisor.max-memory-mib=512", 0, 1024 * MIB, 1, 1, 512, 512, 0 },
  { "hypervisor.max-memory-mib=999999", 0, 20000 * MIB, 1, 1, 16384, 16384, 0 },
  /* an overhead takes the place of the sandbox's own, where there is a limit */
  { "runtime.overhead-vcpus=0.5 hypervisor.vcpus=2", 3 * CPU / 2, 0, 2, 2, 256, 256, 0 },
  { "runtime.overhead-vcpus=0.5 hypervisor.vcpus=2", 0, 0, 2, 2, 256, 256, 0 },
  { "runtime.overhead-memory-mib=128", 0, 600 * MIB, 1, 1, 728, 728, 0 },
  { "runtime.overhead-memory-mib=128", CPU, 0, 2, 2, 256, 256, 0 },
  { "runtime.overhead-vcpus=0", CPU / 2, 0, 1, 1, 256, 256, 0 },
  { "runtime.overhead-vcpus=0.5 runtime.static-resources=false", CPU, 0, 2, 8, 256, 16384, 10 },
  /* room for more */
  { "runtime.static-resources=false", 0, 0, 1, 8, 256, 16384, 10 },
  { "runtime.static-resources=false hypervisor.max-vcpus=4 hypervisor.max-memory-mib=1024", 0, 0, 1, 4, 256,
    1024, 10 },
  { "runtime.static-resources=false hypervisor.memory-slots=0", 0, 0, 1, 8, 256, 256, 0 },
  { "runtime.static-resources=false hypervisor.memory-slots=3", 0, 0, 1, 8, 256, 16384, 3 },
  { "hypervisor.memory-offset=1Gi", 0, 0, 1, 1, 256, 1280, 10 },
  { "runtime.static-resources=false hypervisor.memory-offset=1", 0, 0, 1, 8, 256, 16385, 10 },
};

static VpConfig *
make_config (const char *settings)
{
  VpConfig *config = vp_config_new_default ();
  g_auto (GStrv) items = g_strsplit (settings, " ", -1);

  for (char **item = items; *item != NULL && (*item)[0] != '\0'; item++)
    {
      g_auto (GStrv) pair = g_strsplit (*item, "=", 2);
      g_autoptr (GError) error = NULL;

      vp_config_override (config, pair[0], pair[1], &error);
      g_assert_no_error (error);
    }
  return config;
}

static VpPlan *
decide (const Size *size, const char *driver)
{
  VpPlan *plan = vp_plan_new ();
  g_autoptr (VpConfig) config = make_config (size->settings);
  VpFactsInit facts = { .host_cpus = 8, .host_memory = G_GUINT64_CONSTANT (16) << 30, .max_vcpus = 288 };
  VpWorkload workload = { size->cpus, size->memory, "spec cpus", "spec memory" };

  if (size->cpus == 0)
    workload.cpu_source = NULL;
  if (size->memory == 0)
    workload.memory_source = NULL;
  vp_sizing_decide (plan, &workload, config, &facts, vp_driver_find (driver));
  return plan;
}

static void
test_sizes (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      const Size *size = &sizes[i];
      g_autoptr (VpPlan) plan = decide (size, "QEMU");

      g_test_message ("%u: %s", i, size->settings);
      g_assert_cmpuint (plan->vcpus, ==, size->vcpus);
      g_assert_cmpuint (vp_plan_get_max_vcpus (plan), ==, size->max_vcpus);
      g_assert_cmpuint (plan->memory, ==, size->mib * MIB);
      g_assert_cmpuint (vp_plan_get_max_memory (plan), ==, size->max_mib * MIB);
      g_assert_cmpuint (plan->memory_slots, ==, size->slots);
      g_assert_nonnull (vp_decisions_find (plan->decisions, "vcpus"));
      g_assert_nonnull (vp_decisions_find (plan->decisions, "memory"));
    }
}

/* Nothing is known of the host: what is asked for is given. */
static void
test_unknown_host (void)
{
  g_autoptr (VpPlan) plan = vp_plan_new ();
  g_autoptr (VpConfig) config = make_config ("runtime.static-resources=false");
  VpWorkload workload = { 100 * CPU, 1024 * MIB, "spec cpus", "spec memory" };
  VpFactsInit facts = { 0 };

  vp_sizing_decide (plan, &workload, config, &facts, &vp_driver_qemu);
  g_assert_cmpuint (plan->vcpus, ==, 101);
  g_assert_cmpuint (vp_plan_get_max_vcpus (plan), ==, 101);
  g_assert_cmpuint (plan->memory, ==, 1280 * MIB);
  g_assert_cmpuint (vp_plan_get_max_memory (plan), ==, 1280 * MIB);
}

static void
test_notes (void)
{
  static const Size size = { "hypervisor.vcpus=2 hypervisor.max-vcpus=3", 3 * CPU / 2, MIB, 0, 0, 0, 0, 0 };
  g_autoptr (VpPlan) plan = decide (&size, "QEMU");
  const VpDecision *first = g_ptr_array_index (plan->decisions, 0);
  const VpDecision *last = vp_decisions_find (plan->decisions, "vcpus");

  g_assert_cmpstr (first->what, ==, "vcpus");
  g_assert_cmpstr (first->value, ==, "4");
  g_assert_cmpstr (first->source, ==, "spec cpus");
  g_assert_cmpstr (first->why, ==, "2 (hypervisor.vcpus, command line) + 1.5 (spec cpus)");
  g_assert_cmpstr (last->value, ==, "3");
  g_assert_cmpstr (last->source, ==, "command line");
  last = vp_decisions_find (plan->decisions, "memory");
  g_assert_cmpstr (last->value, ==, "257 MiB");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sizing/quota", test_quota);
  g_test_add_func ("/sizing/cpuset", test_cpuset);
  g_test_add_func ("/sizing/workload", test_workload);
  g_test_add_func ("/sizing/refused", test_refused);
  g_test_add_func ("/sizing/sizes", test_sizes);
  g_test_add_func ("/sizing/unknown-host", test_unknown_host);
  g_test_add_func ("/sizing/notes", test_notes);
  return g_test_run ();
}
