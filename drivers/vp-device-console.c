/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-device.h"

VpDevice *
vp_device_console_new (const char *id, const char *socket, const char *log, guint64 max_bytes)
{
  VpDevice *device = g_new0 (VpDevice, 1);

  device->kind = VP_DEVICE_CONSOLE;
  device->id = g_strdup (id);
  device->u.console.socket = g_strdup (socket);
  device->u.console.log = g_strdup (log);
  device->u.console.max_bytes = max_bytes;
  return device;
}

/* On a socket, read by the daemon: a guest that writes without end fills no
 * disk, as it would with type='file', which has no bound without virtlogd.
 * While nobody is connected the hypervisor drops the output. */
static gboolean
emit_xml (const VpDevice *device, const VpPlan *plan, const VpDriver *driver, xmlNode *devices,
          GError **error)
{
  gboolean virtio = device->u.console.model == VP_CONSOLE_VIRTIO;
  xmlNode *console = vp_xml_child (devices, virtio ? "console" : "serial"), *node;

  vp_xml_set_word (console, "type", "unix");
  node = vp_xml_child (console, "source");
  vp_xml_set_word (node, "mode", "bind");
  if (!vp_xml_set (node, "path", device->u.console.socket, error))
    return FALSE;
  node = vp_xml_child (console, "target");
  if (virtio)
    vp_xml_set_word (node, "type", "virtio");
  vp_xml_set_word (node, "port", "0");
  return TRUE;
}

const VpDeviceOps vp_device_console = {
  .kind = VP_DEVICE_CONSOLE,
  .emit_xml = emit_xml,
};
