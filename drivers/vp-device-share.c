/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-device.h"

#include "vp-names.h"

VpDevice *
vp_device_share_new (const char *id, const char *tag, const char *source)
{
  VpDevice *device = g_new0 (VpDevice, 1);

  device->kind = VP_DEVICE_SHARE;
  device->id = g_strdup (id);
  device->u.share.tag = g_strdup (tag);
  device->u.share.source = g_strdup (source);
  return device;
}

static gboolean
emit_xml (const VpDevice *device, const VpDriver *driver, xmlNode *devices, GError **error)
{
  xmlNode *filesystem, *node;

  filesystem = vp_xml_child (devices, "filesystem");
  vp_xml_set_word (filesystem, "type", "mount");
  /* owners and modes of a root file system must be what they are */
  vp_xml_set_word (filesystem, "accessmode", "passthrough");
  node = vp_xml_child (filesystem, "driver");
  vp_xml_set_word (node, "type", "virtiofs");
  vp_xml_set_word (node, "queue", "1024");
  node = vp_xml_child (filesystem, "source");
  if (!vp_xml_set (node, "dir", device->u.share.source, error))
    return FALSE;
  node = vp_xml_child (filesystem, "target");
  return vp_xml_set (node, "dir", device->u.share.tag, error);
}

static void
emit_guest (const VpDevice *device, VpPlan *plan)
{
  vp_plan_add_storage (plan, "virtio-fs", device->u.share.tag, "virtiofs", VP_GUEST_SHARED_DIR, NULL);
}

const VpDeviceOps vp_device_share = {
  .kind = VP_DEVICE_SHARE,
  .n_ports = 1,
  .emit_xml = emit_xml,
  .emit_guest = emit_guest,
};
