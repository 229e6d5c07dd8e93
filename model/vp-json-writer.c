/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-json-writer.h"

#include <string.h>

struct _VpJsonWriter
{
  GString *text;
  gboolean pretty;
  gboolean first; /* of the innermost object or array */
  guint depth;
};

VpJsonWriter *
vp_json_writer_new (gboolean pretty)
{
  VpJsonWriter *writer = g_new0 (VpJsonWriter, 1);

  writer->text = g_string_new (NULL);
  writer->pretty = pretty;
  writer->first = TRUE;
  return writer;
}

void
vp_json_writer_free (VpJsonWriter *writer)
{
  if (writer == NULL)
    return;
  g_string_free (writer->text, TRUE);
  g_free (writer);
}

static void
add_quoted (GString *text, const char *value)
{
  g_string_append_c (text, '"');
  for (const char *c = value; *c != '\0'; c++)
    {
      if (*c == '"' || *c == '\\')
        g_string_append_printf (text, "\\%c", *c);
      else if (*c == '\n')
        g_string_append (text, "\\n");
      else if (*c == '\t')
        g_string_append (text, "\\t");
      else if ((guchar)*c < 0x20)
        g_string_append_printf (text, "\\u%04x", (guint)*c);
      else
        g_string_append_c (text, *c);
    }
  g_string_append_c (text, '"');
}

static void
new_line (VpJsonWriter *writer)
{
  if (!writer->pretty)
    return;
  g_string_append_c (writer->text, '\n');
  for (guint i = 0; i < writer->depth; i++)
    g_string_append (writer->text, "  ");
}

/* What comes before any value: comma, place, name. */
static void
lead (VpJsonWriter *writer, const char *name)
{
  if (!writer->first)
    g_string_append_c (writer->text, ',');
  if (writer->depth > 0)
    new_line (writer);
  writer->first = FALSE;
  if (name == NULL)
    return;
  add_quoted (writer->text, name);
  g_string_append (writer->text, writer->pretty ? ": " : ":");
}

static void
open_level (VpJsonWriter *writer, const char *name, char bracket)
{
  lead (writer, name);
  g_string_append_c (writer->text, bracket);
  writer->depth++;
  writer->first = TRUE;
}

static void
close_level (VpJsonWriter *writer, char bracket)
{
  writer->depth--;
  if (!writer->first)
    new_line (writer);
  g_string_append_c (writer->text, bracket);
  writer->first = FALSE;
}

void
vp_json_writer_begin_object (VpJsonWriter *writer, const char *name)
{
  open_level (writer, name, '{');
}

void
vp_json_writer_end_object (VpJsonWriter *writer)
{
  close_level (writer, '}');
}

void
vp_json_writer_begin_array (VpJsonWriter *writer, const char *name)
{
  open_level (writer, name, '[');
}

void
vp_json_writer_end_array (VpJsonWriter *writer)
{
  close_level (writer, ']');
}

void
vp_json_writer_add_string (VpJsonWriter *writer, const char *name, const char *value)
{
  lead (writer, name);
  add_quoted (writer->text, value);
}

void
vp_json_writer_add_strv (VpJsonWriter *writer, const char *name, const char *const *values)
{
  vp_json_writer_begin_array (writer, name);
  for (; *values != NULL; values++)
    vp_json_writer_add_string (writer, NULL, *values);
  vp_json_writer_end_array (writer);
}

void
vp_json_writer_add_int (VpJsonWriter *writer, const char *name, gint64 value)
{
  lead (writer, name);
  g_string_append_printf (writer->text, "%" G_GINT64_FORMAT, value);
}

void
vp_json_writer_add_uint (VpJsonWriter *writer, const char *name, guint64 value)
{
  lead (writer, name);
  g_string_append_printf (writer->text, "%" G_GUINT64_FORMAT, value);
}

void
vp_json_writer_add_bool (VpJsonWriter *writer, const char *name, gboolean value)
{
  lead (writer, name);
  g_string_append (writer->text, value ? "true" : "false");
}

static void
add_double (VpJsonWriter *writer, const char *name, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  lead (writer, name);
  g_ascii_dtostr (buffer, sizeof buffer, value);
  g_string_append (writer->text, buffer);
  /* 1e3 comes out as "1000": it must stay no integer */
  if (strpbrk (buffer, ".e") == NULL)
    g_string_append (writer->text, ".0");
}

static void
add_number (VpJsonWriter *writer, const char *name, VpJson *node)
{
  gint64 i;
  guint64 u;

  if (vp_json_get_int64 (node, &i))
    vp_json_writer_add_int (writer, name, i);
  else if (vp_json_get_uint64 (node, &u))
    vp_json_writer_add_uint (writer, name, u);
  else
    add_double (writer, name, vp_json_get_double (node));
}

void
vp_json_writer_add_copy (VpJsonWriter *writer, const char *name, VpJson *node)
{
  gboolean is_object = vp_json_get_type (node) == VP_JSON_OBJECT;

  switch (vp_json_get_type (node))
    {
    case VP_JSON_NULL:
      lead (writer, name);
      g_string_append (writer->text, "null");
      break;
    case VP_JSON_BOOL:
      vp_json_writer_add_bool (writer, name, vp_json_get_bool (node));
      break;
    case VP_JSON_INT:
    case VP_JSON_DOUBLE:
      add_number (writer, name, node);
      break;
    case VP_JSON_STRING:
      vp_json_writer_add_string (writer, name, vp_json_get_string (node));
      break;
    case VP_JSON_ARRAY:
    case VP_JSON_OBJECT:
      open_level (writer, name, is_object ? '{' : '[');
      for (guint i = 0; i < vp_json_get_n_items (node); i++)
        vp_json_writer_add_copy (writer, vp_json_get_name (vp_json_get_item (node, i)),
                                 vp_json_get_item (node, i));
      close_level (writer, is_object ? '}' : ']');
      break;
    }
}

char *
vp_json_writer_steal_text (VpJsonWriter *writer, gsize *ret_len)
{
  GString *text = writer->text;

  g_return_val_if_fail (writer->depth == 0, NULL);
  if (writer->pretty)
    g_string_append_c (text, '\n');
  if (ret_len != NULL)
    *ret_len = text->len;
  writer->text = g_string_new (NULL);
  writer->first = TRUE;
  return g_string_free (text, FALSE);
}

VpJson *
vp_json_writer_to_json (VpJsonWriter *writer, const char *file, GError **error)
{
  g_autofree char *text = NULL;
  gsize len;

  text = vp_json_writer_steal_text (writer, &len);
  return vp_json_parse (text, len, file, error);
}

char *
vp_json_to_text (VpJson *node, gboolean pretty, gsize *ret_len)
{
  g_autoptr (VpJsonWriter) writer = vp_json_writer_new (pretty);

  vp_json_writer_add_copy (writer, NULL, node);
  return vp_json_writer_steal_text (writer, ret_len);
}
