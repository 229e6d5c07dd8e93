/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the guest's memory is on the host and how it looks in the guest. */
#include "vp-planner-private.h"

#include "vp-decision.h"
#include "vp-device.h"
#include "vp-error.h"

#define MIB (G_GUINT64_CONSTANT (1) << 20)
#define VIRTIO_MEM_BLOCK (2 * MIB)

static void
decide_huge_pages (VpPlanning *p)
{
  if (!vp_planning_bool (p, VP_CONFIG_HYPERVISOR_HUGE_PAGES))
    return;
  if (vp_planning_is (p, VP_CONFIG_HYPERVISOR_HUGE_PAGE_TYPE, "thp"))
    {
      vp_planning_note (p, "huge pages", "transparent", VP_CONFIG_HYPERVISOR_HUGE_PAGE_TYPE,
                        "the host's kernel gives them as it is set up to");
      return;
    }
  p->plan->backing = VP_BACKING_HUGE;
  p->plan->huge_page_size = vp_config_get_uint (p->config, VP_CONFIG_HYPERVISOR_HUGE_PAGE_SIZE);
  vp_planning_note (p, "huge pages", "reserved", VP_CONFIG_HYPERVISOR_HUGE_PAGES, NULL);
}

static void
decide_backing (VpPlanning *p)
{
  VpPlan *plan = p->plan;

  plan->backing
      = vp_planning_is (p, VP_CONFIG_HYPERVISOR_MEMORY_BACKING, "file") ? VP_BACKING_FILE : VP_BACKING_MEMFD;
  decide_huge_pages (p);
  vp_planning_note (p, "memory backing", vp_backing_to_string (plan->backing),
                    plan->backing == VP_BACKING_HUGE ? VP_CONFIG_HYPERVISOR_HUGE_PAGES
                                                     : VP_CONFIG_HYPERVISOR_MEMORY_BACKING,
                    NULL);
  plan->prealloc = vp_planning_bool (p, VP_CONFIG_HYPERVISOR_MEMORY_PREALLOC);
  plan->reclaim_memory = vp_planning_bool (p, VP_CONFIG_HYPERVISOR_MEMORY_RECLAIM);
  vp_planning_note_chosen (p, "prealloc", plan->prealloc ? "true" : "false",
                           VP_CONFIG_HYPERVISOR_MEMORY_PREALLOC, NULL);
  vp_planning_note_chosen (p, "reclaim memory", plan->reclaim_memory ? "true" : "false",
                           VP_CONFIG_HYPERVISOR_MEMORY_RECLAIM, NULL);
}

/* CPUs and memory evenly, the first nodes get what is left over. */
static void
spread (VpPlan *plan, const char *const *nodes, guint n)
{
  guint cpus = vp_plan_get_max_vcpus (plan), first = 0;
  guint64 mib = plan->memory / MIB;

  for (guint i = 0; i < n; i++)
    {
      guint share = cpus / n + (i < cpus % n);
      VpNumaCell *cell = vp_plan_add_numa_cell (plan, first, share, (mib / n + (i < mib % n)) * MIB);

      cell->host_nodes = g_strdup (nodes[i]);
      first += share;
    }
}

static gboolean
check_nodes (VpPlanning *p, const char *text, GError **error)
{
  const VpConfigKey key = VP_CONFIG_HYPERVISOR_NUMA_MAPPING;
  g_autofree char *has = vp_node_set_to_text (&p->facts->host_nodes);
  g_autofree char *shown = vp_error_shown (text);
  VpNodeSet set;
  int missing;

  if (!vp_node_set_parse (text, &set))
    return vp_planning_invalid (p, key, error, "\"%s\" is no set of nodes as in \"0-1,3\"", shown);
  missing = vp_node_set_find_missing (&set, &p->facts->host_nodes);
  return missing < 0
         || vp_planning_invalid (p, key, error, "\"%s\": the host has no node %d with memory, it has %s", shown,
                                 missing, has);
}

/* A node of the guest for each of the host's, as long as there is a vCPU for
 * each: a node without one is none to a program that looks for near memory. */
static void
spread_over_all (VpPlanning *p)
{
  g_autofree char *all = vp_node_set_to_text (&p->facts->host_nodes);
  g_autoptr (GPtrArray) nodes = g_ptr_array_new_with_free_func (g_free);
  guint cpus = vp_plan_get_max_vcpus (p->plan);

  for (guint node = 0; node <= VP_NODE_MAX; node++)
    {
      if (vp_node_set_contains (&p->facts->host_nodes, node))
        g_ptr_array_add (nodes, g_strdup_printf ("%u", node));
    }
  if (nodes->len > cpus || nodes->len > p->plan->memory / MIB)
    {
      const char *const one[] = { all };

      spread (p->plan, one, 1);
      vp_planning_note (p, "numa nodes", all, VP_CONFIG_HYPERVISOR_NUMA,
                        "one for all of the host's, of which there are more than vCPUs");
      return;
    }
  spread (p->plan, (const char *const *)nodes->pdata, nodes->len);
  vp_planning_note (p, "numa nodes", all, VP_CONFIG_HYPERVISOR_NUMA, "one for each of the host's");
}

static gboolean
decide_numa (VpPlanning *p, GError **error)
{
  const char *const *nodes = vp_config_get_list (p->config, VP_CONFIG_HYPERVISOR_NUMA_MAPPING);
  guint n = g_strv_length ((char **)nodes);
  guint cpus = vp_plan_get_max_vcpus (p->plan);

  if (!vp_planning_bool (p, VP_CONFIG_HYPERVISOR_NUMA))
    return TRUE;
  if (vp_node_set_count (&p->facts->host_nodes) == 0)
    return vp_planning_not_supported (p, VP_CONFIG_HYPERVISOR_NUMA, error,
                                      "libvirt does not say which nodes the host has");
  if (n == 0)
    {
      spread_over_all (p);
      return TRUE;
    }
  if (n > cpus || n > p->plan->memory / MIB)
    return vp_planning_invalid (p, VP_CONFIG_HYPERVISOR_NUMA_MAPPING, error,
                                "has %u nodes, the sandbox has %u vCPUs", n, cpus);
  for (guint i = 0; i < n; i++)
    {
      if (!check_nodes (p, nodes[i], error))
        return FALSE;
    }
  spread (p->plan, nodes, n);
  vp_planning_note (p, "numa nodes", vp_config_get_string (p->config, VP_CONFIG_HYPERVISOR_NUMA_MAPPING),
                    VP_CONFIG_HYPERVISOR_NUMA_MAPPING, "the host's nodes of each of the guest's");
  return TRUE;
}

static void
decide_virtio_mem (VpPlanning *p)
{
  guint64 room = vp_plan_get_max_memory (p->plan) - p->plan->memory;
  VpDevice *device;

  if (!vp_planning_bool (p, VP_CONFIG_HYPERVISOR_VIRTIO_MEM))
    return;
  room -= room % VIRTIO_MEM_BLOCK;
  if (room == 0)
    {
      vp_planning_note (p, "virtio-mem", "none", VP_CONFIG_HYPERVISOR_VIRTIO_MEM,
                        "the sandbox has all its memory from the start");
      return;
    }
  device = vp_device_memory_new ("mem0", VP_MEMORY_VIRTIO_MEM, room);
  device->u.memory.block = VIRTIO_MEM_BLOCK;
  vp_plan_add_device (p->plan, device);
  vp_plan_note_f (p->plan, "virtio-mem", vp_config_get_source (p->config, VP_CONFIG_HYPERVISOR_VIRTIO_MEM),
                  NULL, "%" G_GUINT64_FORMAT " MiB", room / MIB);
}

static void
decide_sgx (VpPlanning *p)
{
  guint64 size = vp_config_get_uint (p->config, VP_CONFIG_HYPERVISOR_SGX_EPC);

  if (size == 0)
    return;
  /* in whole MiB, as everything libvirt measures memory in */
  size = (size / MIB + (size % MIB != 0)) * MIB;
  vp_plan_add_device (p->plan, vp_device_memory_new ("epc0", VP_MEMORY_SGX_EPC, size));
  vp_plan_note_f (p->plan, "sgx epc", vp_config_get_source (p->config, VP_CONFIG_HYPERVISOR_SGX_EPC), NULL,
                  "%" G_GUINT64_FORMAT " MiB", size / MIB);
}

gboolean
vp_planner_plan_memory (VpPlanning *p, GError **error)
{
  decide_backing (p);
  /* nobody else has to see it, so that it can be merged and copied on write */
  p->plan->private_memory = vp_planning_is (p, VP_CONFIG_SHARE_TYPE, "none");
  if (!decide_numa (p, error))
    return FALSE;
  decide_virtio_mem (p);
  decide_sgx (p);
  return TRUE;
}
