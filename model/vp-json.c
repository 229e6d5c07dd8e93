/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-json.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "vp-error.h"
#include "vp-json-lint.h"

typedef struct _Document Document;

struct _VpJson
{
  Document *document;
  VpJson *parent;
  const char *name; /* json-glib's copy */
  guint index;
  VpJsonType type;
  gboolean is_unsigned; /* integer above G_MAXINT64 */
  guint n_items;
  VpJson *items; /* one block of n_items */
  union
  {
    gboolean boolean;
    gint64 integer;
    double real;
    const char *string; /* json-glib's copy */
  } u;
};

struct _Document
{
  gatomicrefcount ref_count;
  char *file;
  JsonNode *root; /* owns every string */
  VpJson top;
};

/* ---- building --------------------------------------------------------------- */

typedef struct
{
  guint n_numbers;
  GArray *unsigned_ordinals; /* ascending */
  guint next_unsigned;
} Build;

static void build (Build *state, VpJson *self, JsonNode *node);

static VpJson *
new_item (VpJson *self, guint index, const char *name)
{
  VpJson *item = &self->items[index];

  item->document = self->document;
  item->parent = self;
  item->index = index;
  item->name = name;
  return item;
}

static void
build_object (Build *state, VpJson *self, JsonObject *object)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  self->type = VP_JSON_OBJECT;
  self->items = g_new0 (VpJson, json_object_get_size (object));
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    build (state, new_item (self, self->n_items++, name), value);
}

static void
build_array (Build *state, VpJson *self, JsonArray *array)
{
  guint n = json_array_get_length (array);

  self->type = VP_JSON_ARRAY;
  self->items = g_new0 (VpJson, n);
  for (; self->n_items < n; self->n_items++)
    build (state, new_item (self, self->n_items, NULL), json_array_get_element (array, self->n_items));
}

static void
build_number (Build *state, VpJson *self, JsonNode *node)
{
  guint ordinal = state->n_numbers++;

  if (json_node_get_value_type (node) == G_TYPE_DOUBLE)
    {
      self->type = VP_JSON_DOUBLE;
      self->u.real = json_node_get_double (node);
      return;
    }
  self->type = VP_JSON_INT;
  self->u.integer = json_node_get_int (node);
  if (state->next_unsigned < state->unsigned_ordinals->len
      && g_array_index (state->unsigned_ordinals, guint, state->next_unsigned) == ordinal)
    {
      self->is_unsigned = TRUE;
      state->next_unsigned++;
    }
}

static void
build (Build *state, VpJson *self, JsonNode *node)
{
  if (JSON_NODE_HOLDS_OBJECT (node))
    build_object (state, self, json_node_get_object (node));
  else if (JSON_NODE_HOLDS_ARRAY (node))
    build_array (state, self, json_node_get_array (node));
  else if (JSON_NODE_HOLDS_NULL (node))
    self->type = VP_JSON_NULL;
  else if (json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    {
      self->type = VP_JSON_BOOL;
      self->u.boolean = json_node_get_boolean (node);
    }
  else if (json_node_get_value_type (node) == G_TYPE_STRING)
    {
      self->type = VP_JSON_STRING;
      self->u.string = json_node_get_string (node);
    }
  else
    build_number (state, self, node);
}

static void
clear_items (VpJson *self)
{
  for (guint i = 0; i < self->n_items; i++)
    clear_items (&self->items[i]);
  g_free (self->items);
}

VpJson *
vp_json_parse (const char *text, gsize len, const char *file, GError **error)
{
  g_autoptr (GArray) unsigned_ordinals = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (JsonParser) parser = NULL;
  g_autoptr (GError) local = NULL;
  Build state = { .unsigned_ordinals = unsigned_ordinals };
  Document *document;

  if (!vp_json_lint (text, len, file, unsigned_ordinals, error))
    return NULL;
  parser = json_parser_new_immutable ();
  if (!json_parser_load_from_data (parser, text, (gssize)len, &local))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: (top): %s", file, local->message);
      return NULL;
    }

  document = g_new0 (Document, 1);
  g_atomic_ref_count_init (&document->ref_count);
  document->file = g_strdup (file);
  document->root = json_parser_steal_root (parser);
  document->top.document = document;
  build (&state, &document->top, document->root);
  return &document->top;
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
  Document *document;

  if (node == NULL)
    return;
  document = node->document;
  if (!g_atomic_ref_count_dec (&document->ref_count))
    return;
  clear_items (&document->top);
  json_node_unref (document->root);
  g_free (document->file);
  g_free (document);
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
