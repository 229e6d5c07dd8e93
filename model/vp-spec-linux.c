/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-spec.h"

#include "vp-spec-private.h"
#include "vp-spec-table.h"

#define NO_LIMIT (G_GINT64_CONSTANT (1) << 50)
#define DEFAULT_CPU_PERIOD 100000 /* microseconds, the kernel's */

/* None is written as 0, as -1 or as a number no machine has, depending on who wrote the file. */
static gint64
limit_or_none (gint64 value)
{
  return value > 0 && value < NO_LIMIT ? value : -1;
}

static gboolean
parse_resources (VpSpec *spec, VpJson *linux_json, GError **error)
{
  VpJson *resources = NULL, *memory = NULL, *cpu = NULL;
  gint64 limit = -1, quota = -1;

  if (!vp_json_member_object (linux_json, "resources", FALSE, &resources, error))
    return FALSE;
  if (resources == NULL)
    return TRUE;
  if (!vp_json_member_object (resources, "memory", FALSE, &memory, error)
      || !vp_json_member_object (resources, "cpu", FALSE, &cpu, error))
    return FALSE;
  if (memory != NULL && !vp_json_member_int (memory, "limit", FALSE, -1, G_MAXINT64, &limit, error))
    return FALSE;
  if (cpu != NULL
      && (!vp_json_member_int (cpu, "quota", FALSE, -1, G_MAXINT64, &quota, error)
          || !vp_json_member_uint (cpu, "period", FALSE, G_MAXINT64, &spec->cpu_period, error)))
    return FALSE;
  spec->memory_limit = limit_or_none (limit);
  spec->cpu_quota = limit_or_none (quota);
  return TRUE;
}

gboolean
vp_spec_parse_linux (VpSpec *spec, GError **error)
{
  if (!vp_json_member_object (spec->json, "linux", FALSE, &spec->linux_json, error))
    return FALSE;
  return spec->linux_json == NULL
         || (vp_json_member_array (spec->linux_json, "namespaces", FALSE, &spec->namespaces, error)
             && parse_resources (spec, spec->linux_json, error));
}

static VpJson *
find_namespace (VpSpec *spec, const char *type)
{
  for (guint i = 0; spec->namespaces != NULL && i < vp_json_get_n_items (spec->namespaces); i++)
    {
      VpJson *item = vp_json_get_item (spec->namespaces, i);

      if (g_strcmp0 (vp_json_get_string (vp_json_lookup (item, "type")), type) == 0)
        return item;
    }
  return NULL;
}

gboolean
vp_spec_has_namespace (VpSpec *spec, const char *type)
{
  return find_namespace (spec, type) != NULL;
}

const char *
vp_spec_get_namespace_path (VpSpec *spec, const char *type)
{
  VpJson *item = find_namespace (spec, type);
  VpJson *path = item != NULL ? vp_json_lookup (item, "path") : NULL;
  const char *text = path != NULL ? vp_json_get_string (path) : NULL;

  return text != NULL && text[0] != '\0' ? text : NULL;
}

gboolean
vp_spec_check_namespaces_alone (VpSpec *spec, GError **error)
{
  for (guint i = 0; spec->namespaces != NULL && i < vp_json_get_n_items (spec->namespaces); i++)
    {
      VpJson *item = vp_json_get_item (spec->namespaces, i), *path = vp_json_lookup (item, "path");
      const char *type = vp_json_get_string (vp_json_lookup (item, "type"));

      if (path != NULL && !vp_spec_value_is_empty (path) && !g_str_equal (type, "network"))
        return vp_spec_refuse (error, path, "a virtual machine of its own cannot join a %s namespace of the host",
                               type);
    }
  return TRUE;
}

gint64
vp_spec_get_memory_limit (VpSpec *spec)
{
  return spec->memory_limit;
}

gint64
vp_spec_get_cpu_quota (VpSpec *spec)
{
  return spec->cpu_quota;
}

guint64
vp_spec_get_cpu_period (VpSpec *spec)
{
  return spec->cpu_period;
}

static VpJson *
lookup_cpu (VpSpec *spec, const char *name)
{
  VpJson *resources = spec->linux_json != NULL ? vp_json_lookup (spec->linux_json, "resources") : NULL;
  VpJson *cpu = resources != NULL ? vp_json_lookup (resources, "cpu") : NULL;

  return cpu != NULL ? vp_json_lookup (cpu, name) : NULL;
}

static const char *
text_or_null (VpJson *node)
{
  const char *text = node != NULL ? vp_json_get_string (node) : NULL;

  return text != NULL && text[0] != '\0' ? text : NULL;
}

guint64
vp_spec_get_cpu_shares (VpSpec *spec)
{
  VpJson *node = lookup_cpu (spec, "shares");
  guint64 shares = 0;

  if (node != NULL)
    vp_json_get_uint64 (node, &shares);
  return shares;
}

const char *
vp_spec_get_cpus (VpSpec *spec)
{
  return text_or_null (lookup_cpu (spec, "cpus"));
}

const char *
vp_spec_get_mems (VpSpec *spec)
{
  return text_or_null (lookup_cpu (spec, "mems"));
}

const char *
vp_spec_get_cgroups_path (VpSpec *spec)
{
  return spec->linux_json != NULL ? text_or_null (vp_json_lookup (spec->linux_json, "cgroupsPath")) : NULL;
}

guint
vp_spec_get_n_cpus (VpSpec *spec)
{
  guint64 period = spec->cpu_period != 0 ? spec->cpu_period : DEFAULT_CPU_PERIOD;
  guint64 n;

  if (spec->cpu_quota < 0)
    return 0;
  n = ((guint64)spec->cpu_quota - 1) / period + 1;
  return (guint)MIN (n, G_MAXUINT);
}
