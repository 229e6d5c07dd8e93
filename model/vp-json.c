/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "vp-json-private.h"

static void
document_free (VpJsonDocument *document)
{
  if (document->top != NULL)
    vp_json_clear_items (document->top);
  g_free (document->top);
  g_free (document->strings);
  g_free (document->file);
  g_free (document);
}

VpJson *
vp_json_parse (const char *text, gsize len, const char *file, GError **error)
{
  VpJsonDocument *document = g_new0 (VpJsonDocument, 1);

  g_atomic_ref_count_init (&document->ref_count);
  document->file = g_strdup (file);
  if (!vp_json_read (document, text, len, error))
    {
      document_free (document);
      return NULL;
    }
  return document->top;
}

VpJson *
vp_json_ref (VpJson *node)
{
  g_atomic_ref_count_inc (&node->document->ref_count);
  return node;
}

void
vp_json_unref (VpJson *node)
{
  if (node != NULL && g_atomic_ref_count_dec (&node->document->ref_count))
    document_free (node->document);
}

/* ---- reading ---------------------------------------------------------------- */

VpJsonType
vp_json_get_type (VpJson *node)
{
  return node->type;
}

const char *
vp_json_type_name (VpJsonType type)
{
  static const char *const names[]
      = { "null", "true or false", "an integer", "a number", "a string", "an array", "an object" };

  return names[type];
}

const char *
vp_json_get_file (VpJson *node)
{
  return node->document->file;
}

static void
append_path (VpJson *node, GString *path)
{
  if (node->parent == NULL)
    return;
  append_path (node->parent, path);
  vp_json_path_append (path, node->name, node->index);
}

char *
vp_json_dup_path (VpJson *node)
{
  GString *path = g_string_new (NULL);

  append_path (node, path);
  if (path->len == 0)
    g_string_append (path, "(top)");
  return g_string_free (path, FALSE);
}

guint
vp_json_get_n_items (VpJson *node)
{
  return node->n_items;
}

VpJson *
vp_json_get_item (VpJson *node, guint index)
{
  return index < node->n_items ? &node->items[index] : NULL;
}

const char *
vp_json_get_name (VpJson *node)
{
  return node->name;
}

VpJson *
vp_json_get_parent (VpJson *node)
{
  return node->parent;
}

VpJson *
vp_json_lookup (VpJson *node, const char *name)
{
  if (node->type != VP_JSON_OBJECT)
    return NULL;
  for (guint i = 0; i < node->n_items; i++)
    {
      if (strcmp (node->items[i].name, name) == 0)
        return &node->items[i];
    }
  return NULL;
}

const char *
vp_json_get_string (VpJson *node)
{
  return node->type == VP_JSON_STRING ? node->u.string : NULL;
}

gboolean
vp_json_get_bool (VpJson *node)
{
  return node->type == VP_JSON_BOOL && node->u.boolean;
}

double
vp_json_get_double (VpJson *node)
{
  if (node->type == VP_JSON_DOUBLE)
    return node->u.real;
  if (node->type != VP_JSON_INT)
    return 0;
  return node->is_unsigned ? (double)(guint64)node->u.integer : (double)node->u.integer;
}

gboolean
vp_json_get_int64 (VpJson *node, gint64 *ret)
{
  if (node->type != VP_JSON_INT || node->is_unsigned)
    return FALSE;
  *ret = node->u.integer;
  return TRUE;
}

gboolean
vp_json_get_uint64 (VpJson *node, guint64 *ret)
{
  if (node->type != VP_JSON_INT || (node->u.integer < 0 && !node->is_unsigned))
    return FALSE;
  *ret = (guint64)node->u.integer;
  return TRUE;
}
