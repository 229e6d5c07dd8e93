/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-plan.h"

#include <string.h>

/* What is as usual has no line. */

static void
add_line (GString *text, const char *key, const char *value)
{
  g_string_append_printf (text, "%s: %s\n", key, value ?: "-");
}

static void
add_word (GString *text, const char *key, const char *value)
{
  if (value != NULL)
    add_line (text, key, value);
}

static void
add_number (GString *text, const char *key, guint64 value)
{
  if (value != 0)
    g_string_append_printf (text, "%s: %" G_GUINT64_FORMAT "\n", key, value);
}

static void
add_flag (GString *text, const char *key, gboolean value)
{
  if (value)
    add_line (text, key, "yes");
}

static void
add_identity (GString *text, const VpPlan *plan)
{
  add_line (text, "sandbox", plan->sandbox_id);
  add_line (text, "handler", plan->handler);
  add_line (text, "uuid", plan->uuid);
  add_line (text, "domain", plan->domain_name);
  add_line (text, "directory", plan->directory);
  add_word (text, "pod-name", plan->pod_name);
  add_word (text, "pod-namespace", plan->pod_namespace);
  add_word (text, "pod-uid", plan->pod_uid);
}

static void
add_cpus (GString *text, const VpPlan *plan)
{
  add_line (text, "cpu-model", plan->cpu_model);
  for (guint i = 0; i < plan->cpu_features->len; i++)
    {
      const VpCpuFeature *feature = g_ptr_array_index (plan->cpu_features, i);
      g_string_append_printf (text, "cpu-feature: %s=%s\n", feature->name, feature->on ? "on" : "off");
    }
}

static void
add_memory (GString *text, const VpPlan *plan)
{
  g_string_append_printf (text, "memory: %" G_GUINT64_FORMAT "\n", plan->memory);
  add_number (text, "max-memory", plan->max_memory);
  add_number (text, "memory-slots", plan->memory_slots);
  if (plan->backing != VP_BACKING_MEMFD)
    add_line (text, "memory-backing", vp_backing_to_string (plan->backing));
  add_number (text, "huge-page-size", plan->huge_page_size);
  add_flag (text, "private-memory", plan->private_memory);
  add_flag (text, "prealloc", plan->prealloc);
  add_flag (text, "locked", plan->locked);
  add_flag (text, "reclaim-memory", plan->reclaim_memory);
  for (guint i = 0; i < plan->numa_cells->len; i++)
    {
      const VpNumaCell *cell = g_ptr_array_index (plan->numa_cells, i);
      g_string_append_printf (text,
                              "numa-cell: first-vcpu=%u vcpus=%u memory=%" G_GUINT64_FORMAT " nodes=%s\n",
                              cell->first_vcpu, cell->n_vcpus, cell->memory, cell->host_nodes ?: "-");
    }
}

static void
add_machine (GString *text, const VpPlan *plan)
{
  g_autofree char *pins = plan->vcpu_pins != NULL ? g_strjoinv (" ", plan->vcpu_pins) : NULL;

  add_line (text, "accelerator", vp_accel_to_string (plan->accel));
  add_line (text, "arch", plan->arch);
  add_line (text, "machine", plan->machine);
  add_cpus (text, plan);
  add_line (text, "emulator", plan->emulator);
  g_string_append_printf (text, "vcpus: %u\n", plan->vcpus);
  add_number (text, "max-vcpus", plan->max_vcpus);
  add_word (text, "vcpu-pins", pins);
  add_memory (text, plan);
  g_string_append_printf (text, "hotplug-ports: %u\n", plan->hotplug_ports);
  add_number (text, "switch-ports", plan->switch_ports);
  if (plan->iommu != VP_IOMMU_NONE)
    add_line (text, "iommu", vp_iommu_to_string (plan->iommu));
  add_flag (text, "iommu-platform", plan->iommu_platform);
  add_flag (text, "scsi-controller", plan->scsi_controller);
  add_number (text, "iothreads", plan->iothreads);
  add_flag (text, "crash-dump", plan->crash_dump);
}

static void
add_boot (GString *text, const VpPlan *plan)
{
  add_line (text, "kernel", plan->kernel);
  add_line (text, "initrd", plan->initrd);
  add_line (text, "cmdline", plan->cmdline);
  add_word (text, "firmware", plan->firmware);
  add_word (text, "firmware-volume", plan->firmware_volume);
}

static void
add_confinement (GString *text, const VpPlan *plan)
{
  for (guint i = 0; i < plan->seclabels->len; i++)
    {
      const VpSecLabel *seclabel = g_ptr_array_index (plan->seclabels, i);
      g_string_append_printf (text, "seclabel: %s %s%s%s%s\n", seclabel->model, seclabel->label ?: "none",
                              seclabel->image_label != NULL ? " image=" : "", seclabel->image_label ?: "",
                              seclabel->no_relabel ? " no-relabel" : "");
    }
  add_word (text, "partition", plan->partition);
  add_word (text, "cgroup", plan->cgroup);
}

static void
add_paths (GString *text, const VpPlan *plan)
{
  for (guint i = 0; i < plan->paths->len; i++)
    {
      const VpPathCheck *check = g_ptr_array_index (plan->paths, i);
      const char *kind = vp_path_kind_to_string (check->kind);

      g_string_append_printf (text, "path: %s must be %s %s, says %s%s%s\n", check->path,
                              strchr ("aeiou", kind[0]) != NULL ? "an" : "a", kind, check->what,
                              check->sha512 != NULL ? ", sha512 " : "", check->sha512 ?: "");
    }
}

char *
vp_plan_to_text (const VpPlan *plan)
{
  GString *text = g_string_new (NULL);
  g_autofree char *dns = g_strjoinv (", ", plan->dns);

  add_identity (text, plan);
  add_machine (text, plan);
  add_boot (text, plan);
  add_confinement (text, plan);
  for (guint i = 0; i < plan->devices->len; i++)
    {
      g_string_append (text, "device: ");
      vp_device_append_text (g_ptr_array_index (plan->devices, i), text);
      g_string_append_c (text, '\n');
    }
  add_paths (text, plan);
  add_line (text, "hostname", plan->hostname);
  add_line (text, "dns", dns);
  add_line (text, "sandbox-pidns", plan->sandbox_pidns ? "yes" : "no");
  for (guint i = 0; i < plan->storages->len; i++)
    vp_guest_storage_append_text (g_ptr_array_index (plan->storages, i), text);
  for (guint i = 0; i < plan->binds->len; i++)
    vp_host_bind_append_text (g_ptr_array_index (plan->binds, i), text);
  for (char **module = plan->kernel_modules; *module != NULL; module++)
    add_line (text, "kernel-module", *module);
  add_word (text, "guest-hook-dir", plan->guest_hook_dir);
  return g_string_free (text, FALSE);
}
