/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-output.h"

#include <glib/gi18n.h>
#include <string.h>

#include "vp-json-text.h"

VpOutput vp_output;

const char *
vp_output_check (void)
{
  if (vp_output.format != NULL && !g_str_equal (vp_output.format, "json")
      && !g_str_equal (vp_output.format, "table"))
    return _("--format must be table or json");
  if (vp_output.json && g_strcmp0 (vp_output.format, "table") == 0)
    return _("--json and --format table exclude each other");
  for (char **filter = vp_output.filters; filter != NULL && *filter != NULL; filter++)
    if (strchr (*filter, '=') == NULL || **filter == '=' || !g_utf8_validate (*filter, -1, NULL))
      return _("--filter must be KEY=VALUE");
  return NULL;
}

gboolean
vp_output_is_json (void)
{
  return vp_output.json || g_strcmp0 (vp_output.format, "json") == 0;
}

GVariant *
vp_output_filter (void)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{ss}"));
  for (char **filter = vp_output.filters; filter != NULL && *filter != NULL; filter++)
    {
      const char *equals = strchr (*filter, '=');
      g_autofree char *key = g_strndup (*filter, (gsize) (equals - *filter));

      g_variant_builder_add (&builder, "{ss}", key, equals + 1);
    }
  return g_variant_builder_end (&builder);
}

char *
vp_output_plain (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *plain = g_string_new (NULL);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      GUnicodeType type = g_unichar_type (c);
      gboolean moves = type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT || type == G_UNICODE_LINE_SEPARATOR
                       || type == G_UNICODE_PARAGRAPH_SEPARATOR;

      g_string_append_unichar (plain, moves ? '?' : c);
    }
  return g_string_free (plain, FALSE);
}

char *
vp_output_bytes (guint64 bytes)
{
  static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
  double value = (double) bytes;
  gsize unit = 0;

  while (value >= 1024 && unit + 1 < G_N_ELEMENTS (units))
    {
      value /= 1024;
      unit++;
    }
  if (unit == 0)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " B", bytes);
  return g_strdup_printf (value < 100 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

/* ---- tables ------------------------------------------------------------------ */

struct _VpTable
{
  const VpColumn *columns;
  gsize n_columns;
  GPtrArray *rows; /* GVariant *[n_columns], owned; NULL where not known */
};

VpTable *
vp_table_new (const VpColumn *columns, gsize n_columns)
{
  VpTable *self = g_new0 (VpTable, 1);

  self->columns = columns;
  self->n_columns = n_columns;
  self->rows = g_ptr_array_new ();
  return self;
}

void
vp_table_free (VpTable *self)
{
  if (self == NULL)
    return;
  for (guint r = 0; r < self->rows->len; r++)
    {
      GVariant **row = g_ptr_array_index (self->rows, r);

      for (gsize c = 0; c < self->n_columns; c++)
        g_clear_pointer (&row[c], g_variant_unref);
      g_free (row);
    }
  g_ptr_array_unref (self->rows);
  g_free (self);
}

void
vp_table_add (VpTable *self, ...)
{
  GVariant **row = g_new0 (GVariant *, self->n_columns);
  va_list values;

  va_start (values, self);
  for (gsize i = 0; i < self->n_columns; i++)
    {
      GVariant *value = va_arg (values, GVariant *);

      row[i] = value == NULL ? NULL : g_variant_ref_sink (value);
    }
  va_end (values);
  g_ptr_array_add (self->rows, row);
}

guint
vp_table_get_n_rows (VpTable *self)
{
  return self->rows->len;
}

static char *
time_text (guint64 usec)
{
  char *text = vp_json_time (usec);
  char *fraction = strchr (text, '.');

  if (fraction != NULL)
    memmove (fraction, "Z", 2);
  return text;
}

/* "" where there is nothing to show. */
static char *
cell_text (const VpColumn *column, GVariant *value)
{
  g_autofree char *text = NULL;

  if (value == NULL)
    return g_strdup ("");
  switch (column->kind)
    {
    case VP_COLUMN_TIME:
      return time_text (g_variant_get_uint64 (value));
    case VP_COLUMN_BYTES:
      return g_variant_get_uint64 (value) == G_MAXUINT64 ? g_strdup ("")
                                                         : vp_output_bytes (g_variant_get_uint64 (value));
    case VP_COLUMN_DURATION:
      return g_strdup_printf ("%.2f s", (double) g_variant_get_uint64 (value) / G_USEC_PER_SEC);
    case VP_COLUMN_PERCENT:
      return g_strdup_printf ("%.1f%%", g_variant_get_double (value));
    case VP_COLUMN_NUMBER:
      return g_variant_print (value, FALSE);
    default:
      break;
    }
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    return vp_output_plain (g_variant_get_string (value, NULL));
  text = g_variant_print (value, FALSE);
  return g_strdup (g_str_equal (text, "0") ? "" : text);
}

static gboolean
is_right (const VpColumn *column)
{
  return column->kind != VP_COLUMN_TEXT && column->kind != VP_COLUMN_TIME;
}

static void
append_cell (GString *line, const char *text, gsize width, gboolean right)
{
  gsize length = (gsize) g_utf8_strlen (text, -1);
  int padding = (int) (width > length ? width - length : 0);

  if (line->len > 0)
    g_string_append (line, "  ");
  g_string_append_printf (line, "%*s%s%*s", right ? padding : 0, "", text, right ? 0 : padding, "");
}

static void
print_table (VpTable *self)
{
  g_autofree gsize *widths = g_new0 (gsize, self->n_columns);
  gssize first = vp_output.no_headers ? 0 : -1;

  /* row -1 is the titles; the first pass measures, the second prints */
  for (int pass = 0; pass < 2; pass++)
    for (gssize r = first; r < (gssize) self->rows->len; r++)
      {
        GVariant **row = r < 0 ? NULL : g_ptr_array_index (self->rows, r);
        g_autoptr (GString) line = g_string_new (NULL);

        for (gsize c = 0; c < self->n_columns; c++)
          {
            const VpColumn *column = &self->columns[c];
            g_autofree char *text = NULL;

            if (column->kind == VP_COLUMN_HIDDEN) /* it has no title */
              continue;
            text = r < 0 ? g_strdup (_(column->title)) : cell_text (column, row[c]);
            if (*text == '\0')
              {
                g_free (text);
                text = g_strdup ("-");
              }
            if (pass == 0)
              widths[c] = MAX (widths[c], (gsize) g_utf8_strlen (text, -1));
            else
              append_cell (line, text, widths[c], is_right (column));
          }
        if (pass == 1)
          g_print ("%s\n", g_strchomp (line->str));
      }
}

static GVariant *
row_to_dictionary (VpTable *self, GVariant **row)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (gsize c = 0; c < self->n_columns; c++)
    {
      if (row[c] == NULL)
        continue;
      g_variant_builder_add (&builder, "{sv}", self->columns[c].key,
                             self->columns[c].kind == VP_COLUMN_TIME
                                 ? g_variant_new_take_string (vp_json_time (g_variant_get_uint64 (row[c])))
                                 : row[c]);
    }
  return g_variant_builder_end (&builder);
}

static void
print_json (VpTable *self)
{
  g_auto (GVariantBuilder) array = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  g_autofree char *text = NULL;

  for (guint r = 0; r < self->rows->len; r++)
    g_variant_builder_add_value (&array, row_to_dictionary (self, g_ptr_array_index (self->rows, r)));
  text = vp_json_text (g_variant_builder_end (&array));
  g_print ("%s\n", text);
}

static void
print_first_column (VpTable *self)
{
  for (guint r = 0; r < self->rows->len; r++)
    {
      GVariant **row = g_ptr_array_index (self->rows, r);
      g_autofree char *text = cell_text (&self->columns[0], row[0]);

      g_print ("%s\n", text);
    }
}

void
vp_table_print (VpTable *self)
{
  if (vp_output.quiet)
    print_first_column (self);
  else if (vp_output_is_json ())
    print_json (self);
  else
    print_table (self);
}

void
vp_table_print_lines (VpTable *self)
{
  for (guint r = 0; r < self->rows->len; r++)
    {
      g_autofree char *text = vp_json_line (row_to_dictionary (self, g_ptr_array_index (self->rows, r)));

      g_print ("%s\n", text);
    }
}
