/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* As much of JSON as small programs need, which read a few values of a document.
 * Nothing is copied: a value is a piece of its document's text. */

typedef struct
{
  const char *text; /* NULL: there is none */
  size_t len;
} VpJsonPiece;

/* 0 and the document's value, or -EINVAL when @text is not one JSON value, with
 * at most 64 levels. */
int vp_json_scan_parse (const char *text, size_t len, VpJsonPiece *ret);
/* The member of an object whose name is written exactly so; none when there is
 * none, or when @json is no object. Of a parsed document only. */
VpJsonPiece vp_json_scan_member (VpJsonPiece json, const char *name);
/* Elements of an array one after the other: starts with *at = 0; none after the last. */
VpJsonPiece vp_json_scan_next (VpJsonPiece array, size_t *at);
/* 1 if it is the string @string (of characters that need no escape) */
int vp_json_scan_is_string (VpJsonPiece json, const char *string);
/* 1 and *ret if it is an integer of 64 bits */
int vp_json_scan_get_int (VpJsonPiece json, int64_t *ret);
/* Members of an object one after the other, as vp_json_scan_next(); the name has its
 * quotes. 0 after the last, or when @object is none. */
int vp_json_scan_next_member (VpJsonPiece object, size_t *at, VpJsonPiece *ret_name, VpJsonPiece *ret_value);
/* 1 and the string in @out if it is one, of characters that need no escape, with less than @size bytes */
int vp_json_scan_get_string (VpJsonPiece json, char *out, size_t size);
