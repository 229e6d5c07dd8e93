/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-streams.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "vp-error.h"

static gboolean
is_open (int fd)
{
  return fcntl (fd, F_GETFD) >= 0;
}

static int
open_null (void)
{
  int fd = open ("/dev/null", O_RDWR | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static void
test_fds (void)
{
  g_autoptr (VpStreams) streams = vp_streams_new ();
  int first = open_null (), second = open_null ();

  g_assert_false (vp_streams_is_set (streams, VP_STREAM_STDOUT));
  g_assert_cmpint (vp_streams_steal_fd (streams, VP_STREAM_STDOUT), ==, -1);
  vp_streams_take_fd (streams, VP_STREAM_STDOUT, first);
  g_assert_true (vp_streams_is_set (streams, VP_STREAM_STDOUT));
  vp_streams_take_fd (streams, VP_STREAM_STDOUT, second);
  g_assert_false (is_open (first));
  g_assert_cmpint (vp_streams_steal_fd (streams, VP_STREAM_STDOUT), ==, second);
  g_assert_false (vp_streams_is_set (streams, VP_STREAM_STDOUT));
  vp_streams_take_fd (streams, VP_STREAM_STDIN, second);
  g_clear_pointer (&streams, vp_streams_free);
  g_assert_false (is_open (second));
  vp_streams_free (NULL);
}

static void
test_paths (void)
{
  g_autoptr (VpStreams) streams = vp_streams_new ();
  const struct {
    const char *path;
    VpError code;
  } bad[] = {
    { "", VP_ERROR_INVALID_ARGUMENT },
    { "relative", VP_ERROR_INVALID_ARGUMENT },
    { "/", VP_ERROR_INVALID_ARGUMENT },
    { "/no/such/file", VP_ERROR_NOT_FOUND },
  };
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_assert_false (vp_streams_set_path (streams, VP_STREAM_STDERR, bad[i].path, &error));
      g_assert_error (error, VP_ERROR, (int) bad[i].code);
      g_assert_nonnull (strstr (error->message, "stderr-path"));
      g_clear_error (&error);
      g_assert_false (vp_streams_is_set (streams, VP_STREAM_STDERR));
    }
  g_assert_true (vp_streams_set_path (streams, VP_STREAM_STDERR, "/dev/null", &error));
  g_assert_true (vp_streams_set_path (streams, VP_STREAM_STDERR, "/dev/zero", &error));
  g_assert_cmpstr (streams->paths[VP_STREAM_STDERR], ==, "/dev/zero");
}

static void
test_names (void)
{
  g_assert_cmpstr (vp_stream_name (VP_STREAM_STDIN), ==, "stdin");
  g_assert_cmpstr (vp_stream_name (VP_STREAM_STDOUT), ==, "stdout");
  g_assert_cmpstr (vp_stream_name (VP_STREAM_STDERR), ==, "stderr");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/streams/fds", test_fds);
  g_test_add_func ("/streams/paths", test_paths);
  g_test_add_func ("/streams/names", test_names);
  return g_test_run ();
}
