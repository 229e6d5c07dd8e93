/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-device.h"

#include "vp-error.h"

#define BLOCK_SIZE (G_GUINT64_CONSTANT (2) << 20) /* of virtio-mem: a transparent huge page */

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
check (const VpDevice *device, GError **error)
{
  const VpDeviceMemory *memory = &device->u.memory;
  guint64 block = memory->block > 0 ? memory->block : BLOCK_SIZE;
  const char *why = NULL;

  if (memory->size == 0)
    why = "has no size";
  else if (memory->model == VP_MEMORY_NVDIMM && memory->source == NULL)
    why = "an NVDIMM needs a file";
  else if (memory->model == VP_MEMORY_VIRTIO_MEM && (block & (block - 1)) != 0)
    why = "its blocks must be a power of two";
  else if (memory->model == VP_MEMORY_VIRTIO_MEM
           && (memory->size % block != 0 || memory->requested % block != 0))
    why = "its sizes must be whole blocks";
  else if (memory->requested > memory->size)
    why = "asks for more than it has";
  if (why == NULL)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: %s", device->id, why);
  return FALSE;
}

static gboolean
emit_source (const VpDeviceMemory *memory, xmlNode *node, GError **error)
{
  if (memory->model != VP_MEMORY_NVDIMM)
    return TRUE;
  /* what one sandbox reads of an image, all read: they share its pages */
  vp_xml_set_word (node, "access", "shared");
  return vp_xml_add_text (vp_xml_child (node, "source"), "path", memory->source, error);
}

static gboolean
emit_xml (const VpDevice *device, const VpPlan *plan, const VpDriver *driver, xmlNode *devices,
          GError **error)
{
  const VpDeviceMemory *memory = &device->u.memory;
  xmlNode *node = vp_xml_child (devices, "memory"), *target;

  if (!check (device, error))
    return FALSE;
  vp_xml_set_word (node, "model", vp_memory_model_to_string (memory->model));
  if (!emit_source (memory, node, error))
    return FALSE;
  target = vp_xml_child (node, "target");
  vp_xml_add_kib (target, "size", memory->size);
  vp_xml_add_word (target, "node", "0");
  if (memory->model == VP_MEMORY_VIRTIO_MEM)
    {
      vp_xml_add_kib (target, "block", memory->block > 0 ? memory->block : BLOCK_SIZE);
      vp_xml_add_kib (target, "requested", memory->requested);
    }
  if (memory->model == VP_MEMORY_NVDIMM && memory->readonly)
    vp_xml_child (target, "readonly");
  return TRUE;
}

static guint
count_ports (const VpDevice *device)
{
  return device->u.memory.model == VP_MEMORY_VIRTIO_MEM ? 1 : 0;
}

const VpDeviceOps vp_device_memory = {
  .kind = VP_DEVICE_MEMORY,
  .count_ports = count_ports,
  .emit_xml = emit_xml,
};
