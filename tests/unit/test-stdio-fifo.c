/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ends that are FIFOs: the other side comes late, or leaves and comes back. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stdio-fixture.h"

static char *
make_fifo (StdioFixture *f)
{
  char *path = g_build_filename (f->dir, "fifo", NULL);

  g_assert_no_errno (mkfifo (path, 0600));
  return path;
}

static void
test_fifo_late_reader (StdioFixture *f, gconstpointer data)
{
  g_autofree char *path = make_fifo (f);
  g_autoptr (GByteArray) got = NULL;
  int fd;

  g_assert_true (vp_stdio_bind_path (f->stdio, VP_STDIO_STDOUT, path, NULL));
  stdio_fixture_give (f, &f->out[0], "kept in the fifo", 16, TRUE);
  f->out[1].eof = TRUE;
  vp_stdio_start (f->stdio);
  stdio_fixture_expect_drained (f);
  test_run_for (100);
  fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  g_assert_no_errno (fd);
  got = stdio_fixture_collect (fd, G_MAXSIZE);
  g_assert_cmpmem (got->data, got->len, "kept in the fifo", 16);
  close (fd);
  g_unlink (path);
}

static void
test_fifo_reader_comes_back (StdioFixture *f, gconstpointer data)
{
  g_autofree char *path = make_fifo (f);
  const gsize size = 1u << 20;
  g_autofree guint8 *noise = stdio_fixture_make_noise (size);
  g_autoptr (GByteArray) first = NULL;
  g_autoptr (GByteArray) rest = NULL;
  int fd;

  fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  g_assert_true (vp_stdio_bind_path (f->stdio, VP_STDIO_STDOUT, path, NULL));
  stdio_fixture_give (f, &f->out[0], noise, size, TRUE);
  f->out[1].eof = TRUE;
  vp_stdio_start (f->stdio);
  first = stdio_fixture_collect (fd, 100000);
  close (fd);
  test_run_for (50);
  fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  rest = stdio_fixture_collect (fd, G_MAXSIZE);
  g_assert_cmpuint (first->len + rest->len, ==, size);
  g_assert_true (memcmp (rest->data, noise + first->len, rest->len) == 0);
  close (fd);
  g_unlink (path);
}

static void
test_fifo_stdin (StdioFixture *f, gconstpointer data)
{
  g_autofree char *path = make_fifo (f);
  int fd;

  g_assert_true (vp_stdio_bind_path (f->stdio, VP_STDIO_STDIN, path, NULL));
  vp_stdio_start (f->stdio);
  test_run_for (50);
  g_assert_cmpuint (f->n_closes, ==, 0);
  fd = open (path, O_WRONLY | O_CLOEXEC);
  g_assert_no_errno (fd);
  g_assert_cmpint (write (fd, "hello", 5), ==, 5);
  close (fd);
  while (f->n_closes == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpmem (f->in->data, f->in->len, "hello", 5);
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* warnings about streams that end early are part of it */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
  STDIO_ADD ("fifo/late-reader", FALSE, test_fifo_late_reader);
  STDIO_ADD ("fifo/reader-comes-back", FALSE, test_fifo_reader_comes_back);
  STDIO_ADD ("fifo/stdin", FALSE, test_fifo_stdin);
  return g_test_run ();
}
