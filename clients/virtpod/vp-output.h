/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* How a command that lists something is told to print it, the same for all of
 * them. There is one command in a process, so there is one of these; the rows
 * below put it into the options of whoever has them. */
typedef struct
{
  char *format;
  gboolean json;
  gboolean quiet;
  gboolean no_headers;
  char **filters;
} VpOutput;

extern VpOutput vp_output;

#define VP_OUTPUT_OPTIONS                                                                                            \
  { "format", 'f', 0, G_OPTION_ARG_STRING, &vp_output.format, N_("How to print: table or json"), N_("FORMAT") },     \
      { "json", 0, 0, G_OPTION_ARG_NONE, &vp_output.json, N_("The same as --format json"), NULL },                   \
      { "no-headers", 0, 0, G_OPTION_ARG_NONE, &vp_output.no_headers, N_("Print a table without its first line"), NULL }
#define VP_OUTPUT_OPTION_QUIET                                                                                       \
  { "quiet", 'q', 0, G_OPTION_ARG_NONE, &vp_output.quiet, N_("Print only the ids"), NULL }
#define VP_OUTPUT_OPTION_FILTER                                                                                      \
  { "filter", 0, 0, G_OPTION_ARG_STRING_ARRAY, &vp_output.filters,                                                   \
    N_("KEY=VALUE: show only what has it; may be repeated, then all must match"), N_("FILTER") }

/* What is wrong with the options, to print with vp_command_usage (), or NULL. */
const char *vp_output_check (void);

/* After the check: --format json or --json. */
gboolean vp_output_is_json (void);

/* The filters as a{ss}, floating. */
GVariant *vp_output_filter (void);

/* ---- tables ------------------------------------------------------------------ */

typedef enum
{
  VP_COLUMN_TEXT,     /* s, or a number shown as it is, 0 as "-" */
  VP_COLUMN_NUMBER,   /* a number, to the right; 0 as well */
  VP_COLUMN_TIME,     /* t, microseconds since 1970 */
  VP_COLUMN_BYTES,    /* t, "12.3 MiB" to the right; the largest t is "-" (no limit) */
  VP_COLUMN_DURATION, /* t, microseconds, "1.5 s" to the right */
  VP_COLUMN_PERCENT,  /* d, to the right */
  VP_COLUMN_HIDDEN,   /* of JSON only */
} VpColumnKind;

typedef struct
{
  const char *title; /* of the table, marked with N_() */
  const char *key;   /* in JSON */
  VpColumnKind kind;
} VpColumn;

/* Rows of values: printed as an aligned table, as a JSON array of objects, or as
 * the values of the first column. The table has no control characters, whatever
 * the values have; JSON has the values as they are, times as ISO 8601 text. */
typedef struct _VpTable VpTable;

/* @columns is borrowed and must stay. */
VpTable *vp_table_new (const VpColumn *columns, gsize n_columns);
void vp_table_free (VpTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpTable, vp_table_free)

/* As many values as there are columns, floating ones are taken; NULL: not
 * known, "-" in a table and no member in JSON. */
void vp_table_add (VpTable *self, ...);

guint vp_table_get_n_rows (VpTable *self);

/* On standard output, as vp_output says. */
void vp_table_print (VpTable *self);

/* One object on one line for each row, for streams of JSON. */
void vp_table_print_lines (VpTable *self);

/* @text without what moves the cursor or breaks the line; to free. */
char *vp_output_plain (const char *text);

/* "12.3 MiB"; to free. */
char *vp_output_bytes (guint64 bytes);
