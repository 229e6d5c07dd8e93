/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-device.h"

#include "vp-error.h"

/* libvirt counts in kilobytes a second, in an int */
#define RATE_UNIT 8000
#define RATE_MAX (G_GUINT64_CONSTANT (0x7fffffff) * RATE_UNIT)

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

/* It would give the guest the host's own address. Its interface is said so that it is the one
 * that was planned from. */
static gboolean
emit_passt (const VpDeviceNic *nic, xmlNode *interface, GError **error)
{
  xmlNode *ip;

  vp_xml_set_word (vp_xml_child (interface, "backend"), "type", "passt");
  if (!vp_xml_set (vp_xml_child (interface, "source"), "dev", nic->dev, error))
    return FALSE;
  ip = vp_xml_child (interface, "ip");
  vp_xml_set_word (ip, "family", "ipv4");
  if (!vp_xml_set (ip, "address", nic->address, error))
    return FALSE;
  vp_xml_set_number (ip, "prefix", nic->prefix);
  return TRUE;
}

static gboolean
emit_backend (const VpDeviceNic *nic, xmlNode *interface, GError **error)
{
  static const char *const types[] = { "ethernet", "ethernet", "user", "user" };
  xmlNode *node;

  vp_xml_set_word (interface, "type", types[nic->backend]);
  if (nic->backend == VP_NIC_PASST)
    return emit_passt (nic, interface, error);
  if (nic->backend != VP_NIC_USER)
    {
      /* libvirt finds out by itself which of the two it is, and opens it */
      node = vp_xml_child (interface, "target");
      if (!vp_xml_set (node, "dev", nic->dev, error))
        return FALSE;
      /* somebody else made it and takes it away */
      vp_xml_set_word (node, "managed", "no");
    }
  return TRUE;
}

static void
emit_driver (const VpDeviceNic *nic, const VpPlan *plan, xmlNode *interface)
{
  xmlNode *node;

  if (!nic->no_vhost && nic->queues < 2 && !plan->iommu_platform)
    return;
  node = vp_xml_child (interface, "driver");
  if (nic->no_vhost)
    vp_xml_set_word (node, "name", "qemu");
  if (nic->queues > 1)
    vp_xml_set_number (node, "queues", nic->queues);
  if (plan->iommu_platform)
    vp_xml_set_word (node, "iommu", "on");
}

/* A limit too small for the unit is still a limit, one too large for it none. */
static void
emit_rate (xmlNode *bandwidth, const char *name, guint64 rate)
{
  if (rate > 0 && rate <= RATE_MAX)
    vp_xml_set_number (vp_xml_child (bandwidth, name), "average", rate / RATE_UNIT + (rate % RATE_UNIT != 0));
}

static gboolean
emit_bandwidth (const VpDevice *device, xmlNode *interface, GError **error)
{
  const VpDeviceNic *nic = &device->u.nic;
  xmlNode *bandwidth;

  if ((nic->rx_rate == 0 && nic->tx_rate == 0) || nic->shaped_by_daemon)
    return TRUE;
  if (vp_nic_backend_is_user (nic->backend))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
                   "%s: a user-mode network has no interface on the host whose rate could be limited",
                   device->id);
      return FALSE;
    }
  bandwidth = vp_xml_child (interface, "bandwidth");
  /* in and out are the guest's */
  emit_rate (bandwidth, "inbound", nic->rx_rate);
  emit_rate (bandwidth, "outbound", nic->tx_rate);
  return TRUE;
}

static gboolean
emit_xml (const VpDevice *device, const VpPlan *plan, const VpDriver *driver, xmlNode *devices,
          GError **error)
{
  const VpDeviceNic *nic = &device->u.nic;
  xmlNode *interface = vp_xml_child (devices, "interface");

  if (!emit_backend (nic, interface, error))
    return FALSE;
  if (nic->mac != NULL && !vp_xml_set (vp_xml_child (interface, "mac"), "address", nic->mac, error))
    return FALSE;
  vp_xml_set_word (vp_xml_child (interface, "model"), "type", "virtio");
  emit_driver (nic, plan, interface);
  if (nic->mtu > 0)
    vp_xml_set_number (vp_xml_child (interface, "mtu"), "size", nic->mtu);
  /* nobody boots from it, and its boot code takes time to load */
  if (driver->has_buses)
    vp_xml_set_word (vp_xml_child (interface, "rom"), "enabled", "no");
  return emit_bandwidth (device, interface, error);
}

const VpDeviceOps vp_device_nic = {
  .kind = VP_DEVICE_NIC,
  .n_ports = 1,
  .emit_xml = emit_xml,
};
