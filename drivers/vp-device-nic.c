/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-device.h"

VpDevice *
vp_device_nic_new (const char *id, VpNicBackend backend, const char *dev)
{
  VpDevice *device = g_new0 (VpDevice, 1);

  device->kind = VP_DEVICE_NIC;
  device->id = g_strdup (id);
  device->u.nic.backend = backend;
  device->u.nic.dev = g_strdup (dev);
  return device;
}

static gboolean
emit_xml (const VpDevice *device, const VpDriver *driver, xmlNode *devices, GError **error)
{
  return TRUE;
}

const VpDeviceOps vp_device_nic = {
  .kind = VP_DEVICE_NIC,
  .n_ports = 1,
  .emit_xml = emit_xml,
};
