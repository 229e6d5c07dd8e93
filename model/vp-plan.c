/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-plan.h"

#include "vp-decision.h"

const char *
vp_accel_to_string (VpAccel accel)
{
  static const char *const names[] = { "none", "tcg", "kvm" };

  return names[accel];
}

const char *
vp_backing_to_string (VpBacking backing)
{
  static const char *const names[] = { "memfd", "file", "hugepages" };

  return names[backing];
}

const char *
vp_iommu_to_string (VpIommu iommu)
{
  static const char *const names[] = { "none", "intel", "smmuv3", "virtio" };

  return names[iommu];
}

const char *
vp_path_kind_to_string (VpPathKind kind)
{
  static const char *const names[] = { "regular file", "executable file",      "directory",
                                       "block device", "file or block device", "character device" };

  return names[kind];
}

/* ---- life ------------------------------------------------------------------- */

static void
cpu_feature_free (gpointer data)
{
  VpCpuFeature *feature = data;

  g_free (feature->name);
  g_free (feature);
}

static void
numa_cell_free (gpointer data)
{
  VpNumaCell *cell = data;

  g_free (cell->host_nodes);
  g_free (cell);
}

static void
seclabel_free (gpointer data)
{
  VpSecLabel *seclabel = data;

  g_free (seclabel->model);
  g_free (seclabel->label);
  g_free (seclabel->image_label);
  g_free (seclabel);
}

static void
path_check_free (gpointer data)
{
  VpPathCheck *check = data;

  g_free (check->path);
  g_free (check->what);
  g_free (check->sha512);
  g_free (check);
}

VpPlan *
vp_plan_new (void)
{
  VpPlan *plan = g_atomic_rc_box_new0 (VpPlan);

  plan->cpu_features = g_ptr_array_new_with_free_func (cpu_feature_free);
  plan->numa_cells = g_ptr_array_new_with_free_func (numa_cell_free);
  plan->seclabels = g_ptr_array_new_with_free_func (seclabel_free);
  plan->devices = g_ptr_array_new_with_free_func ((GDestroyNotify)vp_device_free);
  plan->paths = g_ptr_array_new_with_free_func (path_check_free);
  plan->storages = g_ptr_array_new_with_free_func ((GDestroyNotify)vp_guest_storage_free);
  plan->binds = g_ptr_array_new_with_free_func ((GDestroyNotify)vp_host_bind_free);
  plan->kernel_modules = g_new0 (char *, 1);
  plan->dns = g_new0 (char *, 1);
  plan->decisions = vp_decisions_new ();
  return plan;
}

VpPlan *
vp_plan_ref (VpPlan *plan)
{
  return g_atomic_rc_box_acquire (plan);
}

static void
plan_clear (gpointer data)
{
  VpPlan *plan = data;
  char *strings[]
      = { plan->sandbox_id, plan->handler,         plan->uuid,      plan->domain_name, plan->directory,
          plan->pod_name,   plan->pod_namespace,   plan->pod_uid,   plan->arch,        plan->machine,
          plan->emulator,   plan->cpu_model,       plan->kernel,    plan->initrd,      plan->cmdline,
          plan->firmware,   plan->firmware_volume, plan->partition, plan->cgroup, plan->hostname,
          plan->guest_hook_dir };

  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    g_free (strings[i]);
  g_strfreev (plan->vcpu_pins);
  g_strfreev (plan->dns);
  g_strfreev (plan->kernel_modules);
  vp_network_unref (plan->network);
  g_ptr_array_unref (plan->cpu_features);
  g_ptr_array_unref (plan->numa_cells);
  g_ptr_array_unref (plan->seclabels);
  g_ptr_array_unref (plan->devices);
  g_ptr_array_unref (plan->paths);
  g_ptr_array_unref (plan->binds);
  g_ptr_array_unref (plan->storages);
  g_ptr_array_unref (plan->decisions);
}

void
vp_plan_unref (VpPlan *plan)
{
  if (plan != NULL)
    g_atomic_rc_box_release_full (plan, plan_clear);
}

/* ---- parts ------------------------------------------------------------------ */

void
vp_plan_add_device (VpPlan *plan, VpDevice *device)
{
  g_ptr_array_add (plan->devices, device);
}

VpGuestStorage *
vp_plan_add_storage (VpPlan *plan, const char *driver, const char *source, const char *fstype,
                     const char *mount_point, const char *const *options)
{
  VpGuestStorage *storage = vp_guest_storage_new (driver, source, fstype, mount_point, options);

  g_ptr_array_add (plan->storages, storage);
  return storage;
}

const VpDevice *
vp_plan_find_device (const VpPlan *plan, VpDeviceKind kind)
{
  for (guint i = 0; i < plan->devices->len; i++)
    {
      const VpDevice *device = g_ptr_array_index (plan->devices, i);

      if (device->kind == kind)
        return device;
    }
  return NULL;
}

VpNumaCell *
vp_plan_add_numa_cell (VpPlan *plan, guint first_vcpu, guint n_vcpus, guint64 memory)
{
  VpNumaCell *cell = g_new0 (VpNumaCell, 1);

  cell->first_vcpu = first_vcpu;
  cell->n_vcpus = n_vcpus;
  cell->memory = memory;
  g_ptr_array_add (plan->numa_cells, cell);
  return cell;
}

VpSecLabel *
vp_plan_add_seclabel (VpPlan *plan, const char *model, const char *label)
{
  VpSecLabel *seclabel = g_new0 (VpSecLabel, 1);

  seclabel->model = g_strdup (model);
  seclabel->label = g_strdup (label);
  g_ptr_array_add (plan->seclabels, seclabel);
  return seclabel;
}

VpPathCheck *
vp_plan_add_path (VpPlan *plan, const char *path, VpPathKind kind, const char *what)
{
  VpPathCheck *check = g_new0 (VpPathCheck, 1);

  check->path = g_strdup (path);
  check->kind = kind;
  check->what = g_strdup (what);
  g_ptr_array_add (plan->paths, check);
  return check;
}

guint
vp_plan_get_max_vcpus (const VpPlan *plan)
{
  return MAX (plan->max_vcpus, plan->vcpus);
}

guint64
vp_plan_get_max_memory (const VpPlan *plan)
{
  return MAX (plan->max_memory, plan->memory);
}
