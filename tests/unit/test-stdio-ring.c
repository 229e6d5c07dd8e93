/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-stdio-ring.h"

static void
test_ring (void)
{
  const gsize max = 10000;
  g_autofree guint8 *noise = g_malloc (200000);
  g_autoptr (GBytes) empty = NULL;
  VpStdioRing ring;
  gsize written = 0, lost = 0;

  for (gsize i = 0; i < 200000; i++)
    noise[i] = (guint8)(i * 2654435761u >> 16);
  vp_stdio_ring_init (&ring, max);
  empty = vp_stdio_ring_take (&ring);
  g_assert_null (empty);
  for (gsize n = 1; written + n <= 200000; n = (n * 7 + 3) % 12000)
    {
      lost += vp_stdio_ring_push (&ring, noise + written, n);
      written += n;
      g_assert_cmpuint (ring.len + lost, ==, written);
      if (n % 5 == 0)
        {
          g_autoptr (GBytes) all = vp_stdio_ring_take (&ring);
          gsize len = g_bytes_get_size (all);

          g_assert_cmpuint (len, <=, max);
          g_assert_cmpmem (g_bytes_get_data (all, NULL), len, noise + written - len, len);
          lost += len;
        }
    }
  vp_stdio_ring_clear (&ring);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stdio/ring", test_ring);
  return g_test_run ();
}
