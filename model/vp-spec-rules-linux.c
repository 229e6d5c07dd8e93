/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-spec-rules.h"

#include <string.h>

#include "vp-spec-table.h"

gboolean
vp_spec_rule_cgroups_path (VpJson *node, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (vp_json_get_string (node), "/", -1);

  return !g_strv_contains ((const char *const *)parts, "..")
         || vp_json_set_error (error, node, "must not have \"..\" in it");
}

gboolean
vp_spec_rule_device_access (VpJson *node, GError **error)
{
  const char *text = vp_json_get_string (node);

  return strspn (text, "rwm") == strlen (text)
         || vp_json_set_error (error, node, "must be made of r, w and m");
}

static gint64
number_of (VpJson *object, const char *name)
{
  VpJson *node = vp_json_lookup (object, name);
  gint64 number;

  return node != NULL && vp_json_get_int64 (node, &number) ? number : -1;
}

gboolean
vp_spec_device_is_of_kernel (VpJson *device)
{
  const char *type = vp_json_get_string (vp_json_lookup (device, "type"));
  gint64 major = number_of (device, "major"), minor = number_of (device, "minor");

  if (g_str_equal (type, "p"))
    return TRUE;
  if (!g_str_equal (type, "c") && !g_str_equal (type, "u"))
    return FALSE;
  /* mem, tty; misc but for those whose number is given out at run time */
  return major == 1 || (major == 5 && minor <= 2)
         || (major == 10 && minor >= 128 && minor < 250 && minor != 196);
}

/* Engines give a privileged container all devices of the host, and say that it may use all. */
static gboolean
may_use_all (VpJson *linux_json)
{
  VpJson *resources = vp_json_lookup (linux_json, "resources");
  VpJson *rules = resources != NULL ? vp_json_lookup (resources, "devices") : NULL;

  for (guint i = 0; rules != NULL && i < vp_json_get_n_items (rules); i++)
    {
      VpJson *rule = vp_json_get_item (rules, i);
      VpJson *allow = vp_json_lookup (rule, "allow"), *type = vp_json_lookup (rule, "type");
      const char *kind = type != NULL ? vp_json_get_string (type) : NULL;

      if (allow != NULL && vp_json_get_bool (allow) && number_of (rule, "major") < 0
          && number_of (rule, "minor") < 0 && (kind == NULL || kind[0] == '\0' || g_str_equal (kind, "a")))
        return TRUE;
    }
  return FALSE;
}

gboolean
vp_spec_rule_devices (VpJson *node, GError **error)
{
  gboolean all = may_use_all (vp_json_get_parent (node));

  for (guint i = 0; i < vp_json_get_n_items (node); i++)
    {
      VpJson *item = vp_json_get_item (node, i);
      const char *type = vp_json_get_string (vp_json_lookup (item, "type"));
      const char *path = vp_json_get_string (vp_json_lookup (item, "path"));

      if (g_str_equal (type, "p"))
        continue;
      if (number_of (item, "major") < 0)
        return vp_json_set_member_error (error, item, "major", "is missing");
      if (number_of (item, "minor") < 0)
        return vp_json_set_member_error (error, item, "minor", "is missing");
      if (!all && !vp_spec_device_is_of_kernel (item))
        return vp_spec_refuse (error, item, "%s is a device of the host, which cannot be given to the guest",
                               path);
    }
  return TRUE;
}

gboolean
vp_spec_rule_kernel_memory (VpJson *node, GError **error)
{
  gint64 limit = 0;

  vp_json_get_int64 (node, &limit);
  return limit <= 0 || vp_spec_refuse (error, node, "the guest has cgroup v2 only, which cannot do this");
}

static gboolean
has_user_namespace (VpJson *linux_json)
{
  VpJson *list = vp_json_lookup (linux_json, "namespaces");

  for (guint i = 0; list != NULL && i < vp_json_get_n_items (list); i++)
    {
      if (g_strcmp0 (vp_json_get_string (vp_json_lookup (vp_json_get_item (list, i), "type")), "user") == 0)
        return TRUE;
    }
  return FALSE;
}

gboolean
vp_spec_rule_mappings (VpJson *node, GError **error)
{
  static const char *const starts[] = { "containerID", "hostID" };

  for (guint i = 0; i < vp_json_get_n_items (node); i++)
    {
      VpJson *item = vp_json_get_item (node, i);

      for (guint j = 0; j < G_N_ELEMENTS (starts); j++)
        {
          if (number_of (item, starts[j]) + number_of (item, "size") > G_GINT64_CONSTANT (1) << 32)
            return vp_json_set_member_error (error, item, "size", "leads beyond the last id");
        }
    }
  if (vp_json_get_n_items (node) > 0 && !has_user_namespace (vp_json_get_parent (node)))
    return vp_json_set_error (error, node, "needs a namespace of type user");
  return TRUE;
}

/* As the guest's runtime sees it, so that it is said before a virtual machine was started for it. */
gboolean
vp_spec_rule_memory (VpJson *node, GError **error)
{
  gint64 limit = number_of (node, "limit"), swap = number_of (node, "swap");

  if (swap <= 0)
    return TRUE;
  if (limit <= 0)
    return vp_json_set_member_error (error, node, "swap", "needs a limit");
  if (swap < limit)
    return vp_json_set_member_error (error, node, "swap", "must not be less than limit, it includes it");
  return TRUE;
}

gboolean
vp_spec_rule_namespaces (VpJson *node, GError **error)
{
  for (guint i = 0; i < vp_json_get_n_items (node); i++)
    {
      VpJson *item = vp_json_get_item (node, i), *path = vp_json_lookup (item, "path");
      const char *type = vp_json_get_string (vp_json_lookup (item, "type"));

      for (guint j = 0; j < i; j++)
        {
          VpJson *other = vp_json_lookup (vp_json_get_item (node, j), "type");

          if (g_str_equal (vp_json_get_string (other), type))
            return vp_json_set_member_error (error, item, "type", "%s is there twice", type);
        }
      if (path == NULL || vp_spec_value_is_empty (path))
        continue;
      if (!vp_spec_rule_absolute (path, error))
        return FALSE;
      if (g_str_equal (type, "mount") || g_str_equal (type, "time"))
        return vp_spec_refuse (error, path, "the guest cannot join a %s namespace of the host", type);
    }
  return TRUE;
}

/* "0-3,8": numbers and ranges */
gboolean
vp_spec_rule_number_list (VpJson *node, GError **error)
{
  const char *p = vp_json_get_string (node);

  while (*p != '\0')
    {
      guint64 first, last;
      char *end;

      if (!g_ascii_isdigit (*p))
        break;
      first = last = g_ascii_strtoull (p, &end, 10);
      if (*end == '-' && g_ascii_isdigit (end[1]))
        last = g_ascii_strtoull (end + 1, &end, 10);
      if (last < first || last > G_MAXUINT16 || (*end != ',' && *end != '\0')
          || (*end == ',' && end[1] == '\0'))
        break;
      p = *end == ',' ? end + 1 : end;
    }
  return *p == '\0' || vp_json_set_error (error, node, "is no list of numbers such as \"0-3,8\"");
}

/* As the kernel names its files: "2MB", "1GB". */
gboolean
vp_spec_rule_page_size (VpJson *node, GError **error)
{
  const char *text = vp_json_get_string (node);
  gsize n = strspn (text, G_CSET_DIGITS);

  return (n > 0 && text[0] != '0'
          && (g_str_equal (text + n, "KB") || g_str_equal (text + n, "MB") || g_str_equal (text + n, "GB")))
         || vp_json_set_error (error, node, "is no size of a page such as \"2MB\"");
}

gboolean
vp_spec_rule_seccomp_action (VpJson *node, GError **error)
{
  return !g_str_equal (vp_json_get_string (node), "SCMP_ACT_NOTIFY")
         || vp_spec_refuse (error, node, "nobody in the guest listens for SCMP_ACT_NOTIFY");
}

gboolean
vp_spec_rule_sysctl (VpJson *node, GError **error)
{
  for (guint i = 0; i < vp_json_get_n_items (node); i++)
    {
      const char *name = vp_json_get_name (vp_json_get_item (node, i));

      if (name[0] == '\0' || strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-/") != strlen (name)
          || strstr (name, "..") != NULL || name[0] == '/' || name[0] == '.')
        return vp_json_set_error (error, vp_json_get_item (node, i), "is no name of a sysctl");
    }
  return TRUE;
}

gboolean
vp_spec_rule_unified (VpJson *node, GError **error)
{
  for (guint i = 0; i < vp_json_get_n_items (node); i++)
    {
      VpJson *item = vp_json_get_item (node, i);
      const char *name = vp_json_get_name (item);

      if (name[0] == '.' || strchr (name, '/') != NULL || strchr (name, '.') == NULL)
        return vp_json_set_error (error, item, "is no file of a cgroup");
      if (g_str_has_prefix (name, "io.") || g_str_has_prefix (name, "rdma."))
        return vp_spec_refuse (error, item, "names devices of the host, which the guest does not have");
    }
  return TRUE;
}
