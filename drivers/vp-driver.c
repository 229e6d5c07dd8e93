/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-driver.h"

#include "vp-error.h"

static const VpDriver *const drivers[] = { &vp_driver_qemu, &vp_driver_ch, &vp_driver_test };

const VpDriver *
vp_driver_find (const char *libvirt_name)
{
  for (guint i = 0; i < G_N_ELEMENTS (drivers); i++)
    {
      if (g_strcmp0 (drivers[i]->name, libvirt_name) == 0)
        return drivers[i];
    }
  return NULL;
}

const char *
vp_feature_to_string (VpFeature feature)
{
  static const char *const names[] = {
    [VP_FEATURE_CHANNEL] = "virtio-serial channel",
    [VP_FEATURE_VSOCK] = "vsock",
    [VP_FEATURE_CONSOLE] = "serial console on a socket",
    [VP_FEATURE_VIRTIO_CONSOLE] = "virtio console",
    [VP_FEATURE_RNG] = "random number generator",
    [VP_FEATURE_SHARE] = "virtiofs share",
    [VP_FEATURE_SHARE_CACHE] = "cache mode of a virtiofs share",
    [VP_FEATURE_SHARE_METADATA] = "metadata cache of a virtiofs share",
    [VP_FEATURE_SHARE_THREADS] = "thread pool of a virtiofs share",
    [VP_FEATURE_SHARE_DAX] = "DAX window of a virtiofs share",
    [VP_FEATURE_DISK] = "disk",
    [VP_FEATURE_DISK_BLOCK] = "disk on a block device",
    [VP_FEATURE_DISK_FORMAT] = "disk that is not raw",
    [VP_FEATURE_DISK_SCSI] = "virtio-scsi disk",
    [VP_FEATURE_DISK_OPTIONS] = "disk options",
    [VP_FEATURE_IO_URING] = "io_uring",
    [VP_FEATURE_IOTHREADS] = "I/O threads",
    [VP_FEATURE_NIC_TAP] = "network interface on a tap device",
    [VP_FEATURE_NIC_MACVTAP] = "macvtap network interface",
    [VP_FEATURE_NIC_USER] = "user-mode network interface",
    [VP_FEATURE_NIC_PASST] = "user-mode network interface by passt",
    [VP_FEATURE_NIC_QUEUES] = "queues of a network interface",
    [VP_FEATURE_NIC_MTU] = "MTU of a network interface",
    [VP_FEATURE_NIC_RATE] = "rate limit of a network interface",
    [VP_FEATURE_DIMM] = "memory module",
    [VP_FEATURE_VIRTIO_MEM] = "virtio-mem",
    [VP_FEATURE_NVDIMM] = "NVDIMM",
    [VP_FEATURE_SGX_EPC] = "SGX enclave memory",
    [VP_FEATURE_MAX_MEMORY] = "maximum memory",
    [VP_FEATURE_VCPU_HOTPLUG] = "hot-plug of vCPUs",
    [VP_FEATURE_VCPU_PINS] = "pinning of vCPUs",
    [VP_FEATURE_CPU_MODEL] = "CPU model",
    [VP_FEATURE_NUMA] = "NUMA nodes",
    [VP_FEATURE_BACKING_FILE] = "file-backed memory",
    [VP_FEATURE_HUGE_PAGES] = "huge pages",
    [VP_FEATURE_PREALLOC] = "preallocated memory",
    [VP_FEATURE_LOCKED] = "locked memory",
    [VP_FEATURE_RECLAIM] = "free page reporting",
    [VP_FEATURE_BOOT_DISK] = "boot without a kernel",
    [VP_FEATURE_INITRD] = "initrd",
    [VP_FEATURE_FIRMWARE] = "firmware",
    [VP_FEATURE_FIRMWARE_VOLUME] = "firmware variables",
    [VP_FEATURE_SWITCH_PORTS] = "PCIe switch ports",
    [VP_FEATURE_IOMMU] = "IOMMU",
    [VP_FEATURE_IOMMU_VIRTIO] = "virtio IOMMU",
    [VP_FEATURE_IOMMU_PLATFORM] = "virtio devices behind the IOMMU",
    [VP_FEATURE_CRASH_DUMP] = "dump of a crashed guest",
    [VP_FEATURE_SECLABEL] = "security label",
    [VP_FEATURE_PARTITION] = "cgroup partition",
    [VP_FEATURE_EMULATOR] = "emulator path",
  };

  G_STATIC_ASSERT (G_N_ELEMENTS (names) == VP_N_FEATURES);
  return names[feature];
}

gboolean
vp_driver_can (const VpDriver *driver, VpFeature feature, guint64 libvirt_version)
{
  guint64 since = driver->capabilities[feature].since;

  return since == 0 || (since != VP_NEVER && (libvirt_version == 0 || libvirt_version >= since));
}

static char *
version_to_string (guint64 version)
{
  if (version == 0)
    return g_strdup ("of unknown version");
  return g_strdup_printf ("%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT, version / 1000000,
                          version / 1000 % 1000, version % 1000);
}

gboolean
vp_driver_require (const VpDriver *driver, VpFeature feature, guint64 libvirt_version, const char *what,
                   GError **error)
{
  const VpCapability *capability = &driver->capabilities[feature];
  g_autofree char *have = NULL, *why = NULL;

  if (vp_driver_can (driver, feature, libvirt_version))
    return TRUE;
  have = version_to_string (libvirt_version);
  if (capability->since == VP_NEVER)
    why = g_strdup (capability->reason ?: "no version of it does");
  else
    {
      g_autofree char *since = version_to_string (capability->since);
      why = g_strdup_printf ("it takes libvirt %s%s%s", since, capability->reason != NULL ? " " : "",
                             capability->reason ?: "");
    }
  g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED, "%s: libvirt's %s driver (libvirt %s) has no %s: %s",
               what, driver->name, have, vp_feature_to_string (feature), why);
  return FALSE;
}
