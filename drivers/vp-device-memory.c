/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-device.h"

VpDevice *
vp_device_memory_new (const char *id, VpMemoryModel model, guint64 size)
{
  VpDevice *device = g_new0 (VpDevice, 1);

  device->kind = VP_DEVICE_MEMORY;
  device->id = g_strdup (id);
  device->u.memory.model = model;
  device->u.memory.size = size;
  return device;
}

static gboolean
emit_xml (const VpDevice *device, const VpDriver *driver, xmlNode *devices, GError **error)
{
  return TRUE;
}

const VpDeviceOps vp_device_memory = {
  .kind = VP_DEVICE_MEMORY,
  .n_ports = 1,
  .emit_xml = emit_xml,
};
