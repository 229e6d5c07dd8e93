/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory, processors, boot, buses, confinement. */
#include "variants-private.h"

#include "vp-device.h"

static void
apply_plain (VpPlan *plan)
{
}

static void
apply_kvm (VpPlan *plan)
{
  plan->accel = VP_ACCEL_KVM;
  g_clear_pointer (&plan->cpu_model, g_free);
}

static void
apply_memory_ceiling (VpPlan *plan)
{
  plan->max_memory = G_GUINT64_CONSTANT (1) << 30;
  plan->memory_slots = 10;
}

static void
apply_memory_dimm (VpPlan *plan)
{
  vp_plan_add_device (plan, vp_device_memory_new ("dimm0", VP_MEMORY_DIMM, 128 << 20));
}

static void
apply_memory_virtio (VpPlan *plan)
{
  VpDevice *device = vp_device_memory_new ("mem0", VP_MEMORY_VIRTIO_MEM, 512 << 20);

  device->u.memory.requested = 128 << 20;
  plan->max_memory = G_GUINT64_CONSTANT (1) << 30;
  vp_plan_add_device (plan, device);
}

static void
apply_memory_nvdimm (VpPlan *plan)
{
  VpDevice *device = vp_device_memory_new ("image", VP_MEMORY_NVDIMM, 128 << 20);

  device->u.memory.source = g_strdup ("/usr/lib/virtpod/guest/rootfs.img");
  device->u.memory.readonly = TRUE;
  vp_plan_add_device (plan, device);
}

static void
apply_memory_sgx (VpPlan *plan)
{
  vp_plan_add_device (plan, vp_device_memory_new ("epc0", VP_MEMORY_SGX_EPC, 64 << 20));
}

static void
apply_memory_file (VpPlan *plan)
{
  plan->backing = VP_BACKING_FILE;
}

static void
apply_memory_huge (VpPlan *plan)
{
  plan->backing = VP_BACKING_HUGE;
  plan->huge_page_size = 2 << 20;
}

static void
apply_memory_huge_default (VpPlan *plan)
{
  plan->backing = VP_BACKING_HUGE;
  plan->prealloc = TRUE;
}

static void
apply_memory_prealloc (VpPlan *plan)
{
  plan->prealloc = TRUE;
}

static void
apply_memory_locked (VpPlan *plan)
{
  plan->locked = TRUE;
}

static void
apply_memory_private (VpPlan *plan)
{
  plan->private_memory = TRUE;
}

static void
apply_memory_reclaim (VpPlan *plan)
{
  plan->reclaim_memory = TRUE;
}

static void
apply_numa (VpPlan *plan)
{
  plan->vcpus = 2;
  plan->memory = 512 << 20;
  vp_plan_add_numa_cell (plan, 0, 1, 256 << 20)->host_nodes = g_strdup ("0");
  vp_plan_add_numa_cell (plan, 1, 1, 256 << 20);
}

static void
apply_vcpus_ceiling (VpPlan *plan)
{
  plan->vcpus = 2;
  plan->max_vcpus = 8;
}

static void
apply_vcpu_pins (VpPlan *plan)
{
  static const char *const pins[] = { "0", "0-1", NULL };

  plan->vcpus = 2;
  plan->vcpu_pins = g_strdupv ((char **)pins);
}

static void
apply_cpu_features (VpPlan *plan)
{
  vp_plan_parse_cpu_features (plan, "pmu=off,+ssse3,-svm,kvm=off", "cpu-features", NULL);
}

static void
apply_cpu_model (VpPlan *plan)
{
  g_free (plan->cpu_model);
  plan->cpu_model = g_strdup ("Nehalem");
}

static void
apply_cpu_maximum (VpPlan *plan)
{
  g_free (plan->cpu_model);
  plan->cpu_model = g_strdup ("maximum");
}

static void
apply_boot_disk (VpPlan *plan)
{
  VpDevice *device = vp_device_disk_new ("disk0", "/var/lib/a.img", VP_DISK_VIRTIO_BLK);

  g_clear_pointer (&plan->kernel, g_free);
  g_clear_pointer (&plan->cmdline, g_free);
  vp_plan_add_device (plan, device);
}

static void
apply_initrd (VpPlan *plan)
{
  plan->initrd = g_strdup ("/usr/lib/virtpod/guest/initrd.img");
}

static void
apply_firmware (VpPlan *plan)
{
  plan->firmware = g_strdup ("/usr/share/seabios/bios-256k.bin");
}

static void
apply_firmware_volume (VpPlan *plan)
{
  plan->firmware = g_strdup ("/usr/share/OVMF/OVMF_CODE.fd");
  plan->firmware_volume = g_strdup ("/usr/share/OVMF/OVMF_VARS.fd");
}

static void
apply_switch_ports (VpPlan *plan)
{
  plan->switch_ports = 3;
  plan->hotplug_ports = 2;
}

static void
apply_iommu (VpPlan *plan)
{
  plan->iommu = VP_IOMMU_INTEL;
}

static void
apply_iommu_eim (VpPlan *plan)
{
  plan->iommu = VP_IOMMU_INTEL;
  plan->accel = VP_ACCEL_KVM;
  g_clear_pointer (&plan->cpu_model, g_free);
  plan->max_vcpus = 288;
}

static void
apply_iommu_virtio (VpPlan *plan)
{
  plan->iommu = VP_IOMMU_VIRTIO;
}

static void
apply_iommu_platform (VpPlan *plan)
{
  plan->iommu = VP_IOMMU_INTEL;
  plan->iommu_platform = TRUE;
  plan->reclaim_memory = TRUE;
  vp_plan_add_device (plan, vp_device_channel_new ("agent", "org.virtpod.agent.0", "/run/virtpod/s/a.sock"));
  vp_plan_add_device (plan, vp_device_vsock_new ("vsock0", 1024));
  vp_plan_add_device (plan, vp_device_rng_new ("rng0", "/dev/urandom"));
  vp_plan_add_device (plan, vp_device_share_new ("share0", "kataShared", "/run/virtpod/s/shared"));
  vp_plan_add_device (plan, vp_device_disk_new ("disk0", "/var/lib/a.img", VP_DISK_VIRTIO_BLK));
  vp_plan_add_device (plan, vp_device_disk_new ("disk1", "/var/lib/b.img", VP_DISK_VIRTIO_SCSI));
  vp_plan_add_device (plan, vp_device_nic_new ("nic0", VP_NIC_TAP, "vptap0"));
}

static void
apply_crash_dump (VpPlan *plan)
{
  plan->crash_dump = TRUE;
}

static void
apply_seclabel (VpPlan *plan)
{
  vp_plan_add_seclabel (plan, "dac", "+107:+107");
  vp_plan_add_seclabel (plan, "selinux", NULL);
}

static void
apply_partition (VpPlan *plan)
{
  plan->partition = g_strdup ("/machine/pods");
}

static void
apply_emulator (VpPlan *plan)
{
  plan->emulator = g_strdup ("/usr/bin/qemu-system-x86_64");
}

static void
apply_pod (VpPlan *plan)
{
  plan->pod_name = g_strdup ("web \"<1>\" & co");
  plan->pod_namespace = g_strdup ("default");
  plan->pod_uid = g_strdup ("5f1c1a5e-0001");
}

const Variant variants_machine[] = {
  { "plain", apply_plain, VP_N_FEATURES, NULL, FALSE },
  { "kvm", apply_kvm, VP_N_FEATURES, "kvm", FALSE },
  { "memory-ceiling", apply_memory_ceiling, VP_FEATURE_MAX_MEMORY, NULL, FALSE },
  { "memory-dimm", apply_memory_dimm, VP_FEATURE_DIMM, NULL, FALSE },
  { "memory-virtio", apply_memory_virtio, VP_FEATURE_VIRTIO_MEM, "virtio-mem", FALSE },
  { "memory-nvdimm", apply_memory_nvdimm, VP_FEATURE_NVDIMM, NULL, FALSE },
  { "memory-sgx", apply_memory_sgx, VP_FEATURE_SGX_EPC, "sgx epc", FALSE },
  { "memory-file", apply_memory_file, VP_FEATURE_BACKING_FILE, NULL, FALSE },
  { "memory-huge", apply_memory_huge, VP_FEATURE_HUGE_PAGES, NULL, FALSE },
  { "memory-huge-default", apply_memory_huge_default, VP_FEATURE_HUGE_PAGES, NULL, FALSE },
  { "memory-prealloc", apply_memory_prealloc, VP_FEATURE_PREALLOC, NULL, FALSE },
  { "memory-locked", apply_memory_locked, VP_FEATURE_LOCKED, NULL, FALSE },
  { "memory-private", apply_memory_private, VP_N_FEATURES, NULL, FALSE },
  { "memory-reclaim", apply_memory_reclaim, VP_FEATURE_RECLAIM, NULL, FALSE },
  { "numa", apply_numa, VP_FEATURE_NUMA, NULL, FALSE },
  { "vcpus-ceiling", apply_vcpus_ceiling, VP_FEATURE_VCPU_HOTPLUG, NULL, FALSE },
  { "vcpu-pins", apply_vcpu_pins, VP_FEATURE_VCPU_PINS, NULL, FALSE },
  { "cpu-features", apply_cpu_features, VP_FEATURE_CPU_MODEL, NULL, FALSE },
  { "cpu-model", apply_cpu_model, VP_FEATURE_CPU_MODEL, NULL, FALSE },
  { "cpu-maximum", apply_cpu_maximum, VP_FEATURE_CPU_MODEL, NULL, FALSE },
  { "boot-disk", apply_boot_disk, VP_FEATURE_BOOT_DISK, NULL, FALSE },
  { "initrd", apply_initrd, VP_N_FEATURES, NULL, FALSE },
  { "firmware", apply_firmware, VP_FEATURE_FIRMWARE, NULL, FALSE },
  { "firmware-volume", apply_firmware_volume, VP_FEATURE_FIRMWARE, NULL, FALSE },
  { "switch-ports", apply_switch_ports, VP_FEATURE_SWITCH_PORTS, NULL, FALSE },
  { "iommu", apply_iommu, VP_FEATURE_IOMMU, NULL, FALSE },
  { "iommu-eim", apply_iommu_eim, VP_FEATURE_IOMMU, "kvm", FALSE },
  { "iommu-virtio", apply_iommu_virtio, VP_FEATURE_IOMMU_VIRTIO, NULL, FALSE },
  { "iommu-platform", apply_iommu_platform, VP_FEATURE_IOMMU, NULL, FALSE },
  { "crash-dump", apply_crash_dump, VP_FEATURE_CRASH_DUMP, NULL, FALSE },
  { "seclabel", apply_seclabel, VP_FEATURE_SECLABEL, NULL, FALSE },
  { "partition", apply_partition, VP_N_FEATURES, NULL, FALSE },
  { "emulator", apply_emulator, VP_N_FEATURES, NULL, FALSE },
  { "pod", apply_pod, VP_N_FEATURES, NULL, FALSE },
};
const guint n_variants_machine = G_N_ELEMENTS (variants_machine);
