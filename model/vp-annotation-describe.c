/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of annotations as one for people: docs/annotations.md. */
#include "vp-annotation-table.h"

#include <string.h>

#define NONE VP_N_CONFIG_KEYS

/* ---- what it may be ---------------------------------------------------------- */

/* Words that are taken, and those that are known and refused. */
static void
append_words (GString *text, const VpAnnotationRow *row)
{
  g_auto (GStrv) words = g_strsplit (row->words, "|", -1);
  g_autoptr (GString) refused = g_string_new (NULL);
  const char *separator = ": ";

  for (char **word = words; *word != NULL; word++)
    {
      gsize n = strcspn (*word, "=");

      if (g_str_has_suffix (*word, "=!"))
        {
          g_string_append_printf (refused, "%s`%.*s`", refused->len > 0 ? ", " : "", (int)n, *word);
          continue;
        }
      g_string_append_printf (text, "%s`%.*s`", separator, (int)n, *word);
      separator = ", ";
    }
  if (refused->len > 0)
    g_string_append_printf (text, "; refused: %s", refused->str);
}

static void
append_value (GString *text, const VpAnnotationRow *row)
{
  guint64 min, max;

  g_string_append (text, vp_annotation_type_to_string (row->type));
  if (row->unit != NULL)
    g_string_append_printf (text, " of %s", g_str_equal (row->unit, "s") ? "seconds" : row->unit);
  if (row->type == VP_ANNOTATION_TYPE_CHOICE)
    append_words (text, row);
  if (vp_annotation_row_range (row, &min, &max) && max != G_MAXUINT64)
    g_string_append_printf (text, " from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, min, max);
  if ((row->flags & VP_ANNOTATION_HOST_CPUS) != 0)
    g_string_append (text, ", at most the host's CPUs");
  if ((row->flags & VP_ANNOTATION_MACHINE_CPUS) != 0)
    g_string_append (text, " and a domain's");
  if (row->globs != NONE)
    g_string_append_printf (text, " among `%s`", vp_config_key_name (row->globs));
}

/* ---- who may, and what becomes of it ----------------------------------------- */

static gboolean
is_default (VpConfig *defaults, const VpAnnotationRow *row, VpConfigKey gate)
{
  const char *const *patterns = vp_config_get_list (defaults, gate);

  /* the defaults are plain names */
  return g_strv_contains (patterns, vp_annotation_row_short_name (row));
}

static void
append_gate (GString *text, VpConfig *defaults, const VpAnnotationRow *row)
{
  VpConfigKey gate = vp_annotation_row_gate (row);

  if (gate == NONE)
    g_string_append (text, "-");
  else
    g_string_append (text, is_default (defaults, row, gate) ? "allowed" : "not allowed");
}

static const char *
get_fate (const VpAnnotationRow *row)
{
  if (row->action == VP_ANNOTATION_REFUSE || (row->key != NONE && vp_config_key_unused (row->key) != NULL))
    return "refused";
  return row->action == VP_ANNOTATION_PASS ? "passed on" : "honoured";
}

/* Values of a refused row that are no wish. */
static void
append_neutral (GString *text, const VpAnnotationRow *row)
{
  g_auto (GStrv) words = g_strsplit (row->neutral, "|", -1);
  const char *separator = "; not for ";

  for (char **word = words; *word != NULL; word++)
    {
      if ((*word)[0] == '\0')
        continue;
      g_string_append_printf (text, "%s`%s`", separator, *word);
      separator = ", ";
    }
}

static void
append_remark (GString *text, const VpAnnotationRow *row)
{
  const char *unused = row->key != NONE ? vp_config_key_unused (row->key) : NULL;

  if (unused != NULL)
    g_string_append (text, unused);
  else if (row->action == VP_ANNOTATION_DIGEST)
    g_string_append (text, "what the file must hash to");
  else if (row->action == VP_ANNOTATION_MERGE)
    g_string_append (text, "added; one of the same name is replaced");
  else if (row->action == VP_ANNOTATION_SET_NOT)
    g_string_append (text, "the opposite of the key");
  else if (row->action == VP_ANNOTATION_PASS)
    g_string_append (text, "what a runtime says to itself");
  else if (row->reason != NULL)
    g_string_append (text, row->reason);
  else if (row->type == VP_ANNOTATION_TYPE_BOOL && row->words != NULL)
    g_string_append_printf (text, "true: `%.*s`, false: `%s`", (int)strcspn (row->words, "|"), row->words,
                            strchr (row->words, '|') + 1);
  if ((row->flags & VP_ANNOTATION_ZERO_KEEPS) != 0)
    g_string_append (text, "0 asks for nothing");
  if (row->action == VP_ANNOTATION_REFUSE && row->neutral != NULL)
    append_neutral (text, row);
}

char *
vp_annotation_describe (void)
{
  g_autoptr (VpConfig) defaults = vp_config_new_default ();
  GString *text = g_string_new ("| annotation | value | key | by default | fate | remark |\n"
                                "|---|---|---|---|---|---|\n");

  for (guint i = 0; i < vp_annotation_n_rows; i++)
    {
      const VpAnnotationRow *row = &vp_annotation_table[i];

      g_string_append_printf (text, "| `%s`%s | ", row->name,
                              row->scope == VP_ANNOTATION_MOUNT ? " (option of a mount)" : "");
      append_value (text, row);
      if (row->key != NONE)
        g_string_append_printf (text, " | `%s` | ", vp_config_key_name (row->key));
      else
        g_string_append (text, row->type == VP_ANNOTATION_TYPE_ARGUMENTS ? " | `share.*` | " : " | - | ");
      append_gate (text, defaults, row);
      g_string_append_printf (text, " | %s | ", get_fate (row));
      append_remark (text, row);
      g_string_append (text, " |\n");
    }
  return g_string_free (text, FALSE);
}
