/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-bucket.h"

#define SECOND G_USEC_PER_SEC

static void
test_burst (void)
{
  VpBucket bucket = VP_BUCKET_INIT (3, 2);
  gint64 now = 1000 * SECOND;

  for (guint i = 0; i < 3; i++)
    g_assert_true (vp_bucket_take (&bucket, now));
  for (guint i = 0; i < 100; i++)
    {
      g_assert_false (vp_bucket_take (&bucket, now));
      /* said once */
      g_assert_cmpint (vp_bucket_begins_to_drop (&bucket), ==, i == 0);
    }
  g_assert_cmpuint (vp_bucket_get_dropped (&bucket), ==, 100);
}

static void
test_rate (void)
{
  VpBucket bucket = VP_BUCKET_INIT (3, 2);
  guint n = 0;

  /* asked 100 times a second for 10 s: the burst and 2 a second */
  for (gint64 now = SECOND; now <= 11 * SECOND; now += SECOND / 100)
    n += vp_bucket_take (&bucket, now) ? 1 : 0;
  g_assert_cmpuint (n, >=, 22);
  g_assert_cmpuint (n, <=, 23);
  /* quiet for long: no more than the burst */
  n = 0;
  while (vp_bucket_take (&bucket, 1000 * SECOND))
    n++;
  g_assert_cmpuint (n, ==, 3);
  g_assert_true (vp_bucket_begins_to_drop (&bucket));
  g_assert_true (vp_bucket_take (&bucket, 1001 * SECOND));
  /* it may be said again when it runs empty again */
  while (vp_bucket_take (&bucket, 1001 * SECOND))
    ;
  g_assert_true (vp_bucket_begins_to_drop (&bucket));
}

static void
test_clock (void)
{
  VpBucket bucket = VP_BUCKET_INIT (1, 1);

  g_assert_true (vp_bucket_take (&bucket, 10 * SECOND));
  /* a clock that stands or goes back gives nothing */
  g_assert_false (vp_bucket_take (&bucket, 10 * SECOND));
  g_assert_false (vp_bucket_take (&bucket, 5 * SECOND));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bucket/burst", test_burst);
  g_test_add_func ("/bucket/rate", test_rate);
  g_test_add_func ("/bucket/clock", test_clock);
  return g_test_run ();
}
