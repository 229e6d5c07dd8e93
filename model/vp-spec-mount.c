/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-spec.h"

#include <string.h>

#include "vp-spec-private.h"

static gboolean
has_dot_dot (const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);

  return g_strv_contains ((const char *const *)parts, "..");
}

static gboolean
parse_mount (VpSpec *spec, VpJson *json, GError **error)
{
  VpSpecMount mount = { .type = "" };
  char **options = NULL;

  if (!vp_json_member_string (json, "destination", TRUE, &mount.destination, error)
      || !vp_json_member_string (json, "type", FALSE, &mount.type, error)
      || !vp_json_member_string (json, "source", FALSE, &mount.source, error))
    return FALSE;
  if (mount.destination[0] != '/')
    return vp_json_set_member_error (error, json, "destination", "must be an absolute path");
  if (has_dot_dot (mount.destination))
    return vp_json_set_member_error (error, json, "destination", "must not have \"..\" in it");
  if (!vp_json_member_strv (json, "options", FALSE, &options, error))
    return FALSE;
  mount.options = (const char *const *)options;
  g_array_append_val (spec->mounts, mount);
  if (vp_spec_mount_is_bind (&mount) && (mount.source == NULL || mount.source[0] == '\0'))
    return vp_json_set_member_error (error, json, "source", "is missing, a bind mount needs one");
  return TRUE;
}

gboolean
vp_spec_parse_mounts (VpSpec *spec, GError **error)
{
  VpJson *mounts = NULL;

  if (!vp_json_member_array (spec->json, "mounts", FALSE, &mounts, error))
    return FALSE;
  for (guint i = 0; mounts != NULL && i < vp_json_get_n_items (mounts); i++)
    {
      if (!parse_mount (spec, vp_json_get_item (mounts, i), error))
        return FALSE;
    }
  return TRUE;
}

guint
vp_spec_get_n_mounts (VpSpec *spec)
{
  return spec->mounts->len;
}

const VpSpecMount *
vp_spec_get_mount (VpSpec *spec, guint index)
{
  return index < spec->mounts->len ? &g_array_index (spec->mounts, VpSpecMount, index) : NULL;
}

/* The options say it as often as the type does: engines write type "bind", "none" or none at all. */
gboolean
vp_spec_mount_is_bind (const VpSpecMount *mount)
{
  return g_str_equal (mount->type, "bind") || g_str_equal (mount->type, "rbind")
         || g_strv_contains (mount->options, "bind") || g_strv_contains (mount->options, "rbind");
}

gboolean
vp_spec_mount_is_read_only (const VpSpecMount *mount)
{
  gboolean read_only = FALSE;

  for (const char *const *o = mount->options; *o != NULL; o++)
    {
      if (g_str_equal (*o, "ro") || g_str_equal (*o, "rro"))
        read_only = TRUE;
      else if (g_str_equal (*o, "rw") || g_str_equal (*o, "rrw"))
        read_only = FALSE;
    }
  return read_only;
}
