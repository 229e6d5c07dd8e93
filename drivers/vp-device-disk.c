/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-device.h"

#include <string.h>

#include "vp-error.h"

/* what the devices have room for; more would be cut off in silence */
#define SERIAL_MAX_BLK 20
#define SERIAL_MAX_SCSI 36
#define N_LETTERS 26
#define SCSI_TARGETS 256

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
refuse (const VpDevice *device, const char *why, GError **error)
{
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: %s", device->id, why);
  return FALSE;
}

static gboolean
is_block_size (guint size)
{
  return size == 0 || (size >= 512 && size <= 65536 && (size & (size - 1)) == 0);
}

/* What libvirt would take and the hypervisor not do, or the other way round. */
static gboolean
check (const VpDevice *device, const VpPlan *plan, GError **error)
{
  const VpDeviceDisk *disk = &device->u.disk;
  gsize serial_max = disk->bus == VP_DISK_VIRTIO_BLK ? SERIAL_MAX_BLK : SERIAL_MAX_SCSI;

  if (disk->cache_set && disk->cache_direct && disk->cache_noflush)
    return refuse (device, "libvirt has no cache mode that is direct and ignores flushes", error);
  if (disk->io == VP_DISK_IO_NATIVE && !(disk->cache_set && disk->cache_direct))
    return refuse (device, "native I/O needs a direct cache", error);
  if (disk->iothread > plan->iothreads)
    return refuse (device, "its I/O thread is not among the plan's", error);
  if (disk->serial != NULL && strlen (disk->serial) > serial_max)
    return refuse (device, "its serial number does not fit", error);
  if (!is_block_size (disk->logical_block) || !is_block_size (disk->physical_block))
    return refuse (device, "a block size must be a power of two from 512 to 65536", error);
  if (disk->physical_block > 0 && disk->logical_block > disk->physical_block)
    return refuse (device, "its logical blocks are larger than its physical ones", error);
  return TRUE;
}

static void
emit_limit (xmlNode *parent, const char *name, guint64 limit)
{
  char text[32];

  g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT, limit);
  if (limit > 0)
    vp_xml_add_word (parent, name, text);
}

static void
emit_limits (const VpDeviceDisk *disk, xmlNode *parent)
{
  xmlNode *node;

  if (disk->max_bytes_per_second == 0 && disk->max_ops_per_second == 0)
    return;
  node = vp_xml_child (parent, "iotune");
  emit_limit (node, "total_bytes_sec", disk->max_bytes_per_second);
  emit_limit (node, "total_iops_sec", disk->max_ops_per_second);
}

/* Counted along the plan, so that a disk's name and address do not depend on
 * when they are asked for. */
static guint
get_index (const VpDevice *device, const VpPlan *plan)
{
  guint index = 0;

  for (guint i = 0; i < plan->devices->len; i++)
    {
      const VpDevice *other = g_ptr_array_index (plan->devices, i);

      if (other == device)
        break;
      if (other->kind == VP_DEVICE_DISK && other->u.disk.bus == device->u.disk.bus)
        index++;
    }
  return index;
}

/* "vda", "sdab": libvirt wants a name, the guest chooses its own. */
static char *
make_target (VpDiskBus bus, guint index)
{
  GString *name = g_string_new (NULL);

  for (;; index = index / N_LETTERS - 1)
    {
      g_string_prepend_c (name, (char)('a' + index % N_LETTERS));
      if (index < N_LETTERS)
        break;
    }
  g_string_prepend (name, bus == VP_DISK_VIRTIO_BLK ? "vd" : "sd");
  return g_string_free (name, FALSE);
}

/* libvirt's own addresses go by the name and would make a controller for every
 * fifteen disks. The guest finds the disk by target and unit. */
static gboolean
emit_address (const VpDevice *device, guint index, xmlNode *parent, GError **error)
{
  xmlNode *address;

  if (device->u.disk.bus != VP_DISK_VIRTIO_SCSI)
    return TRUE;
  if (index >= SCSI_TARGETS)
    return refuse (device, "the SCSI controller has no room for more than 256 disks", error);
  address = vp_xml_child (parent, "address");
  vp_xml_set_word (address, "type", "drive");
  vp_xml_set_word (address, "controller", "0");
  vp_xml_set_word (address, "bus", "0");
  vp_xml_set_number (address, "target", index);
  vp_xml_set_word (address, "unit", "0");
  return TRUE;
}

static void
emit_driver (const VpDevice *device, const VpPlan *plan, xmlNode *node)
{
  static const char *const ios[] = { NULL, "native", "threads", "io_uring" };
  const VpDeviceDisk *disk = &device->u.disk;

  vp_xml_set_word (node, "name", "qemu");
  vp_xml_set_word (node, "type", disk->format ?: "raw");
  if (disk->cache_set)
    vp_xml_set_word (node, "cache",
                     disk->cache_noflush  ? "unsafe"
                     : disk->cache_direct ? "none"
                                          : "writeback");
  if (ios[disk->io] != NULL)
    vp_xml_set_word (node, "io", ios[disk->io]);
  if (disk->discard)
    vp_xml_set_word (node, "discard", "unmap");
  if (disk->bus != VP_DISK_VIRTIO_BLK)
    return; /* threads, queues and the IOMMU are the controller's there */
  if (disk->iothread > 0)
    vp_xml_set_number (node, "iothread", disk->iothread);
  if (disk->queues > 0)
    vp_xml_set_number (node, "queues", disk->queues);
  if (disk->queue_size > 0)
    vp_xml_set_number (node, "queue_size", disk->queue_size);
  if (plan->iommu_platform)
    vp_xml_set_word (node, "iommu", "on");
}

static void
emit_block_sizes (const VpDeviceDisk *disk, xmlNode *parent)
{
  xmlNode *node;

  if (disk->logical_block == 0 && disk->physical_block == 0)
    return;
  node = vp_xml_child (parent, "blockio");
  if (disk->logical_block > 0)
    vp_xml_set_number (node, "logical_block_size", disk->logical_block);
  if (disk->physical_block > 0)
    vp_xml_set_number (node, "physical_block_size", disk->physical_block);
}

static gboolean
emit_xml (const VpDevice *device, const VpPlan *plan, const VpDriver *driver, xmlNode *devices,
          GError **error)
{
  const VpDeviceDisk *disk = &device->u.disk;
  guint index = get_index (device, plan);
  g_autofree char *target = make_target (disk->bus, index);
  xmlNode *parent = vp_xml_child (devices, "disk"), *node;

  if (!check (device, plan, error))
    return FALSE;
  vp_xml_set_word (parent, "type", disk->is_block ? "block" : "file");
  vp_xml_set_word (parent, "device", "disk");
  node = vp_xml_child (parent, "driver");
  if (driver->has_buses)
    emit_driver (device, plan, node);
  else
    vp_xml_set_word (node, "type", disk->format ?: "raw");
  node = vp_xml_child (parent, "source");
  if (!vp_xml_set (node, disk->is_block ? "dev" : "file", disk->source, error))
    return FALSE;
  emit_block_sizes (disk, parent);
  node = vp_xml_child (parent, "target");
  vp_xml_set_word (node, "dev", target);
  vp_xml_set_word (node, "bus", disk->bus == VP_DISK_VIRTIO_BLK ? "virtio" : "scsi");
  if (disk->readonly)
    vp_xml_child (parent, "readonly");
  if (disk->shareable)
    vp_xml_child (parent, "shareable");
  emit_limits (disk, parent);
  if (!emit_address (device, index, parent, error))
    return FALSE;
  return disk->serial == NULL || vp_xml_add_text (parent, "serial", disk->serial, error);
}

static guint
count_ports (const VpDevice *device)
{
  return device->u.disk.bus == VP_DISK_VIRTIO_BLK ? 1 : 0; /* the controller has the port */
}

const VpDeviceOps vp_device_disk = {
  .kind = VP_DEVICE_DISK,
  .count_ports = count_ports,
  .emit_xml = emit_xml,
};
