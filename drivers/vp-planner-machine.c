/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-planner-private.h"

#include <string.h>

#include "vp-decision.h"
#include "vp-sizing.h"

static gboolean
decide_accel (VpPlanning *p, GError **error)
{
  const VpConfigKey key = VP_CONFIG_HYPERVISOR_ACCEL;
  const char *why = "";

  if (!p->driver->runs_guests)
    {
      p->plan->accel = VP_ACCEL_NONE;
      why = "libvirt's driver runs no guests";
    }
  else if (vp_planning_is (p, key, "tcg"))
    p->plan->accel = VP_ACCEL_TCG;
  else if (p->facts->kvm_usable)
    p->plan->accel = VP_ACCEL_KVM;
  else if (vp_planning_is (p, key, "kvm"))
    return vp_planning_not_supported (p, key, error, "kvm cannot be used here: %s", p->facts->kvm_reason);
  else
    {
      p->plan->accel = VP_ACCEL_TCG;
      why = p->facts->kvm_reason;
    }
  vp_planning_note (p, "accel", vp_accel_to_string (p->plan->accel), key, why);
  return TRUE;
}

/* The default is that of a PC. */
static void
decide_machine (VpPlanning *p)
{
  const VpConfigKey key = VP_CONFIG_HYPERVISOR_MACHINE;

  if (g_str_equal (p->plan->arch, "aarch64") && vp_config_is_default (p->config, key))
    {
      p->plan->machine = g_strdup ("virt");
      vp_plan_note (p->plan, "machine", "virt", "host", "the machine of this architecture");
      return;
    }
  p->plan->machine = g_strdup (vp_config_get_string (p->config, key));
  vp_planning_note (p, "machine", p->plan->machine, key, NULL);
}

static gboolean
decide_cpu (VpPlanning *p, GError **error)
{
  const VpConfigKey key = VP_CONFIG_HYPERVISOR_CPU_FEATURES;
  g_autofree char *what
      = g_strdup_printf ("%s: %s", vp_config_get_source (p->config, key), vp_config_key_name (key));
  VpPlan *plan = p->plan;

  plan->cpu_model = vp_planning_dup (p, VP_CONFIG_HYPERVISOR_CPU_MODEL);
  if (plan->cpu_model != NULL)
    vp_planning_note (p, "cpu model", plan->cpu_model, VP_CONFIG_HYPERVISOR_CPU_MODEL, NULL);
  else if (plan->accel == VP_ACCEL_KVM)
    vp_planning_note (p, "cpu model", "the host's", VP_CONFIG_HYPERVISOR_CPU_MODEL, NULL);
  else
    {
      /* boots faster than "max": each feature is something for the kernel to set up */
      plan->cpu_model = g_strdup (g_str_equal (plan->arch, "aarch64") ? "cortex-a57" : "qemu64");
      vp_planning_note (p, "cpu model", plan->cpu_model, VP_CONFIG_HYPERVISOR_CPU_MODEL,
                        "the one that boots fastest when it is emulated");
    }
  if (!vp_plan_parse_cpu_features (plan, vp_config_get_string (p->config, key), what, error))
    return FALSE;
  vp_planning_note_chosen (p, "cpu features", vp_config_get_string (p->config, key), key, NULL);
  return TRUE;
}

static void
decide_iommu (VpPlanning *p)
{
  const char *machine = p->plan->machine;

  if (vp_planning_bool (p, VP_CONFIG_HYPERVISOR_IOMMU))
    {
      if (strstr (machine, "q35") != NULL)
        p->plan->iommu = VP_IOMMU_INTEL;
      else if (g_str_has_prefix (machine, "virt"))
        p->plan->iommu = VP_IOMMU_SMMUV3;
      else
        p->plan->iommu = VP_IOMMU_VIRTIO;
    }
  vp_planning_note_chosen (p, "iommu", vp_iommu_to_string (p->plan->iommu), VP_CONFIG_HYPERVISOR_IOMMU,
                           "the kind the machine has");
  p->plan->iommu_platform = vp_planning_bool (p, VP_CONFIG_HYPERVISOR_IOMMU_PLATFORM);
  vp_planning_note_chosen (p, "iommu platform", p->plan->iommu_platform ? "true" : "false",
                           VP_CONFIG_HYPERVISOR_IOMMU_PLATFORM, NULL);
}

static void
decide_ports (VpPlanning *p)
{
  guint root = vp_planning_uint (p, VP_CONFIG_HYPERVISOR_PCIE_ROOT_PORTS);
  VpPlan *plan = p->plan;

  plan->hotplug_ports = vp_planning_uint (p, VP_CONFIG_HYPERVISOR_HOTPLUG_PORTS) + root;
  plan->switch_ports = vp_planning_uint (p, VP_CONFIG_HYPERVISOR_PCIE_SWITCH_PORTS);
  vp_planning_note (p, "hotplug ports", vp_config_get_string (p->config, VP_CONFIG_HYPERVISOR_HOTPLUG_PORTS),
                    VP_CONFIG_HYPERVISOR_HOTPLUG_PORTS, NULL);
  if (root > 0)
    vp_plan_note_f (plan, "hotplug ports",
                    vp_config_get_source (p->config, VP_CONFIG_HYPERVISOR_PCIE_ROOT_PORTS),
                    "with those for host devices", "%u", plan->hotplug_ports);
  vp_planning_note_chosen (p, "switch ports",
                           vp_config_get_string (p->config, VP_CONFIG_HYPERVISOR_PCIE_SWITCH_PORTS),
                           VP_CONFIG_HYPERVISOR_PCIE_SWITCH_PORTS, NULL);
}

static void
decide_disks (VpPlanning *p)
{
  guint shared = vp_planning_bool (p, VP_CONFIG_BLOCK_IOTHREADS) ? 1 : 0;

  p->plan->scsi_controller = vp_planning_bool (p, VP_CONFIG_BLOCK_ENABLED)
                             && vp_planning_is (p, VP_CONFIG_BLOCK_DRIVER, "virtio-scsi");
  vp_planning_note_chosen (p, "disks", vp_config_get_string (p->config, VP_CONFIG_BLOCK_DRIVER),
                           VP_CONFIG_BLOCK_DRIVER, NULL);
  p->plan->iothreads = shared + vp_planning_uint (p, VP_CONFIG_BLOCK_INDEPENDENT_IOTHREADS);
  if (p->plan->iothreads > 0)
    vp_plan_note_f (p->plan, "iothreads",
                    vp_config_get_source (p->config, shared != 0 ? VP_CONFIG_BLOCK_IOTHREADS
                                                                 : VP_CONFIG_BLOCK_INDEPENDENT_IOTHREADS),
                    NULL, "%u", p->plan->iothreads);
}

static void
decide_crash_dump (VpPlanning *p)
{
  p->plan->crash_dump = vp_planning_bool (p, VP_CONFIG_HYPERVISOR_CRASH_DUMP);
  vp_planning_note_chosen (p, "crash dump", p->plan->crash_dump ? "true" : "false",
                           VP_CONFIG_HYPERVISOR_CRASH_DUMP, "in auto_dump_path of qemu.conf");
}

/* ---- on the host ------------------------------------------------------------ */

/* The n-th CPU of a set is the n-th vCPU's, if there is one for each. */
static void
pin_vcpus (VpPlanning *p, const char *cpus)
{
  g_auto (GStrv) ranges = g_strsplit (cpus, ",", -1);
  GPtrArray *pins = g_ptr_array_new ();

  for (char **range = ranges; *range != NULL; range++)
    {
      const char *dash = strchr (g_strstrip (*range), '-');
      guint64 first = g_ascii_strtoull (*range, NULL, 10);
      guint64 last = dash != NULL ? g_ascii_strtoull (dash + 1, NULL, 10) : first;

      for (; first <= last; first++)
        g_ptr_array_add (pins, g_strdup_printf ("%" G_GUINT64_FORMAT, first));
    }
  g_ptr_array_add (pins, NULL);
  p->plan->vcpu_pins = (char **)g_ptr_array_free (pins, FALSE);
}

static void
decide_pins (VpPlanning *p)
{
  const char *cpus = vp_spec_get_cpus (p->spec);
  guint n = cpus != NULL ? vp_sizing_count_cpuset (cpus) : 0;

  if (!vp_planning_bool (p, VP_CONFIG_HYPERVISOR_VCPU_PINNING))
    return;
  if (n != vp_plan_get_max_vcpus (p->plan))
    {
      vp_planning_note (p, "vcpu pins", "none", VP_CONFIG_HYPERVISOR_VCPU_PINNING,
                        n == 0 ? "the spec binds the container to no CPUs"
                               : "the sandbox does not have as many vCPUs as the spec names CPUs");
      return;
    }
  pin_vcpus (p, cpus);
  vp_planning_note (p, "vcpu pins", cpus, VP_CONFIG_HYPERVISOR_VCPU_PINNING, NULL);
}

/* Where libvirt makes cgroups with its own hands it renames what has no suffix, so what clients
 * name cannot be had from it. systemd is not to find its units without their processes. */
static char *
plan_cgroup (VpSpec *spec, const VpFactsInit *facts, const char **ret_why)
{
  char *path = vp_cgroup_from_cgroups_path (vp_spec_get_cgroups_path (spec), ret_why);

  if (path == NULL || !facts->machined)
    return path;
  g_free (path);
  *ret_why = "systemd makes the cgroups of domains here, and looks after them";
  return NULL;
}

char *
vp_planner_dup_cgroup (VpSpec *spec, VpConfig *config, VpFacts *facts, const char **ret_why)
{
  *ret_why = NULL;
  return vp_config_get_bool (config, VP_CONFIG_RUNTIME_SANDBOX_CGROUP_ONLY)
             ? plan_cgroup (spec, vp_facts_get (facts), ret_why)
             : NULL;
}

/* A partition nobody makes is a domain that does not start. */
static void
decide_partition (VpPlanning *p)
{
  const char *why = NULL, *why_not_ours = NULL;

  if (vp_spec_get_cgroups_path (p->spec) == NULL)
    return;
  if (!vp_planning_bool (p, VP_CONFIG_RUNTIME_SANDBOX_CGROUP_ONLY))
    {
      vp_planning_note (p, "partition", "libvirt's own", VP_CONFIG_RUNTIME_SANDBOX_CGROUP_ONLY, NULL);
      return;
    }
  p->plan->cgroup = plan_cgroup (p->spec, p->facts, &why_not_ours);
  vp_plan_note (p->plan, "cgroup", p->plan->cgroup != NULL ? p->plan->cgroup : "libvirt's own",
                "spec linux.cgroupsPath", why_not_ours);
  p->plan->partition = vp_partition_from_cgroups_path (vp_spec_get_cgroups_path (p->spec), &why);
  if (p->plan->partition != NULL && p->driver->runs_guests && !p->facts->machined)
    {
      g_clear_pointer (&p->plan->partition, g_free);
      why = "the host has no systemd-machined, which makes cgroups for libvirt";
    }
  vp_plan_note (p->plan, "partition", p->plan->partition != NULL ? p->plan->partition : "libvirt's own",
                "spec linux.cgroupsPath", why);
}

/* Without the driver there is no label to do without, and libvirt refuses to be told so. */
static void
decide_selinux (VpPlanning *p)
{
  if (vp_planning_bool (p, VP_CONFIG_HYPERVISOR_SELINUX))
    return;
  if (p->facts->selinux)
    vp_plan_add_seclabel (p->plan, "selinux", NULL);
  vp_planning_note (p, "selinux", "off", VP_CONFIG_HYPERVISOR_SELINUX,
                    p->facts->selinux ? NULL : "libvirt's driver for it is not in use here anyway");
}

gboolean
vp_planner_plan_machine (VpPlanning *p, GError **error)
{
  VpWorkload workload;
  VpContainerType type;

  if (!vp_annotation_get_container_type (p->spec, &type, error)
      || !vp_sizing_read_workload (p->spec, type, &workload, error) || !decide_accel (p, error))
    return FALSE;
  decide_machine (p);
  if (!decide_cpu (p, error))
    return FALSE;
  vp_sizing_decide (p->plan, &workload, p->config, p->facts, p->driver);
  decide_pins (p);
  decide_iommu (p);
  decide_ports (p);
  decide_disks (p);
  decide_crash_dump (p);
  decide_selinux (p);
  decide_partition (p);
  return TRUE;
}
