/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loggers of containerd-shim-virtpod-v2: programs that take what a process writes. */
#include <glib.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "shim-logger.h"
#include "shim-loop.h"
#include "shim-stream.h"

static void
on_told (const char *why, void *data)
{
  char **told = data;

  *told = g_strdup (why != NULL ? why : "");
  shim_loop_quit ();
}

/* A program of the lines of a shell script, as a URI; in a directory of its own. */
static char *
make_logger (const char *directory, const char *lines, const char *query)
{
  g_autofree char *path = g_strdup_printf ("%s/program", directory);
  g_autofree char *text = g_strdup_printf ("#!/bin/sh\nPATH=/usr/bin:/bin\n%s\n", lines);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_cmpint (g_chmod (path, 0700), ==, 0);
  return g_strdup_printf ("binary://%s?%s", path, query);
}

static void
remove_directory (const char *directory)
{
  g_autofree char *command = g_strdup_printf ("rm -r '%s'", directory);

  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
}

static void
check_file (const char *directory, const char *name, const char *expected)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, expected);
}

static void
write_to (const char *fifo, const char *text)
{
  int fd = open (fifo, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (gssize) strlen (text));
  g_assert_cmpint (close (fd), ==, 0);
}

static void
test_logger (void)
{
  g_autofree char *directory = g_dir_make_tmp ("shim-XXXXXX", NULL);
  g_autofree char *uri = make_logger (directory,
                                      "cd \"$2\"; env | grep CONTAINER_ | sort >env; echo \"$3 $4\" >arguments\n"
                                      "exec 5>&-; cat <&3 >out & cat <&4 >err; wait",
                                      "dir=");
  g_autofree char *full = g_strconcat (uri, directory, "&a=b+c", NULL);
  g_autofree char *out = NULL, *ready = NULL, *ended = NULL;
  const char *why = NULL;
  ShimLogger *logger;

  shim_logger_init ("k8s.io");
  logger = shim_logger_start (full, directory, "-x", "web", on_told, &ready, &why);
  g_assert_nonnull (logger);
  shim_loop_run ();
  g_assert_cmpstr (ready, ==, "");
  out = g_strdup (shim_logger_get_out (logger));
  g_assert_true (g_str_has_suffix (out, "/stdout-x"));
  /* who writes may come and go */
  write_to (out, "one\n");
  write_to (out, "two\n");
  write_to (shim_logger_get_err (logger), "wrong\n");
  shim_logger_end (logger, on_told, &ended);
  shim_loop_run ();
  g_assert_cmpstr (ended, ==, "");
  g_assert_false (g_file_test (out, G_FILE_TEST_EXISTS));
  check_file (directory, "out", "one\ntwo\n");
  check_file (directory, "err", "wrong\n");
  check_file (directory, "env", "CONTAINER_ID=web\nCONTAINER_NAMESPACE=k8s.io\n");
  check_file (directory, "arguments", "a b c\n");
  remove_directory (directory);
}

static void
on_written (uint32_t events, void *data)
{
  gsize *left = data;
  static const char bytes[4096];
  gssize n = write (*(int *) (left + 1), bytes, MIN (sizeof bytes, *left));

  (void) events;
  if (n > 0)
    *left -= (gsize) n;
  if (*left == 0)
    shim_loop_quit ();
}

/* Whoever writes does not stand still because the logger is gone. */
static void
test_logger_lost (void)
{
  g_autofree char *directory = g_dir_make_tmp ("shim-XXXXXX", NULL);
  g_autofree char *uri = make_logger (directory, "exit 3", "");
  g_autofree char *ready = NULL, *ended = NULL;
  const char *why = NULL;
  struct
  {
    gsize left;
    int fd;
  } writer = { 1 << 20, -1 }; /* more than a pipe holds */
  ShimLogger *logger = shim_logger_start (uri, directory, "", "web", on_told, &ready, &why);
  ShimWatch *watch;

  g_assert_nonnull (logger);
  shim_loop_run ();
  g_assert_cmpstr (ready, ==, "");
  writer.fd = open (shim_logger_get_out (logger), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  watch = shim_watch_new (writer.fd, EPOLLOUT, on_written, &writer);
  shim_loop_run ();
  g_assert_cmpuint (writer.left, ==, 0);
  shim_watch_end (watch);
  (void) close (writer.fd);
  shim_logger_end (logger, on_told, &ended);
  if (ended == NULL)
    shim_loop_run ();
  g_assert_cmpstr (ended, ==, "");
  remove_directory (directory);
}

static void
test_logger_wrong (void)
{
  g_autofree char *directory = g_dir_make_tmp ("shim-XXXXXX", NULL);
  const char *const wrong[] = { "binary://", "binary://bin/true", "binary:///no/such/program", "binary:///etc/passwd" };
  g_autofree char *told = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      const char *why = NULL;

      g_assert_null (shim_logger_start (wrong[i], directory, "", "web", on_told, &told, &why));
      g_assert_nonnull (why);
    }
  g_assert_null (told);
  /* it has left nothing */
  g_assert_cmpint (g_rmdir (directory), ==, 0);
}

/* Which streams may be together, and that who waits for them is always told. */
static void
test_logger_streams (void)
{
  g_autofree char *directory = g_dir_make_tmp ("shim-XXXXXX", NULL);
  g_autofree char *uri = make_logger (directory, "exec cat 0<&3", "");
  const char *const wrong[][3] = { { "", uri, "" },
                                   { "", uri, "/run/fifo" },
                                   { "", "/run/fifo", uri },
                                   { uri, "", "" },
                                   { "", "", uri } };
  ShimStreams streams = { .logger = NULL };
  char *told = NULL, *ended = NULL;

  for (gsize i = 1; i < G_N_ELEMENTS (wrong); i++)
    {
      shim_streams_open (&streams, wrong[i], directory, "", "web", on_told, &told);
      g_assert_cmpstr (told, !=, "");
      g_clear_pointer (&told, g_free);
      shim_streams_close (&streams, NULL, NULL);
    }
  shim_streams_open (&streams, wrong[0], directory, "", "web", on_told, &told);
  g_assert_null (told);
  g_assert_nonnull (strstr (streams.err, "/stderr"));
  shim_streams_close (&streams, on_told, &ended);
  g_assert_cmpstr (told, ==, "the process was deleted");
  while (ended == NULL)
    shim_loop_run ();
  g_assert_cmpstr (ended, ==, "");
  g_free (told);
  g_free (ended);
  remove_directory (directory);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (shim_loop_init (), ==, 0);
  g_test_add_func ("/shim/logger", test_logger);
  g_test_add_func ("/shim/logger-lost", test_logger_lost);
  g_test_add_func ("/shim/logger-wrong", test_logger_wrong);
  g_test_add_func ("/shim/logger-streams", test_logger_streams);
  return g_test_run ();
}
