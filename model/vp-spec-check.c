/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "vp-error.h"
#include "vp-spec-table.h"

gboolean
vp_spec_refuse (GError **error, VpJson *node, const char *format, ...)
{
  g_autofree char *path = vp_json_dup_path (node);
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED, "%s: %s: %s", vp_json_get_file (node), path, message);
  return FALSE;
}

const VpSpecField *
vp_spec_field_find (const VpSpecField *fields, const char *name)
{
  for (; fields->name != NULL; fields++)
    {
      if (strcmp (fields->name, name) == 0)
        return fields;
    }
  return NULL;
}

gboolean
vp_spec_value_is_empty (VpJson *node)
{
  gint64 number;

  switch (vp_json_get_type (node))
    {
    case VP_JSON_NULL:
      return TRUE;
    case VP_JSON_BOOL:
      return !vp_json_get_bool (node);
    case VP_JSON_INT:
      return vp_json_get_int64 (node, &number) && number == 0;
    case VP_JSON_STRING:
      return vp_json_get_string (node)[0] == '\0';
    case VP_JSON_ARRAY:
      return vp_json_get_n_items (node) == 0;
    case VP_JSON_OBJECT:
      for (guint i = 0; i < vp_json_get_n_items (node); i++)
        {
          if (!vp_spec_value_is_empty (vp_json_get_item (node, i)))
            return FALSE;
        }
      return TRUE;
    case VP_JSON_DOUBLE:
    default:
      return FALSE;
    }
}

static gboolean
expect (VpJson *node, VpJsonType type, GError **error)
{
  if (vp_json_get_type (node) == type)
    return TRUE;
  return vp_json_set_error (error, node, "must be %s, is %s", vp_json_type_name (type),
                            vp_json_type_name (vp_json_get_type (node)));
}

static gboolean
check_string (VpJson *node, const VpSpecField *field, GError **error)
{
  const char *text = vp_json_get_string (node);
  g_autofree char *all = NULL;
  g_autofree char *shown = NULL;

  if (field->words == NULL || g_strv_contains (field->words, text))
    return TRUE;
  shown = g_strescape (text, NULL);
  if (strlen (shown) > 80)
    shown[80] = '\0';
  if (g_strv_length ((char **)field->words) > 10)
    return vp_json_set_error (error, node, "\"%s\" is not known", shown);
  all = g_strjoinv (", ", (char **)(field->words[0][0] == '\0' ? field->words + 1 : field->words));
  return vp_json_set_error (error, node, "\"%s\" is none of %s", shown, all);
}

static gboolean
check_number (VpJson *node, const VpSpecField *field, GError **error)
{
  gint64 number;
  guint64 positive;

  if (field->type == VP_SPEC_INT)
    {
      if (!vp_json_get_int64 (node, &number) || number < field->min || number > field->max)
        return vp_json_set_error (error, node, "must be from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                                  field->min, field->max);
    }
  else if (!vp_json_get_uint64 (node, &positive) || positive < field->umin || positive > field->umax)
    return vp_json_set_error (error, node, "must be from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                              field->umin, field->umax);
  return TRUE;
}

static gboolean
check_map (VpJson *node, const VpSpecField *field, GError **error)
{
  for (guint i = 0; i < vp_json_get_n_items (node); i++)
    {
      VpJson *item = vp_json_get_item (node, i);

      if (!expect (item, field->members != NULL ? VP_JSON_OBJECT : VP_JSON_STRING, error)
          || (field->members != NULL && !vp_spec_check_fields (item, field->members, error)))
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_value (VpJson *node, const VpSpecField *field, GError **error)
{
  switch (field->type)
    {
    case VP_SPEC_STRING:
      return expect (node, VP_JSON_STRING, error) && check_string (node, field, error);
    case VP_SPEC_BOOL:
      return expect (node, VP_JSON_BOOL, error);
    case VP_SPEC_INT:
    case VP_SPEC_UINT:
      return expect (node, VP_JSON_INT, error) && check_number (node, field, error);
    case VP_SPEC_OBJECT:
      return expect (node, VP_JSON_OBJECT, error) && vp_spec_check_fields (node, field->members, error);
    case VP_SPEC_MAP:
      return expect (node, VP_JSON_OBJECT, error) && check_map (node, field, error);
    case VP_SPEC_ANY:
    default:
      return TRUE;
    }
}

static gboolean
check_field (VpJson *node, const VpSpecField *field, GError **error)
{
  if ((field->flags & VP_SPEC_LIST) == 0)
    {
      if (!check_value (node, field, error))
        return FALSE;
    }
  else if (!expect (node, VP_JSON_ARRAY, error))
    return FALSE;
  else
    {
      guint n = vp_json_get_n_items (node);

      for (guint i = 0; i < n; i++)
        {
          if (!check_value (vp_json_get_item (node, i), field, error))
            return FALSE;
        }
    }
  if (field->rule != NULL)
    return field->rule (node, error);
  if (field->fate == VP_FATE_REFUSED
      && (field->flags & VP_SPEC_NAMES ? vp_json_get_n_items (node) > 0 : !vp_spec_value_is_empty (node)))
    return vp_spec_refuse (error, node, "%s", field->how);
  return TRUE;
}

gboolean
vp_spec_check_fields (VpJson *object, const VpSpecField *fields, GError **error)
{
  for (const VpSpecField *field = fields; field->name != NULL; field++)
    {
      VpJson *node = vp_json_lookup (object, field->name);

      /* encoders of Go write null for what is not set */
      if (node == NULL || vp_json_get_type (node) == VP_JSON_NULL)
        {
          if (field->flags & VP_SPEC_REQUIRED)
            return vp_json_set_member_error (error, object, field->name, "is missing");
        }
      else if (!check_field (node, field, error))
        return FALSE;
    }
  return TRUE;
}
