/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-domain-xml-private.h"

static gboolean
has_serial_bus (const VpPlan *plan)
{
  for (guint i = 0; i < plan->devices->len; i++)
    {
      const VpDevice *device = g_ptr_array_index (plan->devices, i);

      if (device->kind == VP_DEVICE_CHANNEL
          || (device->kind == VP_DEVICE_CONSOLE && device->u.console.model == VP_CONSOLE_VIRTIO))
        return TRUE;
    }
  return FALSE;
}

static const VpDeviceDisk *
find_scsi_disk (const VpPlan *plan)
{
  for (guint i = 0; i < plan->devices->len; i++)
    {
      const VpDevice *device = g_ptr_array_index (plan->devices, i);

      if (device->kind == VP_DEVICE_DISK && device->u.disk.bus == VP_DISK_VIRTIO_SCSI)
        return &device->u.disk;
    }
  return NULL;
}

/* libvirt puts the devices of this document on the first free ports, so there
 * must be one for each of them and the free ones besides. */
static guint
count_root_ports (const VpPlan *plan)
{
  guint n = plan->hotplug_ports;

  n += has_serial_bus (plan);
  n += plan->scsi_controller || find_scsi_disk (plan) != NULL;
  n += plan->reclaim_memory;
  n += plan->switch_ports > 0;
  for (guint i = 0; i < plan->devices->len; i++)
    n += vp_device_count_ports (g_ptr_array_index (plan->devices, i));
  return n;
}

static xmlNode *
add_controller (xmlNode *devices, const char *type, const char *model)
{
  xmlNode *node = vp_xml_child (devices, "controller");

  vp_xml_set_word (node, "type", type);
  if (model != NULL)
    vp_xml_set_word (node, "model", model);
  return node;
}

static void
add_pci (xmlNode *devices, guint *index, const char *model)
{
  xmlNode *node = add_controller (devices, "pci", NULL);

  vp_xml_set_number (node, "index", (*index)++);
  vp_xml_set_word (node, "model", model);
}

static void
add_scsi (const VpPlan *plan, xmlNode *devices)
{
  const VpDeviceDisk *disk = find_scsi_disk (plan);
  guint iothread = disk != NULL ? disk->iothread : 0, queues = disk != NULL ? disk->queues : 0;
  xmlNode *node;

  if (disk == NULL && !plan->scsi_controller)
    return;
  if (disk == NULL && plan->iothreads > 0)
    iothread = 1;
  node = add_controller (devices, "scsi", NULL);
  vp_xml_set_word (node, "index", "0");
  vp_xml_set_word (node, "model", "virtio-scsi");
  if (iothread == 0 && queues == 0 && !plan->iommu_platform)
    return;
  node = vp_xml_child (node, "driver");
  if (queues > 0)
    vp_xml_set_number (node, "queues", queues);
  if (iothread > 0)
    vp_xml_set_number (node, "iothread", iothread);
  if (plan->iommu_platform)
    vp_xml_set_word (node, "iommu", "on");
}

void
vp_domain_emit_controllers (const VpPlan *plan, xmlNode *devices)
{
  guint n_ports = count_root_ports (plan), index = 0;
  xmlNode *node;

  add_controller (devices, "usb", "none");
  add_pci (devices, &index, "pcie-root");
  for (guint i = 0; i < n_ports; i++)
    add_pci (devices, &index, "pcie-root-port");
  /* after the root ports, so that what is plugged at boot goes there */
  if (plan->switch_ports > 0)
    add_pci (devices, &index, "pcie-switch-upstream-port");
  for (guint i = 0; i < plan->switch_ports; i++)
    add_pci (devices, &index, "pcie-switch-downstream-port");
  if (has_serial_bus (plan))
    {
      node = add_controller (devices, "virtio-serial", NULL);
      vp_xml_set_word (node, "index", "0");
      vp_device_emit_iommu (plan, node);
    }
  add_scsi (plan, devices);
}

static void
add_iommu (const VpPlan *plan, xmlNode *devices)
{
  xmlNode *iommu, *node;

  if (plan->iommu == VP_IOMMU_NONE)
    return;
  iommu = vp_xml_child (devices, "iommu");
  vp_xml_set_word (iommu, "model", vp_iommu_to_string (plan->iommu));
  if (plan->iommu != VP_IOMMU_INTEL)
    return;
  node = vp_xml_child (iommu, "driver");
  vp_xml_set_word (node, "intremap", "on");
  /* the guest says when it changes a mapping, for devices passed through */
  vp_xml_set_word (node, "caching_mode", "on");
  if (vp_plan_get_max_vcpus (plan) > VP_MAX_PLAIN_VCPUS)
    vp_xml_set_word (node, "eim", "on");
  if (plan->iommu_platform)
    vp_xml_set_word (node, "iotlb", "on"); /* vhost translates for itself */
}

void
vp_domain_emit_platform (const VpPlan *plan, xmlNode *devices)
{
  xmlNode *node;

  add_iommu (plan, devices);
  if (plan->crash_dump)
    {
      node = vp_xml_child (devices, "panic");
      if (g_str_equal (plan->arch, "x86_64"))
        vp_xml_set_word (node, "model", "isa");
    }
  node = vp_xml_child (devices, "memballoon");
  vp_xml_set_word (node, "model", plan->reclaim_memory ? "virtio" : "none");
  if (plan->reclaim_memory)
    {
      vp_xml_set_word (node, "autodeflate", "on");
      vp_xml_set_word (node, "freePageReporting", "on");
      vp_device_emit_iommu (plan, node);
    }
}
