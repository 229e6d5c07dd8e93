/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-device.h"

VpDevice *
vp_device_disk_new (const char *id, const char *source, VpDiskBus bus)
{
  VpDevice *device = g_new0 (VpDevice, 1);

  device->kind = VP_DEVICE_DISK;
  device->id = g_strdup (id);
  device->u.disk.source = g_strdup (source);
  device->u.disk.bus = bus;
  return device;
}

static gboolean
emit_xml (const VpDevice *device, const VpDriver *driver, xmlNode *devices, GError **error)
{
  return TRUE;
}

const VpDeviceOps vp_device_disk = {
  .kind = VP_DEVICE_DISK,
  .n_ports = 1,
  .emit_xml = emit_xml,
};
