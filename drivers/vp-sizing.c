/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sizing.h"

#include <string.h>

#include "vp-annotation-resource.h"
#include "vp-decision.h"

#define MIB (G_GUINT64_CONSTANT (1) << 20)
#define CPU VP_SIZING_CPU
#define CPUS_MAX (G_GUINT64_CONSTANT (1) << 20) /* more is as good as no limit */
#define MEMORY_NO_LIMIT                                                                                      \
  (G_GINT64_CONSTANT (1) << 50) /* written for "none" by those who have no word for it */
#define SHARES_OF_CPU 1024
#define DEFAULT_PERIOD 100000 /* microseconds, the kernel's */

/* ---- arithmetic ------------------------------------------------------------- */

static guint64
divide_up (guint64 number, guint64 by)
{
  return number / by + (number % by != 0);
}

guint64
vp_sizing_quota_to_cpus (gint64 quota, guint64 period)
{
  guint64 whole, rest;

  if (quota <= 0 || period == 0)
    return 0;
  whole = (guint64)quota / period;
  rest = (guint64)quota % period;
  if (whole >= CPUS_MAX)
    return CPUS_MAX * CPU;
  /* periods the kernel takes are exact; of others the last digits do not matter */
  if (rest <= G_MAXUINT64 / CPU)
    return whole * CPU + divide_up (rest * CPU, period);
  return whole * CPU + divide_up (rest, divide_up (period, CPU));
}

guint
vp_sizing_count_cpuset (const char *cpus)
{
  g_auto (GStrv) ranges = g_strsplit (cpus, ",", -1);
  guint64 n = 0;

  for (char **range = ranges; *range != NULL; range++)
    {
      char *dash = strchr (g_strstrip (*range), '-');
      guint64 first, last;

      if (dash != NULL)
        *dash = '\0';
      if (!g_ascii_string_to_unsigned (*range, 10, 0, CPUS_MAX, &first, NULL)
          || !g_ascii_string_to_unsigned (dash != NULL ? dash + 1 : *range, 10, first, CPUS_MAX, &last, NULL))
        return 0;
      n += last - first + 1;
    }
  return (guint)MIN (n, CPUS_MAX);
}

/* A configured number of CPUs in millionths. */
static guint64
config_cpus (VpConfig *config, VpConfigKey key)
{
  return (guint64)(vp_config_get_double (config, key) * (double)CPU + 0.5);
}

/* ---- what the workload is limited to ---------------------------------------- */

static VpJson *
get_resources (VpSpec *spec, const char *part)
{
  VpJson *json = vp_json_lookup (vp_spec_get_json (spec), "linux");

  json = json != NULL ? vp_json_lookup (json, "resources") : NULL;
  return json != NULL ? vp_json_lookup (json, part) : NULL;
}

static void
read_spec_cpus (VpSpec *spec, VpWorkload *ret)
{
  guint64 period = vp_spec_get_cpu_period (spec);
  const char *cpus = vp_spec_get_cpus (spec);

  ret->cpus = vp_sizing_quota_to_cpus (vp_spec_get_cpu_quota (spec), period != 0 ? period : DEFAULT_PERIOD);
  ret->cpu_source = ret->cpus != 0 ? "spec linux.resources.cpu.quota" : NULL;
  if (ret->cpus != 0 || cpus == NULL)
    return;
  /* without a quota, a container that is bound to CPUs can use all of those */
  ret->cpus = vp_sizing_count_cpuset (cpus) * CPU;
  ret->cpu_source = ret->cpus != 0 ? "spec linux.resources.cpu.cpus" : NULL;
}

static void
read_spec_memory (VpSpec *spec, VpWorkload *ret)
{
  gint64 limit = vp_spec_get_memory_limit (spec);
  VpJson *pages = get_resources (spec, "hugepageLimits");

  if (limit > 0)
    {
      ret->memory = (guint64)limit;
      ret->memory_source = "spec linux.resources.memory.limit";
    }
  for (guint i = 0; pages != NULL && i < vp_json_get_n_items (pages); i++)
    {
      VpJson *item = vp_json_lookup (vp_json_get_item (pages, i), "limit");
      guint64 bytes;

      /* huge pages are not charged to the limit of the memory */
      if (item == NULL || !vp_json_get_uint64 (item, &bytes) || bytes == 0 || bytes >= MEMORY_NO_LIMIT
          || ret->memory >= MEMORY_NO_LIMIT)
        continue;
      ret->memory += bytes;
      if (ret->memory_source == NULL)
        ret->memory_source = "spec linux.resources.hugepageLimits";
    }
}

static void
read_pod (const VpSandboxResources *pod, VpWorkload *ret)
{
  ret->cpus = vp_sizing_quota_to_cpus (pod->cpu_quota, pod->cpu_period);
  /* pods that get whole CPUs of their own have no quota but shares for them */
  if (ret->cpus == 0 && pod->cpu_quota < 0)
    ret->cpus = MIN (divide_up (pod->cpu_shares, SHARES_OF_CPU), CPUS_MAX) * CPU;
  ret->cpu_source = ret->cpus != 0 ? pod->cpu_name : NULL;
  if (pod->memory > 0 && pod->memory < MEMORY_NO_LIMIT)
    {
      ret->memory = (guint64)pod->memory;
      ret->memory_source = pod->memory_name;
    }
}

gboolean
vp_sizing_read_workload (VpSpec *spec, VpContainerType type, VpWorkload *ret, GError **error)
{
  VpSandboxResources pod;
  VpWorkload found = { 0 };

  if (!vp_annotation_get_sandbox_resources (spec, &pod, error))
    return FALSE;
  if (type == VP_CONTAINER_SANDBOX)
    read_pod (&pod, &found);
  else
    {
      read_spec_cpus (spec, &found);
      read_spec_memory (spec, &found);
    }
  *ret = found;
  return TRUE;
}

/* ---- decisions -------------------------------------------------------------- */

/* What there is besides the workload, and who said so. */
typedef struct
{
  VpConfigKey cpus, memory;
} Own;

/* An overhead is meant for workloads with limits; it takes the place of the
 * sandbox's own, which then is the size of sandboxes without. */
static Own
find_own (const VpWorkload *workload, VpConfig *config)
{
  Own own = { VP_CONFIG_HYPERVISOR_VCPUS, VP_CONFIG_HYPERVISOR_MEMORY_MIB };

  if (!vp_config_get_bool (config, VP_CONFIG_RUNTIME_STATIC_RESOURCES)
      || (workload->cpus == 0 && workload->memory == 0))
    return own;
  if (workload->cpus != 0 && !vp_config_is_default (config, VP_CONFIG_RUNTIME_OVERHEAD_VCPUS))
    own.cpus = VP_CONFIG_RUNTIME_OVERHEAD_VCPUS;
  if (workload->memory != 0 && !vp_config_is_default (config, VP_CONFIG_RUNTIME_OVERHEAD_MEMORY_MIB))
    own.memory = VP_CONFIG_RUNTIME_OVERHEAD_MEMORY_MIB;
  return own;
}

/* The source of a sum: that of the summand that is not always there. @sum: the two
 * summands as text, NULL without a workload. */
static void
note_sum (VpPlan *plan, VpConfig *config, const char *what, const char *value, VpConfigKey own,
          const char *workload_source, char *sum[2])
{
  const char *source = vp_config_get_source (config, own);
  g_autofree char *why = NULL;

  if (workload_source != NULL)
    why = g_strdup_printf ("%s (%s, %s) + %s (%s)", sum[0], vp_config_key_name (own), source, sum[1],
                           workload_source);
  vp_plan_note (plan, what, value, workload_source ?: source, why);
  vp_decisions_set_key (plan->decisions, vp_config_key_name (own));
}

/* The most there can be, 0 for "not known", and what says so. */
static guint64
limit_of (guint64 configured, guint64 host, guint64 machine, VpConfig *config, VpConfigKey key,
          const char **ret_source)
{
  guint64 limit = configured;

  *ret_source = vp_config_get_source (config, key);
  if (host != 0 && (limit == 0 || host < limit))
    {
      limit = host;
      *ret_source = "host";
    }
  if (machine != 0 && (limit == 0 || machine < limit))
    {
      limit = machine;
      *ret_source = "hypervisor";
    }
  return limit;
}

static void
decide_cpus (VpPlan *plan, const VpWorkload *workload, VpConfig *config, const VpFactsInit *facts,
             const VpDriver *driver, VpConfigKey own)
{
  guint64 base = config_cpus (config, own);
  guint64 vcpus = MAX (divide_up (base + workload->cpus, CPU), 1);
  const char *source;
  guint64 limit = limit_of (vp_config_get_uint (config, VP_CONFIG_HYPERVISOR_MAX_VCPUS), facts->host_cpus,
                            facts->max_vcpus, config, VP_CONFIG_HYPERVISOR_MAX_VCPUS, &source);
  g_autofree char *value = g_strdup_printf ("%" G_GUINT64_FORMAT, vcpus);
  g_autofree char *own_text = g_strdup_printf ("%g", (double)base / (double)CPU);
  g_autofree char *workload_text = g_strdup_printf ("%g", (double)workload->cpus / (double)CPU);
  char *sum[] = { own_text, workload_text };

  note_sum (plan, config, "vcpus", value, own, workload->cpu_source, sum);
  if (limit != 0 && vcpus > limit)
    {
      vcpus = limit;
      vp_plan_note_f (plan, "vcpus", source, "not more than there can be", "%" G_GUINT64_FORMAT, vcpus);
    }
  plan->vcpus = (guint)MIN (vcpus, CPUS_MAX);
  if (vp_config_get_bool (config, VP_CONFIG_RUNTIME_STATIC_RESOURCES) || limit <= vcpus)
    return;
  if (!vp_driver_can (driver, VP_FEATURE_VCPU_HOTPLUG, facts->libvirt_version))
    {
      vp_plan_note (plan, "max vcpus", value, "hypervisor", "it cannot plug in more later");
      return;
    }
  plan->max_vcpus = (guint)limit;
  vp_plan_note_f (plan, "max vcpus", source, "", "%u", plan->max_vcpus);
}

static void
decide_max_memory (VpPlan *plan, VpConfig *config, const VpFactsInit *facts, const VpDriver *driver,
                   guint64 limit, const char *source)
{
  guint64 offset = divide_up (vp_config_get_uint (config, VP_CONFIG_HYPERVISOR_MEMORY_OFFSET), MIB);
  guint64 slots = vp_config_get_uint (config, VP_CONFIG_HYPERVISOR_MEMORY_SLOTS);
  gboolean grows = !vp_config_get_bool (config, VP_CONFIG_RUNTIME_STATIC_RESOURCES)
                   && limit * MIB > plan->memory && slots > 0;

  if (grows && !vp_driver_can (driver, VP_FEATURE_MAX_MEMORY, facts->libvirt_version))
    {
      vp_plan_note_f (plan, "max memory", "hypervisor", "it cannot plug in more later",
                      "%" G_GUINT64_FORMAT " MiB", plan->memory / MIB);
      return;
    }
  if (grows)
    {
      plan->max_memory = limit * MIB;
      vp_plan_note_f (plan, "max memory", source, "", "%" G_GUINT64_FORMAT " MiB", limit);
    }
  if (offset > 0)
    {
      plan->max_memory = vp_plan_get_max_memory (plan) + offset * MIB;
      vp_plan_note_f (plan, "max memory", vp_config_get_source (config, VP_CONFIG_HYPERVISOR_MEMORY_OFFSET),
                      "with room for memory devices", "%" G_GUINT64_FORMAT " MiB", plan->max_memory / MIB);
    }
  if (plan->max_memory > plan->memory)
    plan->memory_slots = (guint)slots;
}

/* The host only pays for pages that are touched. */
static void
decide_memory (VpPlan *plan, const VpWorkload *workload, VpConfig *config, const VpFactsInit *facts,
               const VpDriver *driver, VpConfigKey own)
{
  guint64 base = vp_config_get_uint (config, own);
  guint64 wanted = divide_up (workload->memory, MIB);
  guint64 memory = base + wanted;
  const char *source;
  guint64 limit
      = limit_of (vp_config_get_uint (config, VP_CONFIG_HYPERVISOR_MAX_MEMORY_MIB), facts->host_memory / MIB,
                  0, config, VP_CONFIG_HYPERVISOR_MAX_MEMORY_MIB, &source);
  g_autofree char *value = g_strdup_printf ("%" G_GUINT64_FORMAT " MiB", memory);
  g_autofree char *own_text = g_strdup_printf ("%" G_GUINT64_FORMAT " MiB", base);
  g_autofree char *workload_text = g_strdup_printf ("%" G_GUINT64_FORMAT " MiB", wanted);
  char *sum[] = { own_text, workload_text };

  note_sum (plan, config, "memory", value, own, workload->memory_source, sum);
  if (limit != 0 && memory > limit)
    {
      memory = limit;
      vp_plan_note_f (plan, "memory", source, "not more than there can be", "%" G_GUINT64_FORMAT " MiB",
                      memory);
    }
  plan->memory = memory * MIB;
  decide_max_memory (plan, config, facts, driver, limit, source);
}

void
vp_sizing_decide (VpPlan *plan, const VpWorkload *workload, VpConfig *config, const VpFactsInit *facts,
                  const VpDriver *driver)
{
  Own own = find_own (workload, config);

  decide_cpus (plan, workload, config, facts, driver, own.cpus);
  decide_memory (plan, workload, config, facts, driver, own.memory);
}
