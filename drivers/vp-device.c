/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-device.h"

const VpDeviceOps *
vp_device_ops (VpDeviceKind kind)
{
  static const VpDeviceOps *const ops[VP_N_DEVICE_KINDS] = {
    [VP_DEVICE_SHARE] = &vp_device_share,     [VP_DEVICE_CHANNEL] = &vp_device_channel,
    [VP_DEVICE_CONSOLE] = &vp_device_console, [VP_DEVICE_RNG] = &vp_device_rng,
    [VP_DEVICE_VSOCK] = &vp_device_vsock,     [VP_DEVICE_DISK] = &vp_device_disk,
    [VP_DEVICE_NIC] = &vp_device_nic,         [VP_DEVICE_MEMORY] = &vp_device_memory,
  };

  return ops[kind];
}

guint
vp_device_count_ports (const VpDevice *device)
{
  const VpDeviceOps *ops = vp_device_ops (device->kind);

  return ops->count_ports != NULL ? ops->count_ports (device) : ops->n_ports;
}

void
vp_device_emit_iommu (const VpPlan *plan, xmlNode *parent)
{
  if (plan->iommu_platform)
    vp_xml_set_word (vp_xml_child (parent, "driver"), "iommu", "on");
}
