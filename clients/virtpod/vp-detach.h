/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A sequence of keys that ends an attachment instead of reaching the container. */
typedef struct _VpDetach VpDetach;

#define VP_DETACH_DEFAULT "ctrl-p,ctrl-q"

/* @text: keys separated by commas, each a character or "ctrl-" and one of
 * a-z @ [ \ ] ^ _; NULL when it is none. "" is allowed: nothing ends it. */
VpDetach *vp_detach_new (const char *text);
void vp_detach_free (VpDetach *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpDetach, vp_detach_free)

/* Appends to @out what of @data is for the container. A beginning of the
 * sequence is held back until it is clear what it becomes. TRUE when the sequence
 * was complete; the rest of @data is dropped then. */
gboolean vp_detach_feed (VpDetach *self, const guint8 *data, gsize len, GByteArray *out);
