/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-device.h"

VpDevice *
vp_device_rng_new (const char *id, const char *source)
{
  VpDevice *device = g_new0 (VpDevice, 1);

  device->kind = VP_DEVICE_RNG;
  device->id = g_strdup (id);
  device->u.rng.source = g_strdup (source);
  return device;
}

static gboolean
emit_xml (const VpDevice *device, const VpPlan *plan, const VpDriver *driver, xmlNode *devices,
          GError **error)
{
  xmlNode *rng, *backend;

  if (!vp_driver_can (driver, VP_FEATURE_RNG, plan->libvirt_version))
    return TRUE; /* it has one of its own, and it is the same */
  rng = vp_xml_child (devices, "rng");
  vp_xml_set_word (rng, "model", "virtio");
  if (!vp_xml_add_text (rng, "backend", device->u.rng.source, error))
    return FALSE;
  backend = xmlGetLastChild (rng);
  vp_xml_set_word (backend, "model", "random");
  vp_device_emit_iommu (plan, rng);
  return TRUE;
}

const VpDeviceOps vp_device_rng = {
  .kind = VP_DEVICE_RNG,
  .n_ports = 1,
  .emit_xml = emit_xml,
};
