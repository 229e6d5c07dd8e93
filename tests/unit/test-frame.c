/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "vp-frame.h"

static void
test_header (void)
{
  const VpFrameHeader h = { .length = 0x010203, .stream = 7, .type = VP_FRAME_REQUEST, .flags = 2 };
  const guint8 wire[VP_FRAME_HEADER] = { 0, 1, 2, 3, 0, 0, 0, 7, 1, 2 };
  guint8 out[VP_FRAME_HEADER];
  VpFrameHeader back;

  vp_frame_encode (&h, out);
  g_assert_cmpmem (out, sizeof out, wire, sizeof wire);
  g_assert_cmpint (vp_frame_decode (wire, &back), ==, 0);
  g_assert_cmpuint (back.length, ==, 0x010203);
  g_assert_cmpuint (back.stream, ==, 7);
  g_assert_cmpuint (back.flags, ==, 2);
}

static void
test_header_errors (void)
{
  guint8 wire[VP_FRAME_HEADER] = { 0, 0x40, 0, 0, 0, 0, 0, 1, 1, 0 };
  VpFrameHeader h;

  g_assert_cmpint (vp_frame_decode (wire, &h), ==, 0); /* exactly the limit */
  wire[3] = 1;
  g_assert_cmpint (vp_frame_decode (wire, &h), ==, -EMSGSIZE);
  wire[0] = 0xff;
  g_assert_cmpint (vp_frame_decode (wire, &h), ==, -EMSGSIZE);
  memset (wire, 0, sizeof wire);
  g_assert_cmpint (vp_frame_decode (wire, &h), ==, -EPROTO);
  wire[8] = 4;
  g_assert_cmpint (vp_frame_decode (wire, &h), ==, -EPROTO);
}

/* three frames, the middle one empty, in pieces of every size */
static void
test_reassembly (void)
{
  g_autoptr (GByteArray) stream = g_byte_array_new ();
  const gsize lengths[] = { 9000, 0, 3 };

  for (guint i = 0; i < 3; i++)
    {
      VpFrameHeader h = { .length = (guint32) lengths[i], .stream = i * 2 + 1, .type = VP_FRAME_RESPONSE };
      guint8 head[VP_FRAME_HEADER];
      g_autofree guint8 *payload = g_malloc (lengths[i] + 1);

      memset (payload, 'a' + (int) i, lengths[i]);
      vp_frame_encode (&h, head);
      g_byte_array_append (stream, head, sizeof head);
      g_byte_array_append (stream, payload, (guint) lengths[i]);
    }
  for (gsize piece = 1; piece < 40; piece++)
    {
      VpFrameReader r;
      guint n_frames = 0;
      gsize at = 0;

      vp_frame_reader_init (&r);
      while (at < stream->len)
        {
          gsize end = MIN (at + piece, stream->len);

          while (at < end)
            {
              gsize used;
              int rc = vp_frame_reader_feed (&r, stream->data + at, end - at, &used);

              g_assert_cmpint (rc, >=, 0);
              at += used;
              if (rc == 0)
                continue;
              g_assert_cmpuint (r.header.stream, ==, n_frames * 2 + 1);
              g_assert_cmpuint (r.header.length, ==, lengths[n_frames]);
              for (gsize k = 0; k < lengths[n_frames]; k++)
                g_assert_cmpint (r.payload[k], ==, 'a' + (int) n_frames);
              g_assert_true (vp_frame_reader_at_boundary (&r));
              n_frames++;
            }
        }
      g_assert_cmpuint (n_frames, ==, 3);
      vp_frame_reader_clear (&r);
    }
}

/* an announced length alone does not cost memory */
static void
test_memory (void)
{
  const guint8 head[VP_FRAME_HEADER] = { 0, 0x40, 0, 0, 0, 0, 0, 1, 1, 0 };
  VpFrameReader r;
  gsize used;

  vp_frame_reader_init (&r);
  g_assert_cmpint (vp_frame_reader_feed (&r, head, sizeof head, &used), ==, 0);
  g_assert_cmpuint (r.allocated, ==, 0);
  g_assert_cmpint (vp_frame_reader_feed (&r, head, 1, &used), ==, 0);
  g_assert_cmpuint (r.allocated, <=, 4096);
  g_assert_false (vp_frame_reader_at_boundary (&r));
  vp_frame_reader_reset (&r);
  g_assert_true (vp_frame_reader_at_boundary (&r));
  vp_frame_reader_clear (&r);
}

static int
admit_odd (const VpFrameHeader *h, void *data)
{
  guint *n_asked = data;

  (*n_asked)++;
  return h->stream == 4 ? -EPERM : (int) (h->stream % 2);
}

/* a frame that is not wanted is passed over without memory, whatever its pieces */
static void
test_admit (void)
{
  static const VpFrameHeader headers[] = {
    { 20, 1, VP_FRAME_RESPONSE, 0 }, { 20, 2, VP_FRAME_RESPONSE, 0 }, { 0, 2, VP_FRAME_RESPONSE, 0 },
    { 20, 3, VP_FRAME_RESPONSE, 0 }, { 20, 4, VP_FRAME_RESPONSE, 0 },
  };

  for (gsize piece = 1; piece < 50; piece++)
    {
      g_autoptr (GByteArray) stream = g_byte_array_new ();
      guint n_asked = 0, n_frames = 0;
      VpFrameReader r;
      int rc = 0;

      for (gsize i = 0; i < G_N_ELEMENTS (headers); i++)
        {
          guint8 head[VP_FRAME_HEADER];

          vp_frame_encode (&headers[i], head);
          g_byte_array_append (stream, head, sizeof head);
          g_byte_array_append (stream, (const guint8 *) "01234567890123456789", headers[i].length);
        }
      vp_frame_reader_init (&r);
      r.admit = admit_odd;
      r.admit_data = &n_asked;
      for (gsize at = 0; at < stream->len && rc >= 0;)
        {
          gsize used;

          rc = vp_frame_reader_feed (&r, stream->data + at, MIN (piece, stream->len - at), &used);
          at += used;
          if (rc <= 0)
            continue;
          g_assert_cmpuint (r.header.stream % 2, ==, 1);
          g_assert_cmpuint (r.header.length, ==, 20);
          g_assert_cmpint (memcmp (r.payload, "01234567890123456789", 20), ==, 0);
          n_frames++;
        }
      g_assert_cmpint (rc, ==, -EPERM);
      g_assert_cmpuint (n_asked, ==, 5);
      g_assert_cmpuint (n_frames, ==, 2);
      vp_frame_reader_clear (&r);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/header", test_header);
  g_test_add_func ("/frame/header-errors", test_header_errors);
  g_test_add_func ("/frame/reassembly", test_reassembly);
  g_test_add_func ("/frame/memory", test_memory);
  g_test_add_func ("/frame/admit", test_admit);
  return g_test_run ();
}
