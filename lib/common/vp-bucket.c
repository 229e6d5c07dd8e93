/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-bucket.h"

gboolean
vp_bucket_take (VpBucket *self, gint64 now)
{
  if (self->updated != 0 && now > self->updated)
    self->tokens = MIN (self->burst, self->tokens + (double) (now - self->updated) / G_USEC_PER_SEC * self->per_second);
  self->updated = now;
  if (self->tokens < 1)
    {
      self->dropped++;
      return FALSE;
    }
  self->tokens -= 1;
  self->told = 0;
  return TRUE;
}

gboolean
vp_bucket_begins_to_drop (VpBucket *self)
{
  return self->told++ == 0;
}

guint64
vp_bucket_get_dropped (const VpBucket *self)
{
  return self->dropped;
}
