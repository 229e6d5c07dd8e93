/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-stdio-ring.h"

#include <string.h>

#define FIRST_SIZE 4096

void
vp_stdio_ring_init (VpStdioRing *self, gsize max)
{
  memset (self, 0, sizeof *self);
  self->max = max;
}

void
vp_stdio_ring_clear (VpStdioRing *self)
{
  g_free (self->data);
  vp_stdio_ring_init (self, self->max);
}

static void
copy_out (const VpStdioRing *self, guint8 *out)
{
  gsize first = MIN (self->len, self->size - self->head);

  if (first > 0)
    memcpy (out, self->data + self->head, first);
  if (self->len > first)
    memcpy (out + first, self->data, self->len - first);
}

static void
grow (VpStdioRing *self, gsize want)
{
  gsize size = MAX (self->size, FIRST_SIZE);
  guint8 *data;

  while (size < want)
    size *= 2;
  size = MIN (size, self->max);
  if (size <= self->size)
    return;
  data = g_malloc (size);
  copy_out (self, data);
  g_free (self->data);
  self->data = data;
  self->size = size;
  self->head = 0;
}

gsize
vp_stdio_ring_push (VpStdioRing *self, const guint8 *data, gsize len)
{
  gsize lost = 0, tail, first;

  if (len > self->max)
    {
      lost = len - self->max;
      data += lost;
      len = self->max;
    }
  if (len == 0)
    return lost;
  grow (self, self->len + len);
  if (self->len + len > self->size)
    {
      gsize over = self->len + len - self->size;

      self->head = (self->head + over) % self->size;
      self->len -= over;
      lost += over;
    }
  tail = (self->head + self->len) % self->size;
  first = MIN (len, self->size - tail);
  memcpy (self->data + tail, data, first);
  if (len > first)
    memcpy (self->data, data + first, len - first);
  self->len += len;
  return lost;
}

GBytes *
vp_stdio_ring_take (VpStdioRing *self)
{
  guint8 *out;
  gsize len = self->len;

  if (len == 0)
    return NULL;
  out = g_malloc (len);
  copy_out (self, out);
  vp_stdio_ring_clear (self);
  return g_bytes_new_take (out, len);
}
