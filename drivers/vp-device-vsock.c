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
emit_xml (const VpDevice *device, const VpPlan *plan, const VpDriver *driver, xmlNode *devices,
          GError **error)
{
  xmlNode *vsock = vp_xml_child (devices, "vsock"), *cid;

  vp_xml_set_word (vsock, "model", "virtio");
  cid = vp_xml_child (vsock, "cid");
  if (device->u.vsock.cid == 0)
    vp_xml_set_word (cid, "auto", "yes");
  else
    {
      vp_xml_set_word (cid, "auto", "no");
      vp_xml_set_number (cid, "address", device->u.vsock.cid);
    }
  vp_device_emit_iommu (plan, vsock);
  return TRUE;
}

const VpDeviceOps vp_device_vsock = {
  .kind = VP_DEVICE_VSOCK,
  .n_ports = 1,
  .emit_xml = emit_xml,
};
