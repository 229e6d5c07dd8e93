/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Bytes that a guest wrote, made fit for somebody's terminal: text, newlines and
 * tabs stay, escape sequences and carriage returns go, all else that a terminal
 * might act on becomes "?". Works on a stream in pieces of any size. */
typedef struct
{
  int state;
  guint32 character; /* being put together */
  guint missing;     /* bytes of it that have not come yet */
  guint length;
} VpPlain;

/* Starts from { 0 }. Appends to @out what of @data is fit. */
void vp_plain_feed (VpPlain *self, const guint8 *data, gsize len, GString *out);
