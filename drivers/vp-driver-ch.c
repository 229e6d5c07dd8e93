/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-driver.h"

#define LIBVIRT(major, minor) ((major)*1000000 + (minor)*1000)

/* libvirt's driver knows a small part of what Cloud Hypervisor itself can. What
 * it does not know it often takes and forgets (vsock, memory devices, huge
 * pages), so that a sandbox would start and lack something: all of that is
 * refused here. */
static const VpCapability capabilities[VP_N_FEATURES] = {
  [VP_FEATURE_CHANNEL] = { VP_NEVER, "Cloud Hypervisor has no virtio-serial" },
  [VP_FEATURE_VSOCK] = { VP_NEVER, "it takes one and leaves it out" },
  [VP_FEATURE_CONSOLE] = { LIBVIRT (10, 2), "and Cloud Hypervisor 36" },
  [VP_FEATURE_VIRTIO_CONSOLE] = { VP_NEVER, "it has virtio consoles on pseudo terminals only" },
  [VP_FEATURE_RNG] = { VP_NEVER, "Cloud Hypervisor has its own, which reads /dev/urandom" },
  [VP_FEATURE_SHARE] = { VP_NEVER, "it refuses file systems" },
  [VP_FEATURE_SHARE_CACHE] = { VP_NEVER, "it refuses file systems" },
  [VP_FEATURE_SHARE_METADATA] = { VP_NEVER, "it refuses file systems" },
  [VP_FEATURE_SHARE_THREADS] = { VP_NEVER, "it refuses file systems" },
  [VP_FEATURE_SHARE_DAX] = { VP_NEVER, "it refuses file systems" },
  [VP_FEATURE_DISK_BLOCK] = { VP_NEVER, "its disks are files" },
  [VP_FEATURE_DISK_FORMAT] = { VP_NEVER, "it passes no format on" },
  [VP_FEATURE_DISK_SCSI] = { VP_NEVER, "its disks are virtio-blk" },
  [VP_FEATURE_DISK_OPTIONS] = { VP_NEVER, "it passes only the path and read-only on" },
  [VP_FEATURE_IO_URING] = { VP_NEVER, "Cloud Hypervisor chooses for itself" },
  [VP_FEATURE_IOTHREADS] = { VP_NEVER, "Cloud Hypervisor has a thread for each queue" },
  [VP_FEATURE_NIC_MACVTAP] = { VP_NEVER, "it makes tap devices only" },
  [VP_FEATURE_NIC_USER] = { VP_NEVER, "Cloud Hypervisor has no user-mode network" },
  [VP_FEATURE_NIC_PASST] = { VP_NEVER, "Cloud Hypervisor has no user-mode network" },
  [VP_FEATURE_NIC_MTU] = { LIBVIRT (10, 1), NULL },
  [VP_FEATURE_NIC_RATE] = { VP_NEVER, "it sets none" },
  [VP_FEATURE_DIMM] = { VP_NEVER, "it plugs no memory" },
  [VP_FEATURE_VIRTIO_MEM] = { VP_NEVER, "it takes one and leaves it out" },
  [VP_FEATURE_NVDIMM] = { VP_NEVER, "it takes one and leaves it out" },
  [VP_FEATURE_SGX_EPC] = { VP_NEVER, "it takes one and leaves it out" },
  [VP_FEATURE_MAX_MEMORY] = { VP_NEVER, "it plugs no memory" },
  [VP_FEATURE_VCPU_HOTPLUG] = { VP_NEVER, "it cannot change their number" },
  [VP_FEATURE_CPU_MODEL] = { VP_NEVER, "its guests have the host's" },
  [VP_FEATURE_NUMA] = { VP_NEVER, "its guests have one" },
  [VP_FEATURE_BACKING_FILE] = { VP_NEVER, "it passes only the size on" },
  [VP_FEATURE_HUGE_PAGES] = { VP_NEVER, "it passes only the size on" },
  [VP_FEATURE_PREALLOC] = { VP_NEVER, "it passes only the size on" },
  [VP_FEATURE_LOCKED] = { VP_NEVER, "it passes only the size on" },
  [VP_FEATURE_RECLAIM] = { VP_NEVER, "it refuses balloons" },
  [VP_FEATURE_BOOT_DISK] = { VP_NEVER, "it demands one" },
  [VP_FEATURE_FIRMWARE] = { VP_NEVER, "it boots a kernel" },
  [VP_FEATURE_FIRMWARE_VOLUME] = { VP_NEVER, "it boots a kernel" },
  [VP_FEATURE_SWITCH_PORTS] = { VP_NEVER, "Cloud Hypervisor has a flat bus" },
  [VP_FEATURE_IOMMU] = { VP_NEVER, "it refuses IOMMUs" },
  [VP_FEATURE_IOMMU_VIRTIO] = { VP_NEVER, "it refuses IOMMUs" },
  [VP_FEATURE_IOMMU_PLATFORM] = { VP_NEVER, "it refuses IOMMUs" },
  [VP_FEATURE_CRASH_DUMP] = { VP_NEVER, "it refuses panic devices" },
  [VP_FEATURE_SECLABEL] = { VP_NEVER, "it has no security drivers" },
};

/* Hardware virtualisation is all it does. */
static const char *
domain_type (VpAccel accel)
{
  return accel == VP_ACCEL_KVM ? "kvm" : NULL;
}

const VpDriver vp_driver_ch = {
  .name = "CH",
  .domain_type = domain_type,
  .runs_guests = TRUE,
  .can_start_paused = FALSE,
  .can_validate = TRUE,
  .has_buses = FALSE,
  .capabilities = capabilities,
};
