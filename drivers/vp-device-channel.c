/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-device.h"

VpDevice *
vp_device_channel_new (const char *id, const char *name, const char *socket)
{
  VpDevice *device = g_new0 (VpDevice, 1);

  device->kind = VP_DEVICE_CHANNEL;
  device->id = g_strdup (id);
  device->u.channel.name = g_strdup (name);
  device->u.channel.socket = g_strdup (socket);
  return device;
}

static gboolean
emit_xml (const VpDevice *device, const VpPlan *plan, const VpDriver *driver, xmlNode *devices,
          GError **error)
{
  xmlNode *channel = vp_xml_child (devices, "channel"), *node;

  vp_xml_set_word (channel, "type", "unix");
  node = vp_xml_child (channel, "source");
  /* the hypervisor listens: a restarted daemon connects again at once, and
   * making the domain does not depend on somebody listening */
  vp_xml_set_word (node, "mode", "bind");
  if (!vp_xml_set (node, "path", device->u.channel.socket, error))
    return FALSE;
  node = vp_xml_child (channel, "target");
  vp_xml_set_word (node, "type", "virtio");
  return vp_xml_set (node, "name", device->u.channel.name, error);
}

const VpDeviceOps vp_device_channel = {
  .kind = VP_DEVICE_CHANNEL,
  .emit_xml = emit_xml,
};
