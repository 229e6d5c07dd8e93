/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "variants.h"

#include "vp-device.h"

static VpPlan *
new_plan (void)
{
  VpPlan *plan = vp_plan_new ();

  plan->sandbox_id = g_strdup ("s1");
  plan->handler = g_strdup ("default");
  plan->uuid = g_strdup ("6b9a2c6e-7a0f-4d55-9d4b-0a6f0c1d2e3f");
  plan->domain_name = g_strdup ("vp-s1");
  plan->directory = g_strdup ("/run/virtpod/sandboxes/s1");
  plan->libvirt_version = 9000000;
  plan->arch = g_strdup ("x86_64");
  plan->vcpus = 1;
  plan->memory = 256 << 20;
  plan->kernel = g_strdup ("/usr/lib/virtpod/guest/vmlinux");
  plan->cmdline = g_strdup ("quiet");
  plan->hostname = g_strdup ("");
  return plan;
}

VpPlan *
variant_new_qemu (void)
{
  VpPlan *plan = new_plan ();

  plan->accel = VP_ACCEL_TCG;
  plan->machine = g_strdup ("q35");
  plan->cpu_model = g_strdup ("qemu64");
  return plan;
}

VpPlan *
variant_new_cloud (void)
{
  VpPlan *plan = new_plan ();

  plan->accel = VP_ACCEL_KVM;
  plan->machine = g_strdup ("q35"); /* from the configuration, and without a meaning here */
  return plan;
}

VpPlan *
variant_new_plan (const Variant *variant)
{
  VpPlan *plan = variant->cloud ? variant_new_cloud () : variant_new_qemu ();

  variant->apply (plan);
  return plan;
}

const VpDriver *
variant_get_driver (const Variant *variant)
{
  return variant->cloud ? &vp_driver_ch : &vp_driver_qemu;
}

/* ---- one at a time ---------------------------------------------------------- */

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
apply_channel (VpPlan *plan)
{
  vp_plan_add_device (plan, vp_device_channel_new ("agent", "org.virtpod.agent.0", "/run/virtpod/s/a.sock"));
}

static void
apply_vsock (VpPlan *plan)
{
  vp_plan_add_device (plan, vp_device_vsock_new ("vsock0", 1024));
}

static void
apply_vsock_cid (VpPlan *plan)
{
  VpDevice *device = vp_device_vsock_new ("vsock0", 1024);

  device->u.vsock.cid = 4000000000u;
  vp_plan_add_device (plan, device);
}

static void
apply_console (VpPlan *plan)
{
  vp_plan_add_device (
      plan, vp_device_console_new ("console", "/run/virtpod/s/c.sock", "/run/virtpod/s/c.log", 65536));
}

static void
apply_console_virtio (VpPlan *plan)
{
  VpDevice *device
      = vp_device_console_new ("console", "/run/virtpod/s/c.sock", "/run/virtpod/s/c.log", 65536);

  device->u.console.model = VP_CONSOLE_VIRTIO;
  vp_plan_add_device (plan, device);
}

static void
apply_rng (VpPlan *plan)
{
  vp_plan_add_device (plan, vp_device_rng_new ("rng0", "/dev/hwrng"));
}

static void
apply_share (VpPlan *plan)
{
  vp_plan_add_device (plan, vp_device_share_new ("share0", "kataShared", "/run/virtpod/s/shared"));
}

static void
apply_share_cache_never (VpPlan *plan)
{
  VpDevice *device = vp_device_share_new ("share0", "kataShared", "/run/virtpod/s/shared");

  device->u.share.cache = VP_SHARE_CACHE_NEVER;
  vp_plan_add_device (plan, device);
}

static void
apply_share_cache_always (VpPlan *plan)
{
  VpDevice *device = vp_device_share_new ("share0", "kataShared", "/run/virtpod/s/shared");

  device->u.share.cache = VP_SHARE_CACHE_ALWAYS;
  vp_plan_add_device (plan, device);
}

static void
apply_share_options (VpPlan *plan)
{
  VpDevice *device = vp_device_share_new ("share0", "kataShared", "/run/virtpod/s/shared");

  device->u.share.daemon = g_strdup ("/usr/lib/qemu/virtiofsd");
  device->u.share.threads = 4;
  device->u.share.xattr = TRUE;
  device->u.share.posix_locks = TRUE;
  device->u.share.queue_size = 512;
  vp_plan_add_device (plan, device);
}

static void
apply_share_sandbox (VpPlan *plan)
{
  VpDevice *device = vp_device_share_new ("share0", "kataShared", "/run/virtpod/s/shared");

  device->u.share.sandbox = g_strdup ("chroot");
  device->u.share.no_threads = TRUE;
  vp_plan_add_device (plan, device);
}

static void
apply_disk_limits (VpPlan *plan)
{
  VpDevice *device = vp_device_disk_new ("disk0", "/var/lib/a.img", VP_DISK_VIRTIO_BLK);

  device->u.disk.max_bytes_per_second = 100 << 20;
  device->u.disk.max_ops_per_second = 2000;
  vp_plan_add_device (plan, device);
}

static void
apply_disk (VpPlan *plan)
{
  vp_plan_add_device (plan, vp_device_disk_new ("disk0", "/var/lib/a.img", VP_DISK_VIRTIO_BLK));
}

static void
apply_disk_readonly (VpPlan *plan)
{
  VpDevice *device = vp_device_disk_new ("disk0", "/var/lib/a.img", VP_DISK_VIRTIO_BLK);

  device->u.disk.readonly = TRUE;
  vp_plan_add_device (plan, device);
}

static void
apply_disk_block (VpPlan *plan)
{
  VpDevice *device = vp_device_disk_new ("disk0", "/dev/vg/a", VP_DISK_VIRTIO_BLK);

  device->u.disk.is_block = TRUE;
  vp_plan_add_device (plan, device);
}

static void
apply_disk_qcow2 (VpPlan *plan)
{
  VpDevice *device = vp_device_disk_new ("disk0", "/var/lib/a.img", VP_DISK_VIRTIO_BLK);

  device->u.disk.format = g_strdup ("qcow2");
  vp_plan_add_device (plan, device);
}

static void
apply_disk_scsi (VpPlan *plan)
{
  vp_plan_add_device (plan, vp_device_disk_new ("disk0", "/var/lib/a.img", VP_DISK_VIRTIO_SCSI));
}

static void
apply_disk_scsi_options (VpPlan *plan)
{
  VpDevice *device = vp_device_disk_new ("disk0", "/var/lib/a.img", VP_DISK_VIRTIO_SCSI);

  plan->iothreads = 1;
  device->u.disk.iothread = 1;
  device->u.disk.queues = 4;
  device->u.disk.serial = g_strdup ("a-serial-number-of-36-characters-abc");
  vp_plan_add_device (plan, device);
}

static void
apply_scsi_controller (VpPlan *plan)
{
  plan->scsi_controller = TRUE;
  plan->iothreads = 1;
}

static void
apply_disk_cache_direct (VpPlan *plan)
{
  VpDevice *device = vp_device_disk_new ("disk0", "/var/lib/a.img", VP_DISK_VIRTIO_BLK);

  device->u.disk.cache_set = TRUE;
  device->u.disk.cache_direct = TRUE;
  device->u.disk.io = VP_DISK_IO_NATIVE;
  vp_plan_add_device (plan, device);
}

static void
apply_disk_cache_noflush (VpPlan *plan)
{
  VpDevice *device = vp_device_disk_new ("disk0", "/var/lib/a.img", VP_DISK_VIRTIO_BLK);

  device->u.disk.cache_set = TRUE;
  device->u.disk.cache_noflush = TRUE;
  device->u.disk.io = VP_DISK_IO_THREADS;
  vp_plan_add_device (plan, device);
}

static void
apply_disk_cache_host (VpPlan *plan)
{
  VpDevice *device = vp_device_disk_new ("disk0", "/var/lib/a.img", VP_DISK_VIRTIO_BLK);

  device->u.disk.cache_set = TRUE;
  device->u.disk.discard = TRUE;
  device->u.disk.shareable = TRUE;
  vp_plan_add_device (plan, device);
}

static void
apply_disk_io_uring (VpPlan *plan)
{
  VpDevice *device = vp_device_disk_new ("disk0", "/var/lib/a.img", VP_DISK_VIRTIO_BLK);

  device->u.disk.io = VP_DISK_IO_URING;
  vp_plan_add_device (plan, device);
}

static void
apply_disk_queues (VpPlan *plan)
{
  VpDevice *device = vp_device_disk_new ("disk0", "/var/lib/a.img", VP_DISK_VIRTIO_BLK);

  device->u.disk.queues = 4;
  device->u.disk.queue_size = 256;
  device->u.disk.logical_block = 4096;
  device->u.disk.physical_block = 4096;
  device->u.disk.serial = g_strdup ("a-serial-of-20-chars");
  vp_plan_add_device (plan, device);
}

static void
apply_disk_iothread (VpPlan *plan)
{
  VpDevice *device = vp_device_disk_new ("disk0", "/var/lib/a.img", VP_DISK_VIRTIO_BLK);

  plan->iothreads = 2;
  device->u.disk.iothread = 2;
  vp_plan_add_device (plan, device);
}

static void
apply_disks_many (VpPlan *plan)
{
  for (guint i = 0; i < 28; i++)
    {
      g_autofree char *id = g_strdup_printf ("disk%u", i), *path = g_strdup_printf ("/var/lib/%u.img", i);

      vp_plan_add_device (plan,
                          vp_device_disk_new (id, path, i == 3 ? VP_DISK_VIRTIO_BLK : VP_DISK_VIRTIO_SCSI));
    }
}

static void
apply_nic_tap (VpPlan *plan)
{
  VpDevice *device = vp_device_nic_new ("nic0", VP_NIC_TAP, "vptap0");

  device->u.nic.mac = g_strdup ("02:00:00:aa:bb:01");
  vp_plan_add_device (plan, device);
}

static void
apply_nic_options (VpPlan *plan)
{
  VpDevice *device = vp_device_nic_new ("nic0", VP_NIC_TAP, "vptap0");

  device->u.nic.mac = g_strdup ("02:00:00:aa:bb:01");
  device->u.nic.queues = 4;
  device->u.nic.no_vhost = TRUE;
  vp_plan_add_device (plan, device);
}

static void
apply_nic_mtu (VpPlan *plan)
{
  VpDevice *device = vp_device_nic_new ("nic0", VP_NIC_TAP, "vptap0");

  device->u.nic.mac = g_strdup ("02:00:00:aa:bb:01");
  device->u.nic.mtu = 9000;
  vp_plan_add_device (plan, device);
}

static void
apply_nic_rate (VpPlan *plan)
{
  VpDevice *device = vp_device_nic_new ("nic0", VP_NIC_TAP, "vptap0");

  device->u.nic.mac = g_strdup ("02:00:00:aa:bb:01");
  device->u.nic.rx_rate = 10000001;
  device->u.nic.tx_rate = 1;
  vp_plan_add_device (plan, device);
}

static void
apply_nic_rate_daemon (VpPlan *plan)
{
  VpDevice *device = vp_device_nic_new ("nic0", VP_NIC_TAP, "vptap0");

  device->u.nic.mac = g_strdup ("02:00:00:aa:bb:01");
  device->u.nic.rx_rate = 10000000;
  device->u.nic.shaped_by_daemon = TRUE;
  vp_plan_add_device (plan, device);
}

static void
apply_nic_macvtap (VpPlan *plan)
{
  VpDevice *device = vp_device_nic_new ("nic0", VP_NIC_MACVTAP, "eth0");

  device->u.nic.mac = g_strdup ("02:00:00:aa:bb:01");
  vp_plan_add_device (plan, device);
}

static void
apply_nic_user (VpPlan *plan)
{
  VpDevice *device = vp_device_nic_new ("nic0", VP_NIC_USER, NULL);

  device->u.nic.mac = g_strdup ("02:00:00:aa:bb:01");
  vp_plan_add_device (plan, device);
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

static void
apply_ch_plain (VpPlan *plan)
{
}

static void
apply_ch_console (VpPlan *plan)
{
  plan->libvirt_version = 10002000;
  vp_plan_add_device (
      plan, vp_device_console_new ("console", "/run/virtpod/s/c.sock", "/run/virtpod/s/c.log", 65536));
}

static void
apply_ch_disks (VpPlan *plan)
{
  VpDevice *device = vp_device_disk_new ("disk0", "/var/lib/a.img", VP_DISK_VIRTIO_BLK);

  device->u.disk.readonly = TRUE;
  vp_plan_add_device (plan, device);
  vp_plan_add_device (plan, vp_device_disk_new ("disk1", "/var/lib/b.img", VP_DISK_VIRTIO_BLK));
}

static void
apply_ch_nic (VpPlan *plan)
{
  VpDevice *device = vp_device_nic_new ("nic0", VP_NIC_TAP, "vptap0");

  device->u.nic.mac = g_strdup ("02:00:00:aa:bb:01");
  device->u.nic.queues = 2;
  device->u.nic.mtu = 9000;
  plan->libvirt_version = 10001000;
  vp_plan_add_device (plan, device);
}

static void
apply_ch_rng (VpPlan *plan)
{
  vp_plan_add_device (plan, vp_device_rng_new ("rng0", "/dev/urandom"));
}

static void
apply_ch_vcpus (VpPlan *plan)
{
  plan->vcpus = 4;
  plan->initrd = g_strdup ("/usr/lib/virtpod/guest/initrd.img");
  plan->partition = g_strdup ("/machine");
}

const Variant variants[] = {
  { "plain", apply_plain, VP_N_FEATURES, NULL, FALSE },
  { "kvm", apply_kvm, VP_N_FEATURES, "kvm", FALSE },
  { "channel", apply_channel, VP_FEATURE_CHANNEL, NULL, FALSE },
  { "vsock", apply_vsock, VP_FEATURE_VSOCK, NULL, FALSE },
  { "vsock-cid", apply_vsock_cid, VP_FEATURE_VSOCK, NULL, FALSE },
  { "console", apply_console, VP_FEATURE_CONSOLE, NULL, FALSE },
  { "console-virtio", apply_console_virtio, VP_FEATURE_VIRTIO_CONSOLE, NULL, FALSE },
  { "rng", apply_rng, VP_FEATURE_RNG, NULL, FALSE },
  { "share", apply_share, VP_FEATURE_SHARE, NULL, FALSE },
  { "share-cache-never", apply_share_cache_never, VP_FEATURE_SHARE_CACHE, NULL, FALSE },
  { "share-cache-always", apply_share_cache_always, VP_FEATURE_SHARE_CACHE, NULL, FALSE },
  { "share-options", apply_share_options, VP_FEATURE_SHARE_THREADS, NULL, FALSE },
  { "share-sandbox", apply_share_sandbox, VP_FEATURE_SHARE_THREADS, NULL, FALSE },
  { "disk-limits", apply_disk_limits, VP_FEATURE_DISK_OPTIONS, NULL, FALSE },
  { "disk", apply_disk, VP_N_FEATURES, NULL, FALSE },
  { "disk-readonly", apply_disk_readonly, VP_N_FEATURES, NULL, FALSE },
  { "disk-block", apply_disk_block, VP_FEATURE_DISK_BLOCK, NULL, FALSE },
  { "disk-qcow2", apply_disk_qcow2, VP_FEATURE_DISK_FORMAT, NULL, FALSE },
  { "disk-scsi", apply_disk_scsi, VP_FEATURE_DISK_SCSI, NULL, FALSE },
  { "disk-scsi-options", apply_disk_scsi_options, VP_FEATURE_DISK_SCSI, NULL, FALSE },
  { "scsi-controller", apply_scsi_controller, VP_FEATURE_DISK_SCSI, NULL, FALSE },
  { "disk-cache-direct", apply_disk_cache_direct, VP_FEATURE_DISK_OPTIONS, NULL, FALSE },
  { "disk-cache-noflush", apply_disk_cache_noflush, VP_FEATURE_DISK_OPTIONS, NULL, FALSE },
  { "disk-cache-host", apply_disk_cache_host, VP_FEATURE_DISK_OPTIONS, NULL, FALSE },
  { "disk-io-uring", apply_disk_io_uring, VP_FEATURE_IO_URING, "io_uring", FALSE },
  { "disk-queues", apply_disk_queues, VP_FEATURE_DISK_OPTIONS, NULL, FALSE },
  { "disk-iothread", apply_disk_iothread, VP_FEATURE_IOTHREADS, NULL, FALSE },
  { "disks-many", apply_disks_many, VP_FEATURE_DISK_SCSI, NULL, FALSE },
  { "nic-tap", apply_nic_tap, VP_N_FEATURES, NULL, FALSE },
  { "nic-options", apply_nic_options, VP_FEATURE_NIC_QUEUES, NULL, FALSE },
  { "nic-mtu", apply_nic_mtu, VP_FEATURE_NIC_MTU, NULL, FALSE },
  { "nic-rate", apply_nic_rate, VP_FEATURE_NIC_RATE, NULL, FALSE },
  { "nic-rate-daemon", apply_nic_rate_daemon, VP_N_FEATURES, NULL, FALSE },
  { "nic-macvtap", apply_nic_macvtap, VP_FEATURE_NIC_MACVTAP, NULL, FALSE },
  { "nic-user", apply_nic_user, VP_FEATURE_NIC_USER, NULL, FALSE },
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
  { "ch-plain", apply_ch_plain, VP_N_FEATURES, NULL, TRUE },
  { "ch-console", apply_ch_console, VP_N_FEATURES, NULL, TRUE },
  { "ch-disks", apply_ch_disks, VP_N_FEATURES, NULL, TRUE },
  { "ch-nic", apply_ch_nic, VP_N_FEATURES, NULL, TRUE },
  { "ch-rng", apply_ch_rng, VP_N_FEATURES, NULL, TRUE },
  { "ch-vcpus", apply_ch_vcpus, VP_N_FEATURES, NULL, TRUE },
};
const guint n_variants = G_N_ELEMENTS (variants);
