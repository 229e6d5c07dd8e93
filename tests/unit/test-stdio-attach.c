/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ends that are made by attaching, and terminals. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stdio-fixture.h"
#include "vp-error.h"

static void
attach (StdioFixture *f, guint which, int fds[VP_STDIO_N_STREAMS])
{
  g_autoptr (GError) error = NULL;

  g_assert_true (vp_stdio_attach (f->stdio, which, fds, &error));
  g_assert_no_error (error);
}

static void
close_all (int fds[VP_STDIO_N_STREAMS])
{
  for (guint i = 0; i < VP_STDIO_N_STREAMS; i++)
    if (fds[i] >= 0)
      close (fds[i]);
}

static void
test_attach (StdioFixture *f, gconstpointer data)
{
  const gsize size = 1u << 20;
  g_autofree guint8 *noise = stdio_fixture_make_noise (size);
  g_autoptr (GByteArray) kept = NULL;
  g_autoptr (GByteArray) live = NULL;
  g_autoptr (GByteArray) later = NULL;
  g_autoptr (GError) error = NULL;
  int fds[VP_STDIO_N_STREAMS], more[VP_STDIO_N_STREAMS];

  stdio_fixture_give (f, &f->out[0], noise, size, FALSE);
  vp_stdio_start (f->stdio);
  while (f->out[0].waiting->len == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (vp_stdio_get_dropped (f->stdio, VP_STDIO_STDOUT), ==, size - VP_STDIO_BUFFER);

  attach (f, 0, fds);
  g_assert_cmpint (fds[VP_STDIO_STDIN], >=, 0);
  g_assert_false (vp_stdio_attach (f->stdio, 0, more, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_BUSY);
  kept = stdio_fixture_collect (fds[VP_STDIO_STDOUT], VP_STDIO_BUFFER);
  g_assert_cmpmem (kept->data, kept->len, noise + size - VP_STDIO_BUFFER, VP_STDIO_BUFFER);
  stdio_fixture_give (f, &f->out[0], "live", 4, FALSE);
  live = stdio_fixture_collect (fds[VP_STDIO_STDOUT], 4);
  g_assert_cmpmem (live->data, live->len, "live", 4);
  g_assert_cmpint (write (fds[VP_STDIO_STDIN], "typed", 5), ==, 5);
  while (f->in->len < 5)
    g_main_context_iteration (NULL, TRUE);

  /* gone, and another one comes; stdin is still open */
  close_all (fds);
  test_run_for (20);
  g_assert_cmpuint (f->n_closes, ==, 0);
  stdio_fixture_give (f, &f->out[0], "meanwhile", 9, TRUE);
  test_run_for (20);
  attach (f, 1u << VP_STDIO_STDOUT, fds);
  g_assert_cmpint (fds[VP_STDIO_STDIN], ==, -1);
  later = stdio_fixture_collect (fds[VP_STDIO_STDOUT], G_MAXSIZE);
  g_assert_cmpmem (later->data, later->len, "meanwhile", 9);
  close_all (fds);
}

/* Somebody attaches, reads a little and leaves: the rest is there for the next. */
static void
test_attach_leaves (StdioFixture *f, gconstpointer data)
{
  const gsize size = 200000;
  g_autofree guint8 *noise = stdio_fixture_make_noise (size);
  g_autoptr (GByteArray) some = NULL;
  g_autoptr (GByteArray) rest = NULL;
  int fds[VP_STDIO_N_STREAMS];
  gsize lost;

  stdio_fixture_give (f, &f->out[0], noise, size, FALSE);
  vp_stdio_start (f->stdio);
  while (f->out[0].waiting->len == 0)
    g_main_context_iteration (NULL, TRUE);
  attach (f, 1u << VP_STDIO_STDOUT, fds);
  some = stdio_fixture_collect (fds[VP_STDIO_STDOUT], 10);
  stdio_fixture_give (f, &f->out[0], "tail", 4, TRUE);
  test_run_for (20);
  close_all (fds);
  test_run_for (20);
  attach (f, 1u << VP_STDIO_STDOUT, fds);
  rest = stdio_fixture_collect (fds[VP_STDIO_STDOUT], G_MAXSIZE);
  close_all (fds);
  /* only what was in the pipe is lost */
  lost = size + 4 - some->len - rest->len;
  g_assert_cmpuint (lost, <=, 65536);
  g_assert_cmpmem (rest->data + rest->len - 4, 4, "tail", 4);
  g_assert_true (memcmp (rest->data, noise + size + 4 - rest->len, rest->len - 4) == 0);
}

static void
test_terminal (StdioFixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) got = NULL;
  g_autoptr (GByteArray) next = NULL;
  g_autoptr (GError) error = NULL;
  int fds[VP_STDIO_N_STREAMS];

  g_assert_false (vp_stdio_bind_path (f->stdio, VP_STDIO_STDERR, "/dev/null", &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
  stdio_fixture_give (f, &f->out[0], "$ ", 2, FALSE);
  vp_stdio_start (f->stdio);
  attach (f, 0, fds);
  g_assert_cmpint (fds[VP_STDIO_STDOUT], ==, -1);
  g_assert_cmpint (fds[VP_STDIO_STDERR], ==, -1);
  got = stdio_fixture_collect (fds[VP_STDIO_TERMINAL], 2);
  g_assert_cmpmem (got->data, got->len, "$ ", 2);
  g_assert_cmpint (write (fds[VP_STDIO_TERMINAL], "ls\n", 3), ==, 3);
  while (f->in->len < 3)
    g_main_context_iteration (NULL, TRUE);
  close_all (fds);
  test_run_for (20);
  attach (f, 0, fds);
  stdio_fixture_give (f, &f->out[0], "bye", 3, TRUE);
  next = stdio_fixture_collect (fds[VP_STDIO_TERMINAL], G_MAXSIZE);
  g_assert_cmpmem (next->data, next->len, "bye", 3);
  g_assert_cmpuint (f->n_closes, ==, 0);
  stdio_fixture_expect_drained (f);
  close_all (fds);
}

static void
test_bound_terminal (StdioFixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) got = NULL;
  int master = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC);
  int slave;

  g_assert_no_errno (grantpt (master));
  g_assert_no_errno (unlockpt (master));
  slave = open (ptsname (master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  g_assert_no_errno (slave);
  g_assert_true (vp_stdio_bind_fd (f->stdio, VP_STDIO_STDIN, dup (slave), NULL));
  g_assert_true (vp_stdio_bind_fd (f->stdio, VP_STDIO_STDOUT, slave, NULL));
  stdio_fixture_give (f, &f->out[0], "$ ", 2, FALSE);
  vp_stdio_start (f->stdio);
  got = stdio_fixture_collect (master, 2);
  g_assert_cmpmem (got->data, got->len, "$ ", 2);
  g_assert_cmpint (write (master, "id\n", 3), ==, 3);
  while (f->in->len < 3)
    g_main_context_iteration (NULL, TRUE);
  /* hangs up: an end like any other */
  close (master);
  while (f->n_closes == 0)
    g_main_context_iteration (NULL, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* warnings about streams that end early are part of it */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
  STDIO_ADD ("attach/buffered", FALSE, test_attach);
  STDIO_ADD ("attach/leaves", FALSE, test_attach_leaves);
  STDIO_ADD ("terminal/attach", TRUE, test_terminal);
  STDIO_ADD ("terminal/bound", TRUE, test_bound_terminal);
  return g_test_run ();
}
