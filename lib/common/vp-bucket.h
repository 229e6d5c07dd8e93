/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* How often something may happen: a token bucket. It begins full, each time takes
 * a token, tokens come back at a steady rate up to the size of the bucket. What
 * finds it empty is counted. The clock is the caller's: pure, any thread. */
typedef struct
{
  double tokens;
  double burst;
  double per_second;
  gint64 updated; /* monotonic microseconds; 0: never used */
  guint64 dropped;
  guint64 told; /* of these */
} VpBucket;

#define VP_BUCKET_INIT(burst_, per_second_) { (burst_), (burst_), (per_second_), 0, 0, 0 }

/* TRUE: it may happen. FALSE: not, and it is counted. @now: g_get_monotonic_time (). */
gboolean vp_bucket_take (VpBucket *self, gint64 now);

/* TRUE once for each time the bucket runs empty: what is dropped from now on
 * should be said to be. Ask after a take that failed. */
gboolean vp_bucket_begins_to_drop (VpBucket *self);

/* All that were dropped ever. */
guint64 vp_bucket_get_dropped (const VpBucket *self);
