/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-device.h"

VpDevice *
vp_device_vsock_new (const char *id, guint32 port)
{
  VpDevice *device = g_new0 (VpDevice, 1);

  device->kind = VP_DEVICE_VSOCK;
  device->id = g_strdup (id);
  device->u.vsock.port = port;
  return device;
}

static gboolean
emit_xml (const VpDevice *device, const VpDriver *driver, xmlNode *devices, GError **error)
{
  return TRUE;
}

const VpDeviceOps vp_device_vsock = {
  .kind = VP_DEVICE_VSOCK,
  .n_ports = 1,
  .emit_xml = emit_xml,
};
