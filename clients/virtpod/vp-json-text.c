/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-json-text.h"

static void append_value (GString *out, GVariant *value, guint depth);

static void
append_string (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (const char *p = text; *p != '\0'; p++)
    {
      guchar c = (guchar) *p;

      if (c == '"' || c == '\\')
        g_string_append_printf (out, "\\%c", c);
      else if (c == '\n')
        g_string_append (out, "\\n");
      else if (c == '\t')
        g_string_append (out, "\\t");
      else if (c < 0x20 || c == 0x7f)
        g_string_append_printf (out, "\\u%04x", c);
      else
        g_string_append_c (out, *p);
    }
  g_string_append_c (out, '"');
}

static void
append_line (GString *out, guint depth)
{
  g_string_append_c (out, '\n');
  for (guint i = 0; i < depth; i++)
    g_string_append (out, "  ");
}

static gboolean
is_object (GVariant *value)
{
  return g_variant_is_of_type (value, G_VARIANT_TYPE ("a{s*}"))
         || g_variant_is_of_type (value, G_VARIANT_TYPE ("a{o*}"));
}

static void
append_container (GString *out, GVariant *value, guint depth)
{
  gboolean object = is_object (value);
  gsize n = g_variant_n_children (value);

  g_string_append_c (out, object ? '{' : '[');
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (value, i);

      if (i > 0)
        g_string_append_c (out, ',');
      append_line (out, depth + 1);
      if (object)
        {
          g_autoptr (GVariant) key = g_variant_get_child_value (child, 0);
          g_autoptr (GVariant) member = g_variant_get_child_value (child, 1);

          append_string (out, g_variant_get_string (key, NULL));
          g_string_append (out, ": ");
          append_value (out, member, depth + 1);
        }
      else
        append_value (out, child, depth + 1);
    }
  if (n > 0)
    append_line (out, depth);
  g_string_append_c (out, object ? '}' : ']');
}

static void
append_value (GString *out, GVariant *value, guint depth)
{
  switch (g_variant_classify (value))
    {
    case G_VARIANT_CLASS_VARIANT:
      {
        g_autoptr (GVariant) inner = g_variant_get_variant (value);
        append_value (out, inner, depth);
        break;
      }
    case G_VARIANT_CLASS_STRING:
    case G_VARIANT_CLASS_OBJECT_PATH:
    case G_VARIANT_CLASS_SIGNATURE:
      append_string (out, g_variant_get_string (value, NULL));
      break;
    case G_VARIANT_CLASS_BYTE:
      g_string_append_printf (out, "%u", g_variant_get_byte (value));
      break;
    case G_VARIANT_CLASS_ARRAY:
    case G_VARIANT_CLASS_TUPLE:
    case G_VARIANT_CLASS_DICT_ENTRY:
      append_container (out, value, depth);
      break;
    default:
      {
        /* booleans and numbers: GVariant's own text without type marks is JSON's */
        g_autofree char *text = g_variant_print (value, FALSE);
        g_string_append (out, text);
      }
    }
}

char *
vp_json_text (GVariant *value)
{
  g_autoptr (GVariant) held = g_variant_ref_sink (value);
  GString *out = g_string_new (NULL);

  append_value (out, held, 0);
  return g_string_free (out, FALSE);
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
