/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-domain-xml-private.h"

#include "vp-error.h"

/* Switches that QEMU spells as features of the CPU and libvirt as the machine's. */
static gboolean
is_machine_feature (const char *name)
{
  return g_str_equal (name, "pmu") || g_str_equal (name, "kvm");
}

/* An interrupt to more of them than fit a byte passes the IOMMU and an I/O APIC
 * of the kernel's: QEMU would start and say so only then. */
static gboolean
check_number (const VpPlan *plan, guint max, GError **error)
{
  if (max <= VP_MAX_PLAIN_VCPUS || !g_str_equal (plan->arch, "x86_64")
      || (plan->accel == VP_ACCEL_KVM && plan->iommu == VP_IOMMU_INTEL))
    return TRUE;
  g_set_error (
      error, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
      "max-vcpus: %u vCPUs take an IOMMU (iommu: %s) and kvm (accelerator: %s), %u are possible without", max,
      vp_iommu_to_string (plan->iommu), vp_accel_to_string (plan->accel), VP_MAX_PLAIN_VCPUS);
  return FALSE;
}

gboolean
vp_domain_emit_vcpus (const VpPlan *plan, const VpDriver *driver, xmlNode *domain, GError **error)
{
  guint max = vp_plan_get_max_vcpus (plan);
  char text[16];
  xmlNode *node;

  if (driver->runs_guests && driver->has_buses && !check_number (plan, max, error))
    return FALSE;
  g_snprintf (text, sizeof text, "%u", max);
  node = vp_xml_add_word (domain, "vcpu", text);
  if (max > plan->vcpus)
    vp_xml_set_number (node, "current", plan->vcpus);
  if (plan->iothreads > 0)
    {
      g_snprintf (text, sizeof text, "%u", plan->iothreads);
      vp_xml_add_word (domain, "iothreads", text);
    }
  return TRUE;
}

/* What the plan calls a model is a mode of libvirt's for some. */
static const char *
get_mode (const VpPlan *plan)
{
  if (plan->cpu_model == NULL)
    return "host-passthrough";
  if (g_str_equal (plan->cpu_model, "host-model") || g_str_equal (plan->cpu_model, "maximum"))
    return plan->cpu_model;
  return "custom";
}

gboolean
vp_domain_emit_cpu (const VpPlan *plan, xmlNode *domain, GError **error)
{
  xmlNode *cpu = vp_xml_child (domain, "cpu"), *node;
  const char *mode = get_mode (plan);

  vp_xml_set_word (cpu, "mode", mode);
  if (g_str_equal (mode, "custom"))
    {
      vp_xml_set_word (cpu, "match", "exact");
      /* emulation lacks features of every model: none of them is worth a refusal */
      vp_xml_set_word (cpu, "check", plan->accel == VP_ACCEL_TCG ? "none" : "partial");
      if (!vp_xml_add_text (cpu, "model", plan->cpu_model, error))
        return FALSE;
      vp_xml_set_word (xmlGetLastChild (cpu), "fallback", "forbid");
    }
  for (guint i = 0; i < plan->cpu_features->len; i++)
    {
      const VpCpuFeature *feature = g_ptr_array_index (plan->cpu_features, i);

      if (is_machine_feature (feature->name))
        continue;
      node = vp_xml_child (cpu, "feature");
      vp_xml_set_word (node, "policy", feature->on ? "require" : "disable");
      if (!vp_xml_set (node, "name", feature->name, error))
        return FALSE;
    }
  return vp_domain_emit_numa (plan, cpu, error);
}

void
vp_domain_emit_cpu_features (const VpPlan *plan, xmlNode *features)
{
  for (guint i = 0; i < plan->cpu_features->len; i++)
    {
      const VpCpuFeature *feature = g_ptr_array_index (plan->cpu_features, i);

      if (g_str_equal (feature->name, "pmu"))
        vp_xml_set_word (vp_xml_child (features, "pmu"), "state", feature->on ? "on" : "off");
      else if (g_str_equal (feature->name, "kvm"))
        vp_xml_set_word (vp_xml_child (vp_xml_child (features, "kvm"), "hidden"), "state",
                         feature->on ? "off" : "on");
    }
}
