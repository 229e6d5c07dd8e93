/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Typed members of objects: where a document's types are checked, so that
 * every message names file and JSON path. */
#include "vp-json.h"

#include <string.h>

#include "vp-error.h"
#include "vp-json-private.h"

static void G_GNUC_PRINTF (4, 0)
    set_error_at (GError **error, VpJson *node, const char *path, const char *format, va_list args)
{
  g_autofree char *message = g_strdup_vprintf (format, args);

  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: %s: %s", vp_json_get_file (node), path,
               message);
}

gboolean
vp_json_set_error (GError **error, VpJson *node, const char *format, ...)
{
  g_autofree char *path = vp_json_dup_path (node);
  va_list args;

  va_start (args, format);
  set_error_at (error, node, path, format, args);
  va_end (args);
  return FALSE;
}

gboolean
vp_json_set_member_error (GError **error, VpJson *object, const char *name, const char *format, ...)
{
  g_autofree char *base = vp_json_dup_path (object);
  g_autoptr (GString) path = g_string_new (g_str_equal (base, "(top)") ? "" : base);
  va_list args;

  vp_json_path_append (path, name, 0);
  va_start (args, format);
  set_error_at (error, object, path->str, format, args);
  va_end (args);
  return FALSE;
}

/* FALSE with @error, or TRUE with *ret the member or NULL when it is absent. */
static gboolean
find (VpJson *object, const char *name, gboolean required, VpJsonType type, VpJson **ret, GError **error)
{
  VpJson *node;

  if (vp_json_get_type (object) != VP_JSON_OBJECT)
    return vp_json_set_error (error, object, "must be an object, is %s",
                              vp_json_type_name (vp_json_get_type (object)));
  node = vp_json_lookup (object, name);
  /* encoders of Go write null for what is not set */
  if (node != NULL && vp_json_get_type (node) == VP_JSON_NULL)
    node = NULL;
  if (node == NULL && required)
    return vp_json_set_member_error (error, object, name, "is missing");
  if (node != NULL && vp_json_get_type (node) != type)
    return vp_json_set_error (error, node, "must be %s, is %s", vp_json_type_name (type),
                              vp_json_type_name (vp_json_get_type (node)));
  *ret = node;
  return TRUE;
}

gboolean
vp_json_member_string (VpJson *object, const char *name, gboolean required, const char **ret, GError **error)
{
  VpJson *node;

  if (!find (object, name, required, VP_JSON_STRING, &node, error))
    return FALSE;
  if (node != NULL)
    *ret = vp_json_get_string (node);
  return TRUE;
}

gboolean
vp_json_member_bool (VpJson *object, const char *name, gboolean required, gboolean *ret, GError **error)
{
  VpJson *node;

  if (!find (object, name, required, VP_JSON_BOOL, &node, error))
    return FALSE;
  if (node != NULL)
    *ret = vp_json_get_bool (node);
  return TRUE;
}

gboolean
vp_json_member_int (VpJson *object, const char *name, gboolean required, gint64 min, gint64 max, gint64 *ret,
                    GError **error)
{
  VpJson *node;
  gint64 value;

  if (!find (object, name, required, VP_JSON_INT, &node, error))
    return FALSE;
  if (node == NULL)
    return TRUE;
  if (!vp_json_get_int64 (node, &value) || value < min || value > max)
    return vp_json_set_error (error, node, "must be from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, min,
                              max);
  *ret = value;
  return TRUE;
}

gboolean
vp_json_member_uint (VpJson *object, const char *name, gboolean required, guint64 max, guint64 *ret,
                     GError **error)
{
  VpJson *node;
  guint64 value;

  if (!find (object, name, required, VP_JSON_INT, &node, error))
    return FALSE;
  if (node == NULL)
    return TRUE;
  if (!vp_json_get_uint64 (node, &value) || value > max)
    return vp_json_set_error (error, node, "must be from 0 to %" G_GUINT64_FORMAT, max);
  *ret = value;
  return TRUE;
}

gboolean
vp_json_member_object (VpJson *object, const char *name, gboolean required, VpJson **ret, GError **error)
{
  VpJson *node;

  if (!find (object, name, required, VP_JSON_OBJECT, &node, error))
    return FALSE;
  if (node != NULL)
    *ret = node;
  return TRUE;
}

gboolean
vp_json_member_array (VpJson *object, const char *name, gboolean required, VpJson **ret, GError **error)
{
  VpJson *node;

  if (!find (object, name, required, VP_JSON_ARRAY, &node, error))
    return FALSE;
  if (node != NULL)
    *ret = node;
  return TRUE;
}

gboolean
vp_json_member_strv (VpJson *object, const char *name, gboolean required, char ***ret, GError **error)
{
  g_auto (GStrv) values = NULL;
  VpJson *array = NULL;
  guint n;

  if (!find (object, name, required, VP_JSON_ARRAY, &array, error))
    return FALSE;
  n = array != NULL ? vp_json_get_n_items (array) : 0;
  values = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    {
      VpJson *item = vp_json_get_item (array, i);

      if (vp_json_get_type (item) != VP_JSON_STRING)
        return vp_json_set_error (error, item, "must be a string, is %s",
                                  vp_json_type_name (vp_json_get_type (item)));
      values[i] = g_strdup (vp_json_get_string (item));
    }
  *ret = g_steal_pointer (&values);
  return TRUE;
}

gboolean
vp_json_check_members (VpJson *object, const char *const *names, GError **error)
{
  for (guint i = 0; i < vp_json_get_n_items (object); i++)
    {
      VpJson *item = vp_json_get_item (object, i);

      if (vp_json_get_name (item) != NULL && !g_strv_contains (names, vp_json_get_name (item)))
        return vp_json_set_error (error, item, "is not known");
    }
  return TRUE;
}
