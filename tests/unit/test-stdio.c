/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.pb-c.h"
#include "fake-agent.h"
#include "vp-agent-client.h"
#include "vp-error.h"
#include "vp-stdio-ring.h"
#include "vp-stdio.h"
#include "vp-ttrpc.h"

/* what one of the process's output streams holds */
typedef struct
{
  const guint8 *data;
  gsize len;
  gsize served;
  gboolean eof; /* after the data */
  guint32 waiting; /* a read that is not answered yet */
} Source;

typedef struct
{
  char *dir;
  VpAgentClient *client;
  FakeAgent *agent;
  VpStdio *stdio;
  Source out[2];
  gsize piece; /* most bytes per read, 0: what is asked for */
  gsize max_write; /* most bytes per write, 0: all */
  GByteArray *in;
  guint n_closes;
} Fixture;

static gboolean
serve (Fixture *f, Source *source, guint32 stream, gsize asked)
{
  gsize n = MIN (asked, source->len - source->served);

  if (n == 0 && !source->eof)
    {
      source->waiting = stream;
      return FALSE;
    }
  if (f->piece != 0)
    n = MIN (n, f->piece);
  fake_agent_reply_data (f->agent, stream, source->data + source->served, n);
  source->served += n;
  return TRUE;
}

/* The process writes @data (and ends the stream). */
static void
give (Fixture *f, Source *source, const void *data, gsize len, gboolean eof)
{
  guint32 waiting = source->waiting;

  source->data = data;
  source->len = len;
  source->served = 0;
  source->eof = eof;
  source->waiting = 0;
  if (waiting != 0)
    serve (f, source, waiting, 256u << 10);
}

static gboolean
play (FakeAgent *agent, guint32 stream, VpRpc rpc, const ProtobufCMessage *request, gpointer user_data)
{
  Fixture *f = user_data;
  Grpc__WriteStreamResponse written = GRPC__WRITE_STREAM_RESPONSE__INIT;
  const Grpc__WriteStreamRequest *write_request = (const Grpc__WriteStreamRequest *) request;

  switch (rpc)
    {
    case VP_RPC_READ_STDOUT:
    case VP_RPC_READ_STDERR:
      serve (f, &f->out[rpc == VP_RPC_READ_STDERR], stream, ((const Grpc__ReadStreamRequest *) request)->len);
      return TRUE;
    case VP_RPC_WRITE_STDIN:
      written.len = (guint32) write_request->data.len;
      if (f->max_write != 0)
        written.len = (guint32) MIN (written.len, f->max_write);
      g_byte_array_append (f->in, write_request->data.data, written.len);
      fake_agent_reply (agent, stream, &written.base);
      return TRUE;
    case VP_RPC_CLOSE_STDIN:
      f->n_closes++;
      fake_agent_reply_empty (agent, stream);
      return TRUE;
    default:
      return FALSE;
    }
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) opened = { 0 };
  g_autoptr (VpAgentConn) conn = NULL;
  int fds[2];

  f->dir = g_dir_make_tmp ("vp-stdio-XXXXXX", NULL);
  f->in = g_byte_array_new ();
  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  f->agent = fake_agent_new_for_fd (fds[1]);
  fake_agent_set_func (f->agent, play, f);
  conn = vp_agent_conn_new_for_fd (fds[0], VP_CHANNEL_SERIAL);
  f->client = vp_agent_client_new (conn);
  vp_agent_client_open_async (f->client, 5000, NULL, test_result_ready, &opened);
  test_run_until (&opened.done);
  f->stdio = vp_stdio_new (f->client, "box", "", GPOINTER_TO_INT (data));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  vp_stdio_stop (f->stdio);
  vp_agent_client_close (f->client);
  /* what was under way lets go */
  test_run_for (5);
  g_assert_finalize_object (f->stdio);
  g_assert_finalize_object (f->client);
  fake_agent_free (f->agent);
  g_byte_array_unref (f->in);
  g_rmdir (f->dir);
  g_free (f->dir);
}

static guint8 *
make_noise (gsize len)
{
  guint8 *noise = g_malloc (len);
  guint32 state = 2463534242u;

  for (gsize i = 0; i < len; i++)
    {
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
      noise[i] = (guint8) state;
    }
  return noise;
}

/* Reads from @fd while the main loop runs: to its end, or at least @want bytes. */
static GByteArray *
collect (int fd, gsize want)
{
  GByteArray *bytes = g_byte_array_new ();
  gint64 end = g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND;
  static guint8 buffer[1u << 16];

  while (bytes->len < want)
    {
      struct pollfd p = { .fd = fd, .events = POLLIN };
      ssize_t n;

      g_assert_cmpint (g_get_monotonic_time (), <, end);
      while (g_main_context_iteration (NULL, FALSE))
        ;
      if (poll (&p, 1, 1) <= 0)
        continue;
      n = read (fd, buffer, sizeof buffer);
      g_assert_cmpint (n, >=, 0);
      if (n == 0)
        break;
      g_byte_array_append (bytes, buffer, (guint) n);
    }
  return bytes;
}

static void
expect_drained (Fixture *f)
{
  g_auto (TestResult) drained = { 0 };
  g_autoptr (GError) error = NULL;

  vp_stdio_drain_async (f->stdio, NULL, test_result_ready, &drained);
  test_run_until (&drained.done);
  g_assert_true (vp_stdio_drain_finish (f->stdio, drained.result, &error));
  g_assert_no_error (error);
}

/* A pipe with the writing end bound to @stream; the end to read from. */
static int
bind_pipe (Fixture *f, VpStdioStream stream)
{
  g_autoptr (GError) error = NULL;
  int fds[2];

  g_assert_no_errno (pipe2 (fds, O_CLOEXEC));
  if (stream == VP_STDIO_STDIN)
    {
      g_assert_true (vp_stdio_bind_fd (f->stdio, stream, fds[0], &error));
      return fds[1];
    }
  g_assert_true (vp_stdio_bind_fd (f->stdio, stream, fds[1], &error));
  return fds[0];
}

/* ---- output ------------------------------------------------------------------------ */

static void
test_big_output (Fixture *f, gconstpointer data)
{
  const gsize size = 10u << 20;
  g_autofree guint8 *noise = make_noise (size);
  g_autoptr (GByteArray) got = NULL;
  gint64 started;
  int fd = bind_pipe (f, VP_STDIO_STDOUT);

  give (f, &f->out[0], noise, size, TRUE);
  f->out[1].eof = TRUE;
  started = g_get_monotonic_time ();
  vp_stdio_start (f->stdio);
  got = collect (fd, G_MAXSIZE);
  g_test_message ("10 MiB in %" G_GINT64_FORMAT " ms", (g_get_monotonic_time () - started) / 1000);
  g_assert_cmpuint (got->len, ==, size);
  g_assert_true (memcmp (got->data, noise, size) == 0);
  expect_drained (f);
  g_assert_cmpuint (vp_stdio_get_bytes (f->stdio, VP_STDIO_STDOUT), ==, size);
  g_assert_cmpuint (vp_stdio_get_dropped (f->stdio, VP_STDIO_STDOUT), ==, 0);
  close (fd);
}

static void
test_both_outputs (Fixture *f, gconstpointer data)
{
  int out = bind_pipe (f, VP_STDIO_STDOUT);
  int err = bind_pipe (f, VP_STDIO_STDERR);
  g_autoptr (GByteArray) got_out = NULL;
  g_autoptr (GByteArray) got_err = NULL;

  give (f, &f->out[0], "out", 3, TRUE);
  give (f, &f->out[1], "error", 5, TRUE);
  vp_stdio_start (f->stdio);
  got_out = collect (out, G_MAXSIZE);
  got_err = collect (err, G_MAXSIZE);
  g_assert_cmpmem (got_out->data, got_out->len, "out", 3);
  g_assert_cmpmem (got_err->data, got_err->len, "error", 5);
  close (out);
  close (err);
}

static void
test_slow_reader (Fixture *f, gconstpointer data)
{
  const gsize size = 4u << 20;
  g_autofree guint8 *noise = make_noise (size);
  g_autoptr (GByteArray) got = NULL;
  int fd = bind_pipe (f, VP_STDIO_STDOUT);

  give (f, &f->out[0], noise, size, TRUE);
  vp_stdio_start (f->stdio);
  test_run_for (200);
  /* one chunk in hand, and what the pipe holds */
  g_assert_cmpuint (f->out[0].served, <=, (256u + 256u + 64u) << 10);
  got = collect (fd, G_MAXSIZE);
  g_assert_cmpuint (got->len, ==, size);
  g_assert_true (memcmp (got->data, noise, size) == 0);
  close (fd);
}

static void
test_reader_gone (Fixture *f, gconstpointer data)
{
  const gsize size = 2u << 20;
  g_autofree guint8 *noise = make_noise (size);
  int fd = bind_pipe (f, VP_STDIO_STDOUT);

  close (fd);
  give (f, &f->out[0], noise, size, TRUE);
  f->out[1].eof = TRUE;
  vp_stdio_start (f->stdio);
  expect_drained (f);
  g_assert_cmpuint (f->out[0].served, ==, size);
  g_assert_cmpuint (vp_stdio_get_dropped (f->stdio, VP_STDIO_STDOUT), ==, size);
}

static void
test_file (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "log", NULL);
  const gsize size = 1u << 20;
  g_autofree guint8 *noise = make_noise (size);
  g_autofree char *content = NULL;
  gsize len;

  g_assert_true (g_file_set_contents (path, "old", 3, NULL));
  g_assert_true (vp_stdio_bind_path (f->stdio, VP_STDIO_STDOUT, path, NULL));
  g_assert_true (
      vp_stdio_bind_fd (f->stdio, VP_STDIO_STDERR, open ("/dev/null", O_WRONLY | O_CLOEXEC), NULL));
  give (f, &f->out[0], noise, size, TRUE);
  give (f, &f->out[1], noise, size, TRUE);
  vp_stdio_start (f->stdio);
  expect_drained (f);
  g_assert_true (g_file_get_contents (path, &content, &len, NULL));
  g_assert_cmpuint (len, ==, size + 3);
  g_assert_true (memcmp (content, "old", 3) == 0 && memcmp (content + 3, noise, size) == 0);
  g_assert_cmpuint (vp_stdio_get_bytes (f->stdio, VP_STDIO_STDERR), ==, size);
  g_unlink (path);
}

static void
test_full_device (Fixture *f, gconstpointer data)
{
  g_assert_true (vp_stdio_bind_path (f->stdio, VP_STDIO_STDOUT, "/dev/full", NULL));
  give (f, &f->out[0], "lost", 4, TRUE);
  f->out[1].eof = TRUE;
  vp_stdio_start (f->stdio);
  expect_drained (f);
  g_assert_cmpuint (vp_stdio_get_dropped (f->stdio, VP_STDIO_STDOUT), ==, 4);
}

static void
test_flags_kept (Fixture *f, gconstpointer data)
{
  int fds[2], copy;

  g_assert_no_errno (pipe2 (fds, O_CLOEXEC));
  copy = dup (fds[1]);
  g_assert_true (vp_stdio_bind_fd (f->stdio, VP_STDIO_STDOUT, fds[1], NULL));
  vp_stdio_start (f->stdio);
  test_run_for (10);
  g_assert_cmpint (fcntl (copy, F_GETFL) & O_NONBLOCK, ==, 0);
  close (copy);
  close (fds[0]);
}

static void
test_drain_gives_up (Fixture *f, gconstpointer data)
{
  const gsize size = 1u << 20;
  g_autofree guint8 *noise = make_noise (size);
  g_auto (TestResult) drained = { 0 };
  g_autoptr (GError) error = NULL;
  gint64 started = g_get_monotonic_time ();
  int fd = bind_pipe (f, VP_STDIO_STDOUT);

  give (f, &f->out[0], noise, size, TRUE);
  f->out[1].eof = TRUE;
  vp_stdio_start (f->stdio);
  vp_stdio_drain_async (f->stdio, NULL, test_result_ready, &drained);
  test_run_until (&drained.done);
  g_assert_false (vp_stdio_drain_finish (f->stdio, drained.result, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_TIMED_OUT);
  g_assert_cmpint (g_get_monotonic_time () - started, <, 3 * G_TIME_SPAN_SECOND);
  close (fd);
}

static void
test_stop_ends_drain (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) drained = { 0 };
  g_autoptr (GError) error = NULL;

  vp_stdio_start (f->stdio);
  vp_stdio_drain_async (f->stdio, NULL, test_result_ready, &drained);
  vp_stdio_stop (f->stdio);
  test_run_until (&drained.done);
  g_assert_false (vp_stdio_drain_finish (f->stdio, drained.result, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_CANCELLED);
}

static void
test_drain_cancelled (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (TestResult) drained = { 0 };
  g_autoptr (GError) error = NULL;

  vp_stdio_start (f->stdio);
  vp_stdio_drain_async (f->stdio, cancellable, test_result_ready, &drained);
  g_cancellable_cancel (cancellable);
  test_run_until (&drained.done);
  g_assert_false (vp_stdio_drain_finish (f->stdio, drained.result, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_CANCELLED);
}

/* ---- FIFOs ------------------------------------------------------------------------- */

static char *
make_fifo (Fixture *f)
{
  char *path = g_build_filename (f->dir, "fifo", NULL);

  g_assert_no_errno (mkfifo (path, 0600));
  return path;
}

static void
test_fifo_late_reader (Fixture *f, gconstpointer data)
{
  g_autofree char *path = make_fifo (f);
  g_autoptr (GByteArray) got = NULL;
  int fd;

  g_assert_true (vp_stdio_bind_path (f->stdio, VP_STDIO_STDOUT, path, NULL));
  give (f, &f->out[0], "kept in the fifo", 16, TRUE);
  f->out[1].eof = TRUE;
  vp_stdio_start (f->stdio);
  expect_drained (f);
  test_run_for (100);
  fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  g_assert_no_errno (fd);
  got = collect (fd, G_MAXSIZE);
  g_assert_cmpmem (got->data, got->len, "kept in the fifo", 16);
  close (fd);
  g_unlink (path);
}

static void
test_fifo_reader_comes_back (Fixture *f, gconstpointer data)
{
  g_autofree char *path = make_fifo (f);
  const gsize size = 1u << 20;
  g_autofree guint8 *noise = make_noise (size);
  g_autoptr (GByteArray) first = NULL;
  g_autoptr (GByteArray) rest = NULL;
  int fd;

  fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  g_assert_true (vp_stdio_bind_path (f->stdio, VP_STDIO_STDOUT, path, NULL));
  give (f, &f->out[0], noise, size, TRUE);
  f->out[1].eof = TRUE;
  vp_stdio_start (f->stdio);
  first = collect (fd, 100000);
  close (fd);
  test_run_for (50);
  fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  rest = collect (fd, G_MAXSIZE);
  g_assert_cmpuint (first->len + rest->len, ==, size);
  g_assert_true (memcmp (rest->data, noise + first->len, rest->len) == 0);
  close (fd);
  g_unlink (path);
}

static void
test_fifo_stdin (Fixture *f, gconstpointer data)
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

static void
test_bad_ends (Fixture *f, gconstpointer data)
{
  static const struct
  {
    VpStdioStream stream;
    const char *path;
    VpError error;
  } cases[] = {
    { VP_STDIO_STDOUT, "/tmp", VP_ERROR_INVALID_ARGUMENT },
    { VP_STDIO_STDOUT, "relative", VP_ERROR_INVALID_ARGUMENT },
    { VP_STDIO_STDIN, "/nonexistent/x", VP_ERROR_NOT_FOUND },
  };
  g_autoptr (GError) error = NULL;
  int null = open ("/dev/null", O_RDONLY | O_CLOEXEC);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_assert_false (vp_stdio_bind_path (f->stdio, cases[i].stream, cases[i].path, &error));
      g_assert_error (error, VP_ERROR, (int) cases[i].error);
      g_assert_nonnull (strstr (error->message, cases[i].path));
      g_clear_error (&error);
    }
  /* taken all the same */
  g_assert_false (vp_stdio_bind_fd (f->stdio, VP_STDIO_STDOUT, null, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
  g_assert_cmpint (fcntl (null, F_GETFD), ==, -1);
  g_clear_error (&error);
  g_assert_false (vp_stdio_bind_fd (f->stdio, VP_STDIO_STDIN, open ("/", O_PATH | O_CLOEXEC), &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
}

/* ---- stdin -------------------------------------------------------------------------- */

static void
test_stdin_partial (Fixture *f, gconstpointer data)
{
  const gsize size = 300000;
  g_autofree guint8 *noise = make_noise (size);
  gsize sent = 0;
  int fd = bind_pipe (f, VP_STDIO_STDIN);

  f->max_write = 4099;
  g_unix_set_fd_nonblocking (fd, TRUE, NULL);
  vp_stdio_start (f->stdio);
  while (sent < size)
    {
      ssize_t n = write (fd, noise + sent, size - sent);

      if (n > 0)
        sent += (gsize) n;
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
test_stdin_file (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "input", NULL);
  const gsize size = 200000;
  g_autofree guint8 *noise = make_noise (size);

  g_assert_true (g_file_set_contents (path, (const char *) noise, (gssize) size, NULL));
  g_assert_true (vp_stdio_bind_fd (f->stdio, VP_STDIO_STDIN, open (path, O_RDONLY | O_CLOEXEC), NULL));
  vp_stdio_start (f->stdio);
  while (f->n_closes == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpmem (f->in->data, f->in->len, noise, size);
  g_unlink (path);
}

static void
test_close_stdin (Fixture *f, gconstpointer data)
{
  g_auto (TestResult) closed = { 0 }, again = { 0 };
  int fd = bind_pipe (f, VP_STDIO_STDIN);

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

/* ---- attaching ---------------------------------------------------------------------- */

static void
attach (Fixture *f, guint which, int fds[VP_STDIO_N_STREAMS])
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
test_attach (Fixture *f, gconstpointer data)
{
  const gsize size = 1u << 20;
  g_autofree guint8 *noise = make_noise (size);
  g_autoptr (GByteArray) kept = NULL;
  g_autoptr (GByteArray) live = NULL;
  g_autoptr (GByteArray) later = NULL;
  g_autoptr (GError) error = NULL;
  int fds[VP_STDIO_N_STREAMS], more[VP_STDIO_N_STREAMS];

  give (f, &f->out[0], noise, size, FALSE);
  vp_stdio_start (f->stdio);
  while (f->out[0].waiting == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (vp_stdio_get_dropped (f->stdio, VP_STDIO_STDOUT), ==, size - VP_STDIO_BUFFER);

  attach (f, 0, fds);
  g_assert_cmpint (fds[VP_STDIO_STDIN], >=, 0);
  g_assert_false (vp_stdio_attach (f->stdio, 0, more, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_BUSY);
  kept = collect (fds[VP_STDIO_STDOUT], VP_STDIO_BUFFER);
  g_assert_cmpmem (kept->data, kept->len, noise + size - VP_STDIO_BUFFER, VP_STDIO_BUFFER);
  give (f, &f->out[0], "live", 4, FALSE);
  live = collect (fds[VP_STDIO_STDOUT], 4);
  g_assert_cmpmem (live->data, live->len, "live", 4);
  g_assert_cmpint (write (fds[VP_STDIO_STDIN], "typed", 5), ==, 5);
  while (f->in->len < 5)
    g_main_context_iteration (NULL, TRUE);

  /* gone, and another one comes; stdin is still open */
  close_all (fds);
  test_run_for (20);
  g_assert_cmpuint (f->n_closes, ==, 0);
  give (f, &f->out[0], "meanwhile", 9, TRUE);
  test_run_for (20);
  attach (f, 1u << VP_STDIO_STDOUT, fds);
  g_assert_cmpint (fds[VP_STDIO_STDIN], ==, -1);
  later = collect (fds[VP_STDIO_STDOUT], G_MAXSIZE);
  g_assert_cmpmem (later->data, later->len, "meanwhile", 9);
  close_all (fds);
}

/* Somebody attaches, reads a little and leaves: the rest is there for the next. */
static void
test_attach_leaves (Fixture *f, gconstpointer data)
{
  const gsize size = 200000;
  g_autofree guint8 *noise = make_noise (size);
  g_autoptr (GByteArray) some = NULL;
  g_autoptr (GByteArray) rest = NULL;
  int fds[VP_STDIO_N_STREAMS];
  gsize lost;

  give (f, &f->out[0], noise, size, FALSE);
  vp_stdio_start (f->stdio);
  while (f->out[0].waiting == 0)
    g_main_context_iteration (NULL, TRUE);
  attach (f, 1u << VP_STDIO_STDOUT, fds);
  some = collect (fds[VP_STDIO_STDOUT], 10);
  give (f, &f->out[0], "tail", 4, TRUE);
  test_run_for (20);
  close_all (fds);
  test_run_for (20);
  attach (f, 1u << VP_STDIO_STDOUT, fds);
  rest = collect (fds[VP_STDIO_STDOUT], G_MAXSIZE);
  close_all (fds);
  /* only what was in the pipe is lost */
  lost = size + 4 - some->len - rest->len;
  g_assert_cmpuint (lost, <=, 65536);
  g_assert_cmpmem (rest->data + rest->len - 4, 4, "tail", 4);
  g_assert_true (memcmp (rest->data, noise + size + 4 - rest->len, rest->len - 4) == 0);
}

static void
test_terminal (Fixture *f, gconstpointer data)
{
  g_autoptr (GByteArray) got = NULL;
  g_autoptr (GByteArray) next = NULL;
  g_autoptr (GError) error = NULL;
  int fds[VP_STDIO_N_STREAMS];

  g_assert_false (vp_stdio_bind_path (f->stdio, VP_STDIO_STDERR, "/dev/null", &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
  give (f, &f->out[0], "$ ", 2, FALSE);
  vp_stdio_start (f->stdio);
  attach (f, 0, fds);
  g_assert_cmpint (fds[VP_STDIO_STDOUT], ==, -1);
  g_assert_cmpint (fds[VP_STDIO_STDERR], ==, -1);
  got = collect (fds[VP_STDIO_TERMINAL], 2);
  g_assert_cmpmem (got->data, got->len, "$ ", 2);
  g_assert_cmpint (write (fds[VP_STDIO_TERMINAL], "ls\n", 3), ==, 3);
  while (f->in->len < 3)
    g_main_context_iteration (NULL, TRUE);
  close_all (fds);
  test_run_for (20);
  attach (f, 0, fds);
  give (f, &f->out[0], "bye", 3, TRUE);
  next = collect (fds[VP_STDIO_TERMINAL], G_MAXSIZE);
  g_assert_cmpmem (next->data, next->len, "bye", 3);
  g_assert_cmpuint (f->n_closes, ==, 0);
  expect_drained (f);
  close_all (fds);
}

static void
test_bound_terminal (Fixture *f, gconstpointer data)
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
  give (f, &f->out[0], "$ ", 2, FALSE);
  vp_stdio_start (f->stdio);
  got = collect (master, 2);
  g_assert_cmpmem (got->data, got->len, "$ ", 2);
  g_assert_cmpint (write (master, "id\n", 3), ==, 3);
  while (f->in->len < 3)
    g_main_context_iteration (NULL, TRUE);
  /* hangs up: an end like any other */
  close (master);
  while (f->n_closes == 0)
    g_main_context_iteration (NULL, TRUE);
}

/* ---- ring ---------------------------------------------------------------------------- */

static void
test_ring (void)
{
  const gsize max = 10000;
  g_autofree guint8 *noise = make_noise (200000);
  g_autoptr (GBytes) empty = NULL;
  VpStdioRing ring;
  gsize written = 0, lost = 0;

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
  /* warnings about streams that end early are part of it */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
#define ADD(name, func) g_test_add ("/stdio/" name, Fixture, GINT_TO_POINTER (FALSE), set_up, func, tear_down)
#define ADD_TERMINAL(name, func)                                                                             \
  g_test_add ("/stdio/" name, Fixture, GINT_TO_POINTER (TRUE), set_up, func, tear_down)
  ADD ("big-output", test_big_output);
  ADD ("both-outputs", test_both_outputs);
  ADD ("slow-reader", test_slow_reader);
  ADD ("reader-gone", test_reader_gone);
  ADD ("file", test_file);
  ADD ("full-device", test_full_device);
  ADD ("flags-kept", test_flags_kept);
  ADD ("drain/gives-up", test_drain_gives_up);
  ADD ("drain/stopped", test_stop_ends_drain);
  ADD ("drain/cancelled", test_drain_cancelled);
  ADD ("fifo/late-reader", test_fifo_late_reader);
  ADD ("fifo/reader-comes-back", test_fifo_reader_comes_back);
  ADD ("fifo/stdin", test_fifo_stdin);
  ADD ("bad-ends", test_bad_ends);
  ADD ("stdin/partial", test_stdin_partial);
  ADD ("stdin/file", test_stdin_file);
  ADD ("stdin/close", test_close_stdin);
  ADD ("attach/buffered", test_attach);
  ADD ("attach/leaves", test_attach_leaves);
  ADD_TERMINAL ("terminal/attach", test_terminal);
  ADD_TERMINAL ("terminal/bound", test_bound_terminal);
  g_test_add_func ("/stdio/ring", test_ring);
#undef ADD
#undef ADD_TERMINAL
  return g_test_run ();
}
