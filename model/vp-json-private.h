/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-json.h"

/* Shared by the files of vp-json. */

typedef struct _VpJsonDocument
{
  gatomicrefcount ref_count;
  char *file;
  char *strings; /* all names and strings, decoded, each with its NUL */
  VpJson *top;
} VpJsonDocument;

struct _VpJson
{
  VpJsonDocument *document;
  VpJson *parent;
  const char *name; /* in document->strings; NULL: of an array, or the top */
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
    const char *string; /* in document->strings */
  } u;
};

/* Checks @text against RFC 8259 and our bounds, and fills document->strings and
 * document->top, on errors partly. document->file is set. */
gboolean vp_json_read (VpJsonDocument *document, const char *text, gsize len, GError **error);

/* Frees what is below @node. */
void vp_json_clear_items (VpJson *node);

/* Appends ".name", "[\"odd name\"]" or "[3]" (@name NULL) to a JSON path. */
void vp_json_path_append (GString *path, const char *name, guint index);
