/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The newest bytes of a stream: grows up to a maximum, then the oldest go. */
typedef struct
{
  guint8 *data;
  gsize max;
  gsize size; /* allocated */
  gsize head; /* index of the oldest byte */
  gsize len;
} VpStdioRing;

void vp_stdio_ring_init (VpStdioRing *self, gsize max);
void vp_stdio_ring_clear (VpStdioRing *self);

/* Returns how many bytes, old or new, were lost for it. */
gsize vp_stdio_ring_push (VpStdioRing *self, const guint8 *data, gsize len);

/* All of it, oldest first, and empties it; NULL when there is nothing. */
GBytes *vp_stdio_ring_take (VpStdioRing *self);
