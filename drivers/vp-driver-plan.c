/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-driver.h"

#include "vp-error.h"

#define ENTROPY_BUILT_IN "/dev/urandom" /* what a hypervisor with a generator of its own reads */

/* One question of many; carries what all of them need. */
typedef struct
{
  const VpDriver *driver;
  const VpPlan *plan;
  GError **error;
} Check;

static gboolean
need (const Check *check, gboolean wanted, VpFeature feature, const char *what)
{
  return !wanted
         || vp_driver_require (check->driver, feature, check->plan->libvirt_version, what, check->error);
}

/* ---- devices ---------------------------------------------------------------- */

static gboolean
check_share (const Check *check, const VpDeviceShare *share, const char *id)
{
  gboolean mode = share->cache == VP_SHARE_CACHE_NEVER || share->cache == VP_SHARE_CACHE_ALWAYS;

  return need (check, TRUE, VP_FEATURE_SHARE, id) && need (check, mode, VP_FEATURE_SHARE_CACHE, id)
         && need (check, share->cache == VP_SHARE_CACHE_METADATA, VP_FEATURE_SHARE_METADATA, id)
         && need (check, share->threads > 0 || share->no_threads, VP_FEATURE_SHARE_THREADS, id)
         && need (check, share->dax_bytes > 0, VP_FEATURE_SHARE_DAX, id);
}

static gboolean
check_disk (const Check *check, const VpDeviceDisk *disk, const char *id)
{
  gboolean options = disk->shareable || disk->cache_set || disk->io != VP_DISK_IO_DEFAULT || disk->discard
                     || disk->queues > 0 || disk->queue_size > 0 || disk->logical_block > 0
                     || disk->physical_block > 0 || disk->serial != NULL || disk->max_bytes_per_second > 0
                     || disk->max_ops_per_second > 0;

  return need (check, TRUE, VP_FEATURE_DISK, id) && need (check, disk->is_block, VP_FEATURE_DISK_BLOCK, id)
         && need (check, disk->format != NULL && !g_str_equal (disk->format, "raw"), VP_FEATURE_DISK_FORMAT,
                  id)
         && need (check, disk->bus == VP_DISK_VIRTIO_SCSI, VP_FEATURE_DISK_SCSI, id)
         && need (check, disk->io == VP_DISK_IO_URING, VP_FEATURE_IO_URING, id)
         && need (check, options, VP_FEATURE_DISK_OPTIONS, id)
         && need (check, disk->iothread > 0, VP_FEATURE_IOTHREADS, id);
}

static gboolean
check_nic (const Check *check, const VpDeviceNic *nic, const char *id)
{
  static const VpFeature backends[] = { VP_FEATURE_NIC_TAP, VP_FEATURE_NIC_MACVTAP, VP_FEATURE_NIC_USER,
                                        VP_FEATURE_NIC_PASST };
  gboolean rate = (nic->rx_rate > 0 || nic->tx_rate > 0) && !nic->shaped_by_daemon;

  return need (check, TRUE, backends[nic->backend], id)
         && need (check, nic->queues > 1, VP_FEATURE_NIC_QUEUES, id)
         && need (check, nic->mtu > 0, VP_FEATURE_NIC_MTU, id) && need (check, rate, VP_FEATURE_NIC_RATE, id);
}

gboolean
vp_driver_check_device (const VpDriver *driver, const VpPlan *plan, const VpDevice *device, GError **error)
{
  static const VpFeature memories[]
      = { VP_FEATURE_DIMM, VP_FEATURE_VIRTIO_MEM, VP_FEATURE_NVDIMM, VP_FEATURE_SGX_EPC };
  const Check check = { driver, plan, error };

  switch (device->kind)
    {
    case VP_DEVICE_SHARE:
      return check_share (&check, &device->u.share, device->id);
    case VP_DEVICE_CHANNEL:
      return need (&check, TRUE, VP_FEATURE_CHANNEL, device->id);
    case VP_DEVICE_CONSOLE:
      return need (&check, TRUE,
                   device->u.console.model == VP_CONSOLE_VIRTIO ? VP_FEATURE_VIRTIO_CONSOLE
                                                                : VP_FEATURE_CONSOLE,
                   device->id);
    case VP_DEVICE_RNG:
      return need (&check, !g_str_equal (device->u.rng.source, ENTROPY_BUILT_IN), VP_FEATURE_RNG, device->id);
    case VP_DEVICE_VSOCK:
      return need (&check, TRUE, VP_FEATURE_VSOCK, device->id);
    case VP_DEVICE_DISK:
      return check_disk (&check, &device->u.disk, device->id);
    case VP_DEVICE_NIC:
      return check_nic (&check, &device->u.nic, device->id);
    case VP_DEVICE_MEMORY:
      return need (&check, TRUE, memories[device->u.memory.model], device->id);
    case VP_N_DEVICE_KINDS:
      break;
    }
  return TRUE;
}

/* ---- the machine ------------------------------------------------------------ */

static gboolean
check_accel (const Check *check)
{
  VpAccel accel = check->plan->accel;

  if (check->driver->domain_type (accel) != NULL)
    return TRUE;
  g_set_error (check->error, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
               "accelerator: libvirt's %s driver does not run domains with \"%s\"", check->driver->name,
               vp_accel_to_string (accel));
  return FALSE;
}

static gboolean
check_machine (const Check *check)
{
  const VpPlan *plan = check->plan;

  return need (check, plan->emulator != NULL, VP_FEATURE_EMULATOR, "emulator")
         && need (check, plan->iommu != VP_IOMMU_NONE && plan->iommu != VP_IOMMU_VIRTIO, VP_FEATURE_IOMMU,
                  "iommu")
         && need (check, plan->iommu == VP_IOMMU_VIRTIO, VP_FEATURE_IOMMU_VIRTIO, "iommu")
         && need (check, plan->iommu_platform, VP_FEATURE_IOMMU_PLATFORM, "iommu-platform")
         && need (check, plan->switch_ports > 0, VP_FEATURE_SWITCH_PORTS, "switch-ports")
         && need (check, plan->scsi_controller, VP_FEATURE_DISK_SCSI, "scsi-controller")
         && need (check, plan->iothreads > 0, VP_FEATURE_IOTHREADS, "iothreads")
         && need (check, plan->crash_dump, VP_FEATURE_CRASH_DUMP, "crash-dump");
}

static gboolean
check_cpus (const Check *check)
{
  const VpPlan *plan = check->plan;

  return need (check, plan->cpu_model != NULL, VP_FEATURE_CPU_MODEL, "cpu-model")
         && need (check, plan->cpu_features->len > 0, VP_FEATURE_CPU_MODEL, "cpu-feature")
         && need (check, plan->max_vcpus > plan->vcpus, VP_FEATURE_VCPU_HOTPLUG, "max-vcpus")
         && need (check, plan->vcpu_pins != NULL, VP_FEATURE_VCPU_PINS, "vcpu-pins");
}

static gboolean
check_memory (const Check *check)
{
  const VpPlan *plan = check->plan;

  return need (check, plan->max_memory > plan->memory, VP_FEATURE_MAX_MEMORY, "max-memory")
         && need (check, plan->backing == VP_BACKING_FILE, VP_FEATURE_BACKING_FILE, "memory-backing")
         && need (check, plan->backing == VP_BACKING_HUGE, VP_FEATURE_HUGE_PAGES, "memory-backing")
         && need (check, plan->prealloc, VP_FEATURE_PREALLOC, "prealloc")
         && need (check, plan->locked, VP_FEATURE_LOCKED, "locked")
         && need (check, plan->reclaim_memory, VP_FEATURE_RECLAIM, "reclaim-memory")
         && need (check, plan->numa_cells->len > 0, VP_FEATURE_NUMA, "numa-cell");
}

static gboolean
check_boot (const Check *check)
{
  const VpPlan *plan = check->plan;

  return need (check, plan->kernel == NULL, VP_FEATURE_BOOT_DISK, "kernel")
         && need (check, plan->initrd != NULL, VP_FEATURE_INITRD, "initrd")
         && need (check, plan->firmware != NULL, VP_FEATURE_FIRMWARE, "firmware")
         && need (check, plan->firmware_volume != NULL, VP_FEATURE_FIRMWARE_VOLUME, "firmware-volume")
         && need (check, plan->seclabels->len > 0, VP_FEATURE_SECLABEL, "seclabel")
         && need (check, plan->partition != NULL, VP_FEATURE_PARTITION, "partition");
}

gboolean
vp_driver_check_plan (const VpDriver *driver, const VpPlan *plan, GError **error)
{
  const Check check = { driver, plan, error };

  if (!check_accel (&check) || !check_machine (&check) || !check_cpus (&check) || !check_memory (&check)
      || !check_boot (&check))
    return FALSE;
  for (guint i = 0; i < plan->devices->len; i++)
    {
      if (!vp_driver_check_device (driver, plan, g_ptr_array_index (plan->devices, i), error))
        return FALSE;
    }
  return TRUE;
}
