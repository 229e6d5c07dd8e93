/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <string.h>

#include "vp-sync.h"

static void
test_request (void)
{
  const guint8 token[VP_SYNC_TOKEN] = "0123456789abcdef";
  guint8 out[VP_SYNC_SIZE];

  vp_sync_make_request (token, out);
  g_assert_cmpmem (out, 8, "\xffVPSYNC\x01", 8);
  g_assert_cmpmem (out + 8, VP_SYNC_TOKEN, token, VP_SYNC_TOKEN);
  g_assert_cmpint (vp_sync_is_request (out, sizeof out), ==, 1);
  for (gsize n = 0; n < sizeof out; n++)
    g_assert_cmpint (vp_sync_is_request (out, n), ==, 0);
  vp_sync_make_ack (token, out);
  g_assert_cmpint (vp_sync_is_request (out, sizeof out), ==, -1);
  g_assert_cmpint (vp_sync_is_request ((const guint8 *) "\0", 1), ==, -1);
}

/* where the ack ends in @before + ack + "after", fed in pieces; 0 if it is not found */
static gsize
find (const guint8 *token, const guint8 *before, gsize n_before, gsize piece)
{
  g_autoptr (GByteArray) stream = g_byte_array_new ();
  guint8 ack[VP_SYNC_SIZE];
  VpSyncMatcher m;

  vp_sync_make_ack (token, ack);
  g_byte_array_append (stream, before, (guint) n_before);
  g_byte_array_append (stream, ack, sizeof ack);
  g_byte_array_append (stream, (const guint8 *) "after", 5);
  vp_sync_matcher_init (&m, token);
  for (gsize at = 0; at < stream->len; at += piece)
    {
      gsize used;

      if (vp_sync_find_ack (&m, stream->data + at, MIN (piece, stream->len - at), &used))
        return at + used;
      g_assert_cmpuint (used, ==, MIN (piece, stream->len - at));
    }
  return 0;
}

static void
test_find (void)
{
  /* tokens that look like the beginning of an ack, after beginnings of it */
  const guint8 tokens[][VP_SYNC_TOKEN + 1]
      = { "0123456789abcdef", "\xffVPSYAK\x01\xffVPSYAK\x01",
          "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" };
  g_autoptr (GByteArray) before = g_byte_array_new ();

  for (guint t = 0; t < G_N_ELEMENTS (tokens); t++)
    for (gsize cut = 0; cut < VP_SYNC_SIZE; cut++)
      {
        guint8 ack[VP_SYNC_SIZE];

        vp_sync_make_ack (tokens[t], ack);
        g_byte_array_set_size (before, 0);
        g_byte_array_append (before, (const guint8 *) "junk\xff", 5);
        g_byte_array_append (before, ack, (guint) cut);
        for (gsize piece = 1; piece < 30; piece += 7)
          {
            gsize end = find (tokens[t], before->data, before->len, piece);

            g_assert_cmpuint (end, >, 0);
            /* the repetitive tokens can be found earlier, in the overlap, never later */
            g_assert_cmpuint (end, <=, before->len + VP_SYNC_SIZE);
            if (t == 0)
              g_assert_cmpuint (end, ==, before->len + VP_SYNC_SIZE);
          }
      }
}

static void
test_other_token (void)
{
  const guint8 mine[VP_SYNC_TOKEN] = "0123456789abcdef", other[VP_SYNC_TOKEN] = "0123456789abcdeF";
  guint8 ack[VP_SYNC_SIZE];
  VpSyncMatcher m;
  gsize used;

  vp_sync_make_ack (other, ack);
  vp_sync_matcher_init (&m, mine);
  g_assert_cmpint (vp_sync_find_ack (&m, ack, sizeof ack, &used), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sync/request", test_request);
  g_test_add_func ("/sync/find", test_find);
  g_test_add_func ("/sync/other-token", test_other_token);
  return g_test_run ();
}
