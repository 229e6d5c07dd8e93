/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-console-reader.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "vp-error.h"

/* Reads what is there, letting the main loop bring more, until end of file or @max bytes. */
static gsize
read_some (int fd, gsize max, gboolean *ret_end)
{
  static char buffer[1 << 16];
  gsize total = 0;

  g_assert_no_errno (fcntl (fd, F_SETFL, O_NONBLOCK));
  *ret_end = FALSE;
  while (total < max)
    {
      ssize_t n = read (fd, buffer, MIN (sizeof buffer, max - total));

      if (n > 0)
        total += (gsize) n;
      else if (n == 0)
        {
          *ret_end = TRUE;
          break;
        }
      else if (!g_main_context_iteration (NULL, FALSE))
        break;
    }
  return total;
}

static void
test_history (void)
{
  g_autoptr (GBytes) history = g_bytes_new_static ("before ", 7);
  char buffer[32] = "";
  int fd = -1;
  VpConsoleReader *reader = vp_console_reader_new (history, &fd, NULL);

  g_assert_true (vp_console_reader_feed (reader, "after", 5));
  vp_console_reader_end (reader);
  g_assert_cmpint (read (fd, buffer, sizeof buffer), ==, 12);
  g_assert_cmpstr (buffer, ==, "before after");
  g_assert_cmpint (read (fd, buffer, sizeof buffer), ==, 0);
  close (fd);
}

/* What does not fit the pipe comes when there is room, also after the end. */
static void
test_more_than_a_pipe (void)
{
  g_autofree char *data = g_strnfill (300000, 'x');
  gboolean end;
  int fd = -1;
  VpConsoleReader *reader = vp_console_reader_new (NULL, &fd, NULL);

  g_assert_true (vp_console_reader_feed (reader, data, 300000));
  vp_console_reader_end (reader);
  g_assert_cmpuint (read_some (fd, G_MAXSIZE, &end), ==, 300000);
  g_assert_true (end);
  close (fd);
}

/* One that does not read loses what is too much, and nobody waits. */
static void
test_slow (void)
{
  g_autofree char *data = g_strnfill (VP_CONSOLE_READER_MAX, 'x');
  gboolean end;
  gsize got;
  int fd = -1;
  VpConsoleReader *reader = vp_console_reader_new (NULL, &fd, NULL);

  for (int i = 0; i < 8; i++)
    g_assert_true (vp_console_reader_feed (reader, data, VP_CONSOLE_READER_MAX));
  vp_console_reader_end (reader);
  got = read_some (fd, G_MAXSIZE, &end);
  g_assert_true (end);
  g_assert_cmpuint (got, >=, VP_CONSOLE_READER_MAX);
  g_assert_cmpuint (got, <=, 2 * VP_CONSOLE_READER_MAX);
  close (fd);
}

static void
test_gone (void)
{
  int fd = -1;
  VpConsoleReader *reader = vp_console_reader_new (NULL, &fd, NULL);

  close (fd);
  g_assert_false (vp_console_reader_feed (reader, "x", 1));
  vp_console_reader_free (reader);
}

/* It goes while it has not read everything, and after the end. */
static void
test_gone_later (void)
{
  g_autofree char *data = g_strnfill (300000, 'x');
  int fd = -1;
  VpConsoleReader *reader = vp_console_reader_new (NULL, &fd, NULL);

  g_assert_true (vp_console_reader_feed (reader, data, 300000));
  vp_console_reader_end (reader);
  close (fd);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

int
main (int argc, char **argv)
{
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/console-reader/history", test_history);
  g_test_add_func ("/console-reader/more-than-a-pipe", test_more_than_a_pipe);
  g_test_add_func ("/console-reader/slow", test_slow);
  g_test_add_func ("/console-reader/gone", test_gone);
  g_test_add_func ("/console-reader/gone-later", test_gone_later);
  return g_test_run ();
}
