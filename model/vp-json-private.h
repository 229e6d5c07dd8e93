/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-json.h"

/* Shared by the vp-json*.c rooms only. */

typedef struct _VpJsonDocument VpJsonDocument;

struct _VpJson
{
  VpJsonDocument *document;
  VpJson *parent;
  const char *name; /* in the document's strings; NULL in an array and at the top */
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
    const char *string; /* in the document's strings */
  } u;
};

struct _VpJsonDocument
{
  gatomicrefcount ref_count;
  char *file;
  char *strings; /* every name and string, decoded, one after the other */
  VpJson top;
};

/* Reads @text into @document, whose file is set: strings, and the nodes below
 * top without their parents. One pass that checks RFC 8259 and our bounds on its
 * way; depth is bounded, so it may recurse. On failure what was read can be freed. */
gboolean vp_json_read (VpJsonDocument *document, const char *text, gsize len, GError **error);

/* Frees the nodes below @node. */
void vp_json_clear_items (VpJson *node);

/* Appends ".name", "[\"odd name\"]" or "[3]" (@name NULL) to a JSON path. */
void vp_json_path_append (GString *path, const char *name, guint index);
