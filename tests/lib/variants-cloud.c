/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Cloud Hypervisor has through libvirt. */
#include "variants-private.h"

#include "vp-device.h"

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

const Variant variants_cloud[] = {
  { "ch-plain", apply_ch_plain, VP_N_FEATURES, NULL, TRUE },
  { "ch-console", apply_ch_console, VP_N_FEATURES, NULL, TRUE },
  { "ch-disks", apply_ch_disks, VP_N_FEATURES, NULL, TRUE },
  { "ch-nic", apply_ch_nic, VP_N_FEATURES, NULL, TRUE },
  { "ch-rng", apply_ch_rng, VP_N_FEATURES, NULL, TRUE },
  { "ch-vcpus", apply_ch_vcpus, VP_N_FEATURES, NULL, TRUE },
};
const guint n_variants_cloud = G_N_ELEMENTS (variants_cloud);
