/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The spec as the guest gets it: what means something on the host only is
 * left out or put into the guest's terms, everything else is copied. */
#include "vp-container-planner-private.h"

#include <string.h>

#include "vp-names.h"

/* Copies the members of @object that are not in @except. */
static void
copy_except (VpJsonWriter *writer, VpJson *object, const char *const *except)
{
  for (guint i = 0; i < vp_json_get_n_items (object); i++)
    {
      VpJson *item = vp_json_get_item (object, i);

      if (!g_strv_contains (except, vp_json_get_name (item)))
        vp_json_writer_add_copy (writer, vp_json_get_name (item), item);
    }
}

static gboolean
is_object (VpJson *json)
{
  return json != NULL && vp_json_get_type (json) == VP_JSON_OBJECT;
}

static void
write_root (VpContainerPlan *plan, VpJsonWriter *writer)
{
  g_autofree char *source = vp_spec_dup_root_path (plan->spec);
  g_autofree char *target = g_strdup_printf ("%s/%s", plan->container_id, VP_DIR_ROOTFS);
  g_autofree char *guest_path = g_strdup_printf ("%s/%s", VP_GUEST_SHARED_DIR, target);
  VpHostBind *bind = vp_container_plan_add_bind (plan, "root.path", source, target);

  bind->is_rootfs = TRUE;
  bind->recursive = TRUE;
  /* not read-only on the host even if it is to the container: the guest's
   * runtime makes mount points in it first */
  vp_json_writer_begin_object (writer, "root");
  vp_json_writer_add_string (writer, "path", guest_path);
  vp_json_writer_add_bool (writer, "readonly", vp_spec_get_root_readonly (plan->spec));
  vp_json_writer_end_object (writer);
}

/* Labels of the host's security modules: the guest has other policies, or none. */
static void
write_process (VpJson *process, VpJsonWriter *writer)
{
  static const char *const host_only[] = { "apparmorProfile", "selinuxLabel", NULL };

  vp_json_writer_begin_object (writer, "process");
  copy_except (writer, process, host_only);
  vp_json_writer_end_object (writer);
}

/* Paths of namespaces are the host's, so every namespace is a new one there.
 * The network is the guest's own, which is the sandbox's. A pid namespace that
 * is to be joined is the one the agent keeps for the sandbox (sandbox_pidns). */
static void
write_namespaces (VpContainerPlan *plan, VpJson *namespaces, VpJsonWriter *writer)
{
  static const char *const guests[] = { "network", "time", NULL };

  vp_json_writer_begin_array (writer, "namespaces");
  for (guint i = 0; i < vp_json_get_n_items (namespaces); i++)
    {
      const char *type = vp_json_get_string (vp_json_lookup (vp_json_get_item (namespaces, i), "type"));

      if (g_strv_contains (guests, type) || (plan->sandbox_pidns && g_str_equal (type, "pid")))
        continue;
      vp_json_writer_begin_object (writer, NULL);
      vp_json_writer_add_string (writer, "type", type);
      vp_json_writer_end_object (writer);
    }
  vp_json_writer_end_array (writer);
}

/* Limits by the host's devices, interfaces, CPUs and memory nodes say nothing there. */
static void
write_resources (VpJson *resources, VpJsonWriter *writer)
{
  static const char *const host_only[] = { "devices", "blockIO", "network", "rdma", "unified", "cpu", NULL };
  static const char *const cpu_host_only[] = { "cpus", "mems", NULL };
  VpJson *cpu = vp_json_lookup (resources, "cpu");

  vp_json_writer_begin_object (writer, "resources");
  copy_except (writer, resources, host_only);
  if (is_object (cpu))
    {
      vp_json_writer_begin_object (writer, "cpu");
      copy_except (writer, cpu, cpu_host_only);
      vp_json_writer_end_object (writer);
    }
  vp_json_writer_end_object (writer);
}

static gboolean
write_devices (VpJson *devices, VpJsonWriter *writer, GError **error)
{
  vp_json_writer_begin_array (writer, "devices");
  for (guint i = 0; i < vp_json_get_n_items (devices); i++)
    {
      VpJson *item = vp_json_get_item (devices, i);
      const char *path;

      if (!vp_json_member_string (item, "path", TRUE, &path, error))
        return FALSE;
      /* groups of the host's IOMMU */
      if (g_str_has_prefix (path, "/dev/vfio/"))
        continue;
      vp_json_writer_add_copy (writer, NULL, item);
    }
  vp_json_writer_end_array (writer);
  return TRUE;
}

static void
write_sysctl (VpJson *sysctl, VpJsonWriter *writer)
{
  vp_json_writer_begin_object (writer, "sysctl");
  for (guint i = 0; i < vp_json_get_n_items (sysctl); i++)
    {
      VpJson *item = vp_json_get_item (sysctl, i);

      if (!g_str_has_prefix (vp_json_get_name (item), VP_SPEC_NET_SYSCTL))
        vp_json_writer_add_copy (writer, vp_json_get_name (item), item);
    }
  vp_json_writer_end_object (writer);
}

static gboolean
write_linux (VpContainerPlan *plan, VpJson *linux_json, VpJsonWriter *writer, GError **error)
{
  static const char *const own[]
      = { "namespaces", "resources", "devices", "sysctl", "cgroupsPath", "mountLabel", "intelRdt", NULL };
  g_autofree char *cgroup = g_strconcat ("/", plan->container_id, NULL);
  VpJson *namespaces = vp_json_lookup (linux_json, "namespaces");
  VpJson *resources = vp_json_lookup (linux_json, "resources");
  VpJson *sysctl = vp_json_lookup (linux_json, "sysctl");
  VpJson *devices = NULL;

  vp_json_writer_begin_object (writer, "linux");
  copy_except (writer, linux_json, own);
  vp_json_writer_add_string (writer, "cgroupsPath", cgroup);
  if (namespaces != NULL)
    write_namespaces (plan, namespaces, writer);
  if (is_object (sysctl))
    write_sysctl (sysctl, writer);
  if (is_object (resources))
    write_resources (resources, writer);
  if (!vp_json_member_array (linux_json, "devices", FALSE, &devices, error)
      || (devices != NULL && !write_devices (devices, writer, error)))
    return FALSE;
  vp_json_writer_end_object (writer);
  return TRUE;
}

gboolean
vp_container_planner_fill_guest_spec (VpContainerPlan *plan, VpContainerType type, GError **error)
{
  /* written below, or nothing for a guest that runs Linux containers */
  static const char *const own[]
      = { "root", "process", "mounts", "linux", "hooks", "zos", "solaris", "windows", "vm", NULL };
  g_autoptr (VpJsonWriter) writer = vp_json_writer_new (FALSE);
  VpJson *json = vp_spec_get_json (plan->spec);
  VpJson *linux_json = vp_json_lookup (json, "linux");

  vp_json_writer_begin_object (writer, NULL);
  copy_except (writer, json, own);
  write_root (plan, writer);
  write_process (vp_json_lookup (json, "process"), writer);
  if (!vp_container_planner_write_mounts (plan, type, writer, error)
      || (is_object (linux_json) && !write_linux (plan, linux_json, writer, error)))
    return FALSE;
  vp_json_writer_end_object (writer);
  plan->guest_spec = vp_json_writer_to_json (writer, vp_json_get_file (json), error);
  return plan->guest_spec != NULL;
}
