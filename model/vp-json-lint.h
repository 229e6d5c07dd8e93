/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Private to vp-json: checks a text against RFC 8259 and our bounds before
 * json-glib sees it, whose recursive parser overflows the stack on deep input,
 * wraps large integers, cuts strings at \u0000 and keeps the last of two
 * members with one name.
 *
 * @ret_unsigned gets the ordinals (counting number tokens from 0 in document
 * order) of the integers above G_MAXINT64, which json-glib delivers as negative. */
gboolean vp_json_lint (const char *text, gsize len, const char *file, GArray *ret_unsigned, GError **error);

/* Appends ".name", "[\"odd name\"]" or "[3]" (@name NULL) to a JSON path. */
void vp_json_path_append (GString *path, const char *name, guint index);
