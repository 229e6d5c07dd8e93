/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-spec-rules.h"

#include <string.h>

#include "vp-names.h"

gboolean
vp_spec_rule_absolute (VpJson *node, GError **error)
{
  return vp_json_get_string (node)[0] == '/' || vp_json_set_error (error, node, "must be an absolute path");
}

gboolean
vp_spec_rule_not_empty (VpJson *node, GError **error)
{
  return vp_json_get_n_items (node) > 0 || vp_json_set_error (error, node, "is empty");
}

/* What the host tells the agent must not be said by the bundle. */
gboolean
vp_spec_rule_annotations (VpJson *node, GError **error)
{
  for (guint i = 0; i < vp_json_get_n_items (node); i++)
    {
      VpJson *item = vp_json_get_item (node, i);

      if (vp_json_get_name (item)[0] == '\0')
        return vp_json_set_error (error, node, "has an annotation without a name");
      if (g_str_equal (vp_json_get_name (item), VP_ANNOTATION_SPEC_EXTRA))
        return vp_json_set_error (error, item, "is reserved");
    }
  return TRUE;
}

gboolean
vp_spec_is_capability (const char *name)
{
  return g_str_has_prefix (name, "CAP_") && name[4] != '\0'
         && strspn (name, G_CSET_A_2_Z G_CSET_DIGITS "_") == strlen (name);
}

gboolean
vp_spec_rule_capabilities (VpJson *node, GError **error)
{
  for (guint i = 0; i < vp_json_get_n_items (node); i++)
    {
      if (!vp_spec_is_capability (vp_json_get_string (vp_json_get_item (node, i))))
        return vp_json_set_error (error, vp_json_get_item (node, i), "is no name of a capability (CAP_...)");
    }
  return TRUE;
}

gboolean
vp_spec_rule_domainname (VpJson *node, GError **error)
{
  return strlen (vp_json_get_string (node)) <= VP_HOSTNAME_MAX
         || vp_json_set_error (error, node, "is longer than the %d bytes the kernel has room for",
                               VP_HOSTNAME_MAX);
}

gboolean
vp_spec_rule_environment (VpJson *node, GError **error)
{
  for (guint i = 0; i < vp_json_get_n_items (node); i++)
    {
      const char *text = vp_json_get_string (vp_json_get_item (node, i));

      if (text[0] == '=' || strchr (text, '=') == NULL)
        return vp_json_set_error (error, vp_json_get_item (node, i), "must be NAME=VALUE");
    }
  return TRUE;
}

gboolean
vp_spec_rule_rlimits (VpJson *node, GError **error)
{
  for (guint i = 0; i < vp_json_get_n_items (node); i++)
    {
      VpJson *item = vp_json_get_item (node, i);
      const char *type = vp_json_get_string (vp_json_lookup (item, "type"));
      guint64 soft = 0, hard = 0;

      vp_json_get_uint64 (vp_json_lookup (item, "soft"), &soft);
      vp_json_get_uint64 (vp_json_lookup (item, "hard"), &hard);
      if (soft > hard)
        return vp_json_set_member_error (error, item, "soft", "must not be more than hard");
      for (guint j = 0; j < i; j++)
        {
          VpJson *other = vp_json_lookup (vp_json_get_item (node, j), "type");

          if (g_str_equal (vp_json_get_string (other), type))
            return vp_json_set_member_error (error, item, "type", "%s is there twice", type);
        }
    }
  return TRUE;
}
