/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Channels, consoles, shares, disks, network interfaces. */
#include "variants-private.h"

#include "vp-device.h"

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
  VpDevice *device = vp_device_nic_new ("nic0", VP_NIC_MACVTAP, "vptap0");

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
apply_nic_passt (VpPlan *plan)
{
  VpDevice *device = vp_device_nic_new ("nic0", VP_NIC_PASST, "up0");

  plan->libvirt_version = 10006000;
  device->u.nic.address = g_strdup ("10.0.2.15");
  device->u.nic.prefix = 24;
  device->u.nic.mac = g_strdup ("02:00:00:aa:bb:01");
  vp_plan_add_device (plan, device);
}

const Variant variants_devices[] = {
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
  { "nic-passt", apply_nic_passt, VP_FEATURE_NIC_PASST, "element 'backend': 'passt'", FALSE },
};
const guint n_variants_devices = G_N_ELEMENTS (variants_devices);
