/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stdin from pipes and files, and its closing. */
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "stdio-fixture.h"

static void
test_stdin_partial (StdioFixture *f, gconstpointer data)
{
  const gsize size = 300000;
  g_autofree guint8 *noise = stdio_fixture_make_noise (size);
  gsize sent = 0;
  int fd = stdio_fixture_bind_pipe (f, VP_STDIO_STDIN);

  f->max_write = 4099;
  g_unix_set_fd_nonblocking (fd, TRUE, NULL);
  vp_stdio_start (f->stdio);
  while (sent < size)
    {
      ssize_t n = write (fd, noise + sent, size - sent);

      if (n > 0)
        sent += (gsize)n;
      g_main_context_iteration (NULL, n < 0);
    }
  close (fd);
  while (f->n_closes == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (f->in->len, ==, size);
  g_assert_true (memcmp (f->in->data, noise, size) == 0);
  g_assert_cmpuint (vp_stdio_get_bytes (f->stdio, VP_STDIO_STDIN), ==, size);
}

static void
test_stdin_file (StdioFixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "input", NULL);
  const gsize size = 200000;
  g_autofree guint8 *noise = stdio_fixture_make_noise (size);

  g_assert_true (g_file_set_contents (path, (const char *)noise, (gssize)size, NULL));
  g_assert_true (vp_stdio_bind_fd (f->stdio, VP_STDIO_STDIN, open (path, O_RDONLY | O_CLOEXEC), NULL));
  vp_stdio_start (f->stdio);
  while (f->n_closes == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpmem (f->in->data, f->in->len, noise, size);
  g_unlink (path);
}

static void
test_close_stdin (StdioFixture *f, gconstpointer data)
{
  g_auto (TestResult) closed = { 0 }, again = { 0 };
  int fd = stdio_fixture_bind_pipe (f, VP_STDIO_STDIN);

  g_assert_cmpint (write (fd, "last words", 10), ==, 10);
  vp_stdio_start (f->stdio);
  vp_stdio_close_stdin_async (f->stdio, NULL, test_result_ready, &closed);
  test_run_until (&closed.done);
  g_assert_true (vp_stdio_close_stdin_finish (f->stdio, closed.result, NULL));
  g_assert_cmpmem (f->in->data, f->in->len, "last words", 10);
  g_assert_cmpuint (f->n_closes, ==, 1);
  vp_stdio_close_stdin_async (f->stdio, NULL, test_result_ready, &again);
  test_run_until (&again.done);
  g_assert_true (vp_stdio_close_stdin_finish (f->stdio, again.result, NULL));
  g_assert_cmpuint (f->n_closes, ==, 1);
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* warnings about streams that end early are part of it */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
  STDIO_ADD ("stdin/partial", FALSE, test_stdin_partial);
  STDIO_ADD ("stdin/file", FALSE, test_stdin_file);
  STDIO_ADD ("stdin/close", FALSE, test_close_stdin);
  return g_test_run ();
}
