/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-json-text.h"

#include <json-glib/json-glib.h>
#include <math.h>

#define INDENT 2

static void append_value (GString *out, GVariant *value, int depth);

/* A new line, or nothing when everything goes on one: @depth below 0. */
static void
append_break (GString *out, int depth)
{
  if (depth >= 0)
    g_string_append_printf (out, "\n%*s", depth * INDENT, "");
}

static void
append_string (GString *out, const char *text)
{
  g_autoptr (JsonNode) node = json_node_init_string (json_node_alloc (), text);
  g_autofree char *quoted = json_to_string (node, FALSE);

  g_string_append (out, quoted);
}

/* Keys that are no text (numbers, on some bus some day) are written as text. */
static void
append_key (GString *out, GVariant *key, int depth)
{
  g_autofree char *printed = NULL;

  if (g_variant_classify (key) == G_VARIANT_CLASS_STRING || g_variant_classify (key) == G_VARIANT_CLASS_OBJECT_PATH)
    append_string (out, g_variant_get_string (key, NULL));
  else
    {
      printed = g_variant_print (key, FALSE);
      append_string (out, printed);
    }
  g_string_append (out, depth < 0 ? ":" : ": ");
}

static void
append_container (GString *out, GVariant *value, int depth)
{
  gboolean object = g_variant_is_of_type (value, G_VARIANT_TYPE_DICTIONARY);
  int inner = depth < 0 ? -1 : depth + 1;
  gsize n = g_variant_n_children (value);

  g_string_append_c (out, object ? '{' : '[');
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (value, i);

      append_break (out, inner);
      if (object)
        {
          g_autoptr (GVariant) key = g_variant_get_child_value (child, 0);
          g_autoptr (GVariant) content = g_variant_get_child_value (child, 1);

          append_key (out, key, depth);
          append_value (out, content, inner);
        }
      else
        append_value (out, child, inner);
      if (i + 1 < n)
        g_string_append_c (out, ',');
    }
  if (n > 0)
    append_break (out, depth);
  g_string_append_c (out, object ? '}' : ']');
}

/* Not json-glib: its whole numbers end at 2^63, where "no limit" begins. */
static void
append_value (GString *out, GVariant *value, int depth)
{
  g_autofree char *printed = NULL;
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  switch (g_variant_classify (value))
    {
    case G_VARIANT_CLASS_VARIANT:
      {
        g_autoptr (GVariant) inner = g_variant_get_variant (value);

        append_value (out, inner, depth);
        return;
      }
    case G_VARIANT_CLASS_ARRAY:
    case G_VARIANT_CLASS_TUPLE:
    case G_VARIANT_CLASS_DICT_ENTRY:
      append_container (out, value, depth);
      return;
    case G_VARIANT_CLASS_STRING:
    case G_VARIANT_CLASS_OBJECT_PATH:
    case G_VARIANT_CLASS_SIGNATURE:
      append_string (out, g_variant_get_string (value, NULL));
      return;
    case G_VARIANT_CLASS_BYTE:
      g_string_append_printf (out, "%u", g_variant_get_byte (value));
      return;
    case G_VARIANT_CLASS_DOUBLE:
      if (isfinite (g_variant_get_double (value)))
        g_string_append (out, g_ascii_dtostr (number, sizeof number, g_variant_get_double (value)));
      else
        g_string_append (out, "null");
      return;
    default: /* booleans and whole numbers */
      printed = g_variant_print (value, FALSE);
      g_string_append (out, printed);
    }
}

static char *
serialize (GVariant *value, int depth)
{
  g_autoptr (GVariant) held = g_variant_ref_sink (value);
  GString *out = g_string_new (NULL);

  append_value (out, held, depth);
  return g_string_free (out, FALSE);
}

char *
vp_json_text (GVariant *value)
{
  return serialize (value, 0);
}

char *
vp_json_line (GVariant *value)
{
  return serialize (value, -1);
}

GVariant *
vp_json_parse (const char *json)
{
  g_autoptr (JsonNode) root = json_from_string (json, NULL);

  return root == NULL ? NULL : json_gvariant_deserialize (root, NULL, NULL);
}

GVariant *
vp_json_parse_member (const char *json, const char *name)
{
  g_autoptr (JsonNode) root = json_from_string (json, NULL);
  JsonNode *member = root != NULL && JSON_NODE_HOLDS_OBJECT (root)
                         ? json_object_get_member (json_node_get_object (root), name)
                         : NULL;

  return member == NULL ? NULL : json_gvariant_deserialize (member, NULL, NULL);
}

char *
vp_json_time (guint64 usec)
{
  g_autoptr (GDateTime) seconds = NULL;
  g_autoptr (GDateTime) time = NULL;

  if (usec == 0)
    return g_strdup ("");
  seconds = g_date_time_new_from_unix_utc ((gint64) (usec / G_USEC_PER_SEC));
  if (seconds == NULL)
    return g_strdup ("");
  time = g_date_time_add (seconds, (GTimeSpan) (usec % G_USEC_PER_SEC));
  return g_date_time_format_iso8601 (time);
}
