/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-domain-xml-private.h"

/* What memory devices add to the guest's memory from libvirt's point of view.
 * Each takes a slot: before 9.5 libvirt counts virtio-mem among the modules,
 * and wants room for plugging even for enclave memory, which is never plugged. */
static guint64
count_devices (const VpPlan *plan, guint *ret_n_slots)
{
  guint64 bytes = 0;

  *ret_n_slots = 0;
  for (guint i = 0; i < plan->devices->len; i++)
    {
      const VpDevice *device = g_ptr_array_index (plan->devices, i);

      if (device->kind != VP_DEVICE_MEMORY)
        continue;
      bytes += device->u.memory.size;
      *ret_n_slots += 1;
    }
  return bytes;
}

static void
emit_amounts (const VpPlan *plan, xmlNode *domain)
{
  guint n_slots;
  guint64 total = plan->memory + count_devices (plan, &n_slots);
  guint64 max = MAX (vp_plan_get_max_memory (plan), total);

  if (n_slots > 0 || max > total)
    {
      xmlNode *node = vp_xml_add_kib (domain, "maxMemory", max);
      vp_xml_set_number (node, "slots", MAX (plan->memory_slots, MAX (n_slots, 1)));
    }
  vp_xml_add_kib (domain, "memory", total);
}

static void
emit_backing (const VpPlan *plan, xmlNode *domain)
{
  xmlNode *backing = vp_xml_child (domain, "memoryBacking"), *node;
  const char *type = plan->private_memory ? "anonymous" : "memfd";

  if (plan->backing == VP_BACKING_HUGE)
    {
      node = vp_xml_child (backing, "hugepages");
      if (plan->huge_page_size > 0)
        {
          node = vp_xml_child (node, "page");
          vp_xml_set_number (node, "size", vp_xml_to_kib (plan->huge_page_size));
          vp_xml_set_word (node, "unit", "KiB");
        }
    }
  if (plan->locked)
    vp_xml_child (backing, "locked");
  /* virtiofs is a process of its own: it must be able to map the guest's memory */
  node = vp_xml_child (backing, "source");
  vp_xml_set_word (node, "type", plan->backing == VP_BACKING_FILE ? "file" : type);
  node = vp_xml_child (backing, "access");
  vp_xml_set_word (node, "mode", plan->private_memory ? "private" : "shared");
  if (plan->prealloc)
    vp_xml_set_word (vp_xml_child (backing, "allocation"), "mode", "immediate");
}

static gboolean
emit_numatune (const VpPlan *plan, xmlNode *domain, GError **error)
{
  xmlNode *numatune = NULL;

  for (guint i = 0; i < plan->numa_cells->len; i++)
    {
      const VpNumaCell *cell = g_ptr_array_index (plan->numa_cells, i);
      xmlNode *node;

      if (cell->host_nodes == NULL)
        continue;
      if (numatune == NULL)
        numatune = vp_xml_child (domain, "numatune");
      node = vp_xml_child (numatune, "memnode");
      vp_xml_set_number (node, "cellid", i);
      vp_xml_set_word (node, "mode", "strict");
      if (!vp_xml_set (node, "nodeset", cell->host_nodes, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
vp_domain_emit_memory (const VpPlan *plan, const VpDriver *driver, xmlNode *domain, GError **error)
{
  emit_amounts (plan, domain);
  if (!driver->has_buses)
    return TRUE;
  emit_backing (plan, domain);
  return emit_numatune (plan, domain, error);
}

static void
emit_cell (const VpPlan *plan, xmlNode *numa, guint id, guint first, guint n, guint64 memory)
{
  g_autofree char *cpus
      = n > 1 ? g_strdup_printf ("%u-%u", first, first + n - 1) : g_strdup_printf ("%u", first);
  xmlNode *cell = vp_xml_child (numa, "cell");

  vp_xml_set_number (cell, "id", id);
  if (n > 0)
    vp_xml_set_word (cell, "cpus", cpus);
  vp_xml_set_number (cell, "memory", vp_xml_to_kib (memory));
  vp_xml_set_word (cell, "unit", "KiB");
  vp_xml_set_word (cell, "memAccess", plan->private_memory ? "private" : "shared");
}

/* One cell with everything when nobody asked for more: without any, libvirt
 * forgets over its own restart that the memory is shared and refuses to plug a
 * share, and has nowhere to plug memory. */
gboolean
vp_domain_emit_numa (const VpPlan *plan, xmlNode *cpu, GError **error)
{
  xmlNode *numa = vp_xml_child (cpu, "numa");

  if (plan->numa_cells->len == 0)
    emit_cell (plan, numa, 0, 0, vp_plan_get_max_vcpus (plan), plan->memory);
  for (guint i = 0; i < plan->numa_cells->len; i++)
    {
      const VpNumaCell *cell = g_ptr_array_index (plan->numa_cells, i);
      emit_cell (plan, numa, i, cell->first_vcpu, cell->n_vcpus, cell->memory);
    }
  return TRUE;
}
