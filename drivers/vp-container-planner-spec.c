/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The spec as the guest gets it. The table of vp-spec-table.h says what is
 * copied; the functions here write what is translated. What has neither is left
 * out, and the plan says so. */
#include <string.h>

#include "vp-container-planner-private.h"
#include "vp-decision.h"
#include "vp-names.h"
#include "vp-spec-table.h"

#define LEFT_OUT "left out"
#define CPU_BURST "cpu.max.burst"

typedef struct
{
  VpContainerPlan *plan;
  VpConfig *config;
  VpContainerType type;
  VpJsonWriter *writer;
} Copy;

/* Writes what becomes of @node, which is the guest's or nothing. */
typedef gboolean (*Translate) (Copy *copy, VpJson *node, GError **error);

static void
note_left_out (Copy *copy, VpJson *node, const char *why)
{
  g_autofree char *path = vp_json_dup_path (node);
  g_autofree char *source = g_strdup_printf ("spec %s", path);

  /* what the table of fields calls "left out: because" */
  if (g_str_has_prefix (why, LEFT_OUT ": "))
    why += strlen (LEFT_OUT ": ");
  vp_container_plan_note (copy->plan, path, LEFT_OUT, source, g_str_equal (why, LEFT_OUT) ? "" : why);
}

static gboolean
is_null (VpJson *node)
{
  return node == NULL || vp_json_get_type (node) == VP_JSON_NULL;
}

static gboolean
write_root (Copy *copy, VpJson *root, GError **error)
{
  VpContainerPlan *plan = copy->plan;
  g_autofree char *source = vp_spec_dup_root_path (plan->spec);
  g_autofree char *target = g_strdup_printf ("%s/%s", plan->container_id, VP_DIR_ROOTFS);
  g_autofree char *guest_path = g_strdup_printf ("%s/%s", VP_GUEST_SHARED_DIR, target);
  VpHostBind *bind = vp_container_plan_add_bind (plan, "root.path", source, target);

  bind->is_rootfs = TRUE;
  bind->recursive = TRUE;
  /* not read-only on the host even if it is to the container: the guest's
   * runtime makes mount points in it first */
  vp_json_writer_begin_object (copy->writer, "root");
  vp_json_writer_add_string (copy->writer, "path", guest_path);
  vp_json_writer_add_bool (copy->writer, "readonly", vp_spec_get_root_readonly (plan->spec));
  vp_json_writer_end_object (copy->writer);
  return TRUE;
}

static gboolean
write_hostname (Copy *copy, VpJson *node, GError **error)
{
  g_autofree char *hostname = vp_spec_dup_guest_hostname (copy->plan->spec);

  vp_json_writer_add_string (copy->writer, "hostname", hostname);
  if (!g_str_equal (hostname, vp_json_get_string (node)))
    vp_container_plan_note (copy->plan, "hostname", hostname, "spec hostname",
                            "cut to what a kernel has room for");
  return TRUE;
}

static gboolean
write_mounts (Copy *copy, VpJson *node, GError **error)
{
  return vp_container_planner_write_mounts (copy->plan, copy->type, copy->config, copy->writer, error);
}

/* Programs of the host stay there, those of the container go to the guest. */
static gboolean
write_hooks (Copy *copy, VpJson *hooks, GError **error)
{
  VpJson *start = vp_json_lookup (hooks, "startContainer");

  for (guint kind = 0; kind < VP_N_HOST_HOOKS; kind++)
    {
      VpJson *list = vp_spec_get_hooks (copy->plan->spec, kind);

      for (guint i = 0; list != NULL && i < vp_json_get_n_items (list); i++)
        vp_container_plan_add_hook (copy->plan, kind, vp_json_get_item (list, i));
    }
  if (is_null (start) || vp_json_get_n_items (start) == 0)
    return TRUE;
  vp_json_writer_begin_object (copy->writer, "hooks");
  vp_json_writer_add_copy (copy->writer, "startContainer", start);
  vp_json_writer_end_object (copy->writer);
  return TRUE;
}

/* Paths of namespaces are the host's, so every namespace is a new one there.
 * The network is the guest's own, which is the sandbox's. A pid namespace that
 * is to be joined is the one the agent keeps for the sandbox (sandbox_pidns).
 * Clocks are the guest's already. */
static gboolean
write_namespaces (Copy *copy, VpJson *namespaces, GError **error)
{
  vp_json_writer_begin_array (copy->writer, "namespaces");
  for (guint i = 0; i < vp_json_get_n_items (namespaces); i++)
    {
      const char *type = vp_json_get_string (vp_json_lookup (vp_json_get_item (namespaces, i), "type"));

      if (g_str_equal (type, "network") || g_str_equal (type, "time")
          || (copy->plan->sandbox_pidns && g_str_equal (type, "pid")))
        continue;
      vp_json_writer_begin_object (copy->writer, NULL);
      vp_json_writer_add_string (copy->writer, "type", type);
      vp_json_writer_end_object (copy->writer);
    }
  vp_json_writer_end_array (copy->writer);
  return TRUE;
}

/* Nodes of hardware that a privileged container was given with all others have
 * no device behind them. Groups of the host's IOMMU are not even nodes there. */
static gboolean
write_devices (Copy *copy, VpJson *devices, GError **error)
{
  guint n_bare = 0;

  vp_json_writer_begin_array (copy->writer, "devices");
  for (guint i = 0; i < vp_json_get_n_items (devices); i++)
    {
      VpJson *item = vp_json_get_item (devices, i);

      if (g_str_has_prefix (vp_json_get_string (vp_json_lookup (item, "path")), "/dev/vfio/"))
        {
          note_left_out (copy, item, "a group of the host's IOMMU");
          continue;
        }
      vp_json_writer_add_copy (copy->writer, NULL, item);
      n_bare += !vp_spec_device_is_of_kernel (item);
    }
  vp_json_writer_end_array (copy->writer);
  if (n_bare > 0)
    {
      g_autofree char *value = g_strdup_printf ("%u nodes without a device", n_bare);

      vp_container_plan_note (copy->plan, "linux.devices", value, "spec linux.devices",
                              "hardware of the host stays there");
    }
  return TRUE;
}

/* The network is the guest's own, where the container's runtime may not set its sysctls. */
static gboolean
write_sysctl (Copy *copy, VpJson *sysctl, GError **error)
{
  vp_json_writer_begin_object (copy->writer, "sysctl");
  for (guint i = 0; i < vp_json_get_n_items (sysctl); i++)
    {
      VpJson *item = vp_json_get_item (sysctl, i);

      if (!g_str_has_prefix (vp_json_get_name (item), VP_SPEC_NET_SYSCTL))
        vp_json_writer_add_copy (copy->writer, vp_json_get_name (item), item);
      else if (copy->type == VP_CONTAINER_CONTAINER)
        note_left_out (copy, item, "set at the start of the sandbox, from its first container");
    }
  vp_json_writer_end_object (copy->writer);
  return TRUE;
}

static gboolean copy_members (Copy *copy, VpJson *object, const VpSpecField *fields, GError **error);

/* Files of the cgroup, and what the guest's runtime only sets when it is told the file. */
static void
write_unified (Copy *copy, VpJson *resources)
{
  VpJson *unified = vp_json_lookup (resources, "unified"), *cpu = vp_json_lookup (resources, "cpu");
  VpJson *burst = is_null (cpu) ? NULL : vp_json_lookup (cpu, "burst");
  guint n = unified != NULL ? vp_json_get_n_items (unified) : 0;
  guint64 microseconds = 0;

  if (burst != NULL)
    vp_json_get_uint64 (burst, &microseconds);
  if (n == 0 && microseconds == 0)
    return;
  vp_json_writer_begin_object (copy->writer, "unified");
  for (guint i = 0; i < n; i++)
    {
      VpJson *item = vp_json_get_item (unified, i);

      if (g_str_has_prefix (vp_json_get_name (item), "cpuset."))
        note_left_out (copy, item, "numbers of the host's");
      else
        vp_json_writer_add_copy (copy->writer, vp_json_get_name (item), item);
    }
  if (microseconds != 0 && (n == 0 || vp_json_lookup (unified, CPU_BURST) == NULL))
    {
      g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, microseconds);

      vp_json_writer_add_string (copy->writer, CPU_BURST, text);
    }
  vp_json_writer_end_object (copy->writer);
}

static gboolean
write_resources (Copy *copy, VpJson *resources, GError **error)
{
  const VpSpecField *field = vp_spec_field_find (vp_spec_linux_fields, "resources");

  vp_json_writer_begin_object (copy->writer, "resources");
  if (!copy_members (copy, resources, field->members, error))
    return FALSE;
  write_unified (copy, resources);
  vp_json_writer_end_object (copy->writer);
  return TRUE;
}

static gboolean
write_seccomp (Copy *copy, VpJson *seccomp, GError **error)
{
  if (vp_config_get_bool (copy->config, VP_CONFIG_GUEST_SECCOMP))
    vp_json_writer_add_copy (copy->writer, "seccomp", seccomp);
  else
    vp_container_plan_note (copy->plan, "linux.seccomp", "left out",
                            vp_config_get_source (copy->config, VP_CONFIG_GUEST_SECCOMP),
                            "guest.seccomp is off");
  return TRUE;
}

/* The host's label means something only to a guest that has the policy. */
static gboolean
write_selinux_label (Copy *copy, VpJson *label, GError **error)
{
  const char *text = vp_config_get_string (copy->config, VP_CONFIG_GUEST_SELINUX_LABEL);

  if (vp_config_get_bool (copy->config, VP_CONFIG_GUEST_SELINUX))
    vp_json_writer_add_string (copy->writer, "selinuxLabel",
                               text[0] != '\0' ? text : vp_json_get_string (label));
  else if (!vp_spec_value_is_empty (label))
    note_left_out (copy, label, "a label of the host's, and SELinux is off in the guest");
  return TRUE;
}

/* Written where its value goes, or nowhere. */
static gboolean
write_nothing (Copy *copy, VpJson *node, GError **error)
{
  return TRUE;
}

static const struct
{
  const VpSpecField *of; /* NULL: the name is the only one of its kind */
  const char *name;
  Translate translate;
} translations[] = {
  { vp_spec_fields, "root", write_root },
  { vp_spec_fields, "hostname", write_hostname },
  { vp_spec_fields, "mounts", write_mounts },
  { vp_spec_fields, "hooks", write_hooks },
  { vp_spec_linux_fields, "namespaces", write_namespaces },
  { vp_spec_linux_fields, "devices", write_devices },
  { vp_spec_linux_fields, "sysctl", write_sysctl },
  { vp_spec_linux_fields, "cgroupsPath", write_nothing },
  { vp_spec_linux_fields, "resources", write_resources },
  { vp_spec_linux_fields, "seccomp", write_seccomp },
  { NULL, "selinuxLabel", write_selinux_label },
  { NULL, "burst", write_nothing },
  { NULL, "unified", write_nothing },
};

static Translate
find_translation (const VpSpecField *fields, const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (translations); i++)
    {
      if ((translations[i].of == NULL || translations[i].of == fields)
          && g_str_equal (translations[i].name, name))
        return translations[i].translate;
    }
  return NULL;
}

static gboolean
copy_field (Copy *copy, VpJson *node, const VpSpecField *fields, GError **error)
{
  const char *name = vp_json_get_name (node);
  const VpSpecField *field = vp_spec_field_find (fields, name);
  Translate translate;

  if (field == NULL)
    {
      vp_json_writer_add_copy (copy->writer, name, node);
      return TRUE;
    }
  /* a refused field that is here asks for nothing */
  if (is_null (node) || field->fate == VP_FATE_REFUSED)
    return TRUE;
  translate = find_translation (fields, name);
  if (translate != NULL)
    return translate (copy, node, error);
  if (field->fate != VP_FATE_GUEST)
    {
      if (!vp_spec_value_is_empty (node))
        note_left_out (copy, node, field->how);
      return TRUE;
    }
  if (field->type == VP_SPEC_OBJECT && (field->flags & VP_SPEC_LIST) == 0)
    {
      vp_json_writer_begin_object (copy->writer, name);
      if (!copy_members (copy, node, field->members, error))
        return FALSE;
      vp_json_writer_end_object (copy->writer);
    }
  else
    vp_json_writer_add_copy (copy->writer, name, node);
  return TRUE;
}

static gboolean
copy_members (Copy *copy, VpJson *object, const VpSpecField *fields, GError **error)
{
  for (guint i = 0; i < vp_json_get_n_items (object); i++)
    {
      if (!copy_field (copy, vp_json_get_item (object, i), fields, error))
        return FALSE;
    }
  if (fields == vp_spec_linux_fields)
    {
      g_autofree char *cgroup = g_strconcat ("/", copy->plan->container_id, NULL);

      vp_json_writer_add_string (copy->writer, "cgroupsPath", cgroup);
    }
  return TRUE;
}

gboolean
vp_container_planner_fill_guest_spec (VpContainerPlan *plan, VpContainerType type, VpConfig *config,
                                      GError **error)
{
  g_autoptr (VpJsonWriter) writer = vp_json_writer_new (FALSE);
  Copy copy = { .plan = plan, .config = config, .type = type, .writer = writer };
  VpJson *json = vp_spec_get_json (plan->spec);

  vp_json_writer_begin_object (writer, NULL);
  if (!copy_members (&copy, json, vp_spec_fields, error))
    return FALSE;
  vp_json_writer_end_object (writer);
  plan->guest_spec = vp_json_writer_to_json (writer, vp_json_get_file (json), error);
  return plan->guest_spec != NULL;
}
