/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-explain-private.h"
#include "vp-json-writer.h"
#include "vp-spec-table.h"

/* The difference of two documents by their members. Elements of an array are
 * the same thing if they have the same name (a mount's destination, a
 * namespace's type, a device's path), wherever in the array they are. */

static void compare (GPtrArray *changes, VpJson *before, VpJson *after);

static void
change_free (gpointer data)
{
  VpSpecChange *change = data;

  g_free (change->path);
  g_free (change->before);
  g_free (change->after);
  g_free (change);
}

/* What the table of the specification says of the field; an element of a list
 * is said what its list is said. */
static const VpSpecField *
find_field (VpJson *node)
{
  VpJson *parent = vp_json_get_parent (node);
  const VpSpecField *field;

  if (parent == NULL)
    return NULL;
  if (vp_json_get_name (node) == NULL)
    return find_field (parent);
  if (vp_json_get_parent (parent) == NULL)
    return vp_spec_field_find (vp_spec_fields, vp_json_get_name (node));
  field = find_field (parent);
  return field != NULL && field->members != NULL ? vp_spec_field_find (field->members, vp_json_get_name (node))
                                                 : NULL;
}

static const char *
find_reason (VpJson *node)
{
  const VpSpecField *field = find_field (node);

  /* whether an element of a list stays is decided by its type, if it has one */
  if (field != NULL && field->how == NULL && vp_json_get_name (node) == NULL && field->members != NULL)
    field = vp_spec_field_find (field->members, "type");
  return field != NULL && field->fate != VP_FATE_GUEST ? field->how : NULL;
}

static void
add_change (GPtrArray *changes, VpJson *before, VpJson *after)
{
  VpSpecChange *change = g_new0 (VpSpecChange, 1);

  change->verb = before == NULL ? "added" : after == NULL ? "removed" : "changed";
  change->path = vp_json_dup_path (before != NULL ? before : after);
  change->why = find_reason (before != NULL ? before : after);
  change->before = before != NULL ? vp_json_to_text (before, FALSE, NULL) : NULL;
  change->after = after != NULL ? vp_json_to_text (after, FALSE, NULL) : NULL;
  g_ptr_array_add (changes, change);
}

static void
compare_objects (GPtrArray *changes, VpJson *before, VpJson *after)
{
  for (guint i = 0; i < vp_json_get_n_items (before); i++)
    {
      VpJson *old = vp_json_get_item (before, i);
      VpJson *new = vp_json_lookup (after, vp_json_get_name (old));

      compare (changes, old, new);
    }
  for (guint i = 0; i < vp_json_get_n_items (after); i++)
    {
      VpJson *new = vp_json_get_item (after, i);

      if (vp_json_lookup (before, vp_json_get_name (new)) == NULL)
        add_change (changes, NULL, new);
    }
}

static const char *
name_of_element (VpJson *element)
{
  static const char *const names[] = { "destination", "type", "path", "names" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      VpJson *member = vp_json_lookup (element, names[i]);

      if (member != NULL && vp_json_get_type (member) == VP_JSON_STRING)
        return vp_json_get_string (member);
    }
  return NULL;
}

/* Elements by name, each name's in their order; the n-th of a name is the n-th
 * of the same name in the other array. The lists own nothing. */
static GHashTable *
index_elements (VpJson *array)
{
  GHashTable *table = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_queue_free);

  for (guint i = 0; i < vp_json_get_n_items (array); i++)
    {
      VpJson *element = vp_json_get_item (array, i);
      const char *name = name_of_element (element);
      GQueue *queue;

      if (name == NULL)
        continue;
      queue = g_hash_table_lookup (table, name);
      if (queue == NULL)
        {
          queue = g_queue_new ();
          g_hash_table_insert (table, (char *)name, queue);
        }
      g_queue_push_tail (queue, element);
    }
  return table;
}

static void
compare_named (GPtrArray *changes, VpJson *before, VpJson *after)
{
  g_autoptr (GHashTable) table = index_elements (after);

  for (guint i = 0; i < vp_json_get_n_items (before); i++)
    {
      VpJson *old = vp_json_get_item (before, i);
      const char *name = name_of_element (old);
      GQueue *queue = name != NULL ? g_hash_table_lookup (table, name) : NULL;

      compare (changes, old, queue != NULL ? g_queue_pop_head (queue) : NULL);
    }
  /* in the order of the document, not of the table */
  for (guint i = 0; i < vp_json_get_n_items (after); i++)
    {
      VpJson *new = vp_json_get_item (after, i);
      const char *name = name_of_element (new);
      GQueue *queue = name != NULL ? g_hash_table_lookup (table, name) : NULL;

      if (queue != NULL && g_queue_peek_head (queue) == new)
        add_change (changes, NULL, g_queue_pop_head (queue));
    }
}

static gboolean
is_array_of_named (VpJson *node)
{
  if (vp_json_get_type (node) != VP_JSON_ARRAY)
    return FALSE;
  for (guint i = 0; i < vp_json_get_n_items (node); i++)
    if (name_of_element (vp_json_get_item (node, i)) == NULL)
      return FALSE;
  return TRUE;
}

static void
compare (GPtrArray *changes, VpJson *before, VpJson *after)
{
  g_autofree char *old = NULL;
  g_autofree char *new = NULL;

  if (after == NULL)
    {
      add_change (changes, before, NULL);
      return;
    }
  if (vp_json_get_type (before) == VP_JSON_OBJECT && vp_json_get_type (after) == VP_JSON_OBJECT)
    {
      compare_objects (changes, before, after);
      return;
    }
  if (is_array_of_named (before) && is_array_of_named (after)
      && vp_json_get_n_items (before) + vp_json_get_n_items (after) > 0)
    {
      compare_named (changes, before, after);
      return;
    }
  old = vp_json_to_text (before, FALSE, NULL);
  new = vp_json_to_text (after, FALSE, NULL);
  if (!g_str_equal (old, new))
    add_change (changes, before, after);
}

GPtrArray *
vp_explain_changes (VpJson *before, VpJson *after)
{
  GPtrArray *changes = g_ptr_array_new_with_free_func (change_free);

  compare (changes, before, after);
  return changes;
}
