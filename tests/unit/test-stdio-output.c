/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stdout and stderr into pipes and files; how the end of a process waits for them;
 * what may not be an end. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.pb-c.h"
#include "stdio-fixture.h"
#include "vp-error.h"
#include "vp-ttrpc-server.h"
#include "vp-ttrpc.h"

static void
test_big_output (StdioFixture *f, gconstpointer data)
{
  const gsize size = 10u << 20;
  g_autofree guint8 *noise = stdio_fixture_make_noise (size);
  g_autoptr (GByteArray) got = NULL;
  gint64 started;
  int fd = stdio_fixture_bind_pipe (f, VP_STDIO_STDOUT);

  stdio_fixture_give (f, &f->out[0], noise, size, TRUE);
  f->out[1].eof = TRUE;
  started = g_get_monotonic_time ();
  vp_stdio_start (f->stdio);
  got = stdio_fixture_collect (fd, G_MAXSIZE);
  g_test_message ("10 MiB in %" G_GINT64_FORMAT " ms", (g_get_monotonic_time () - started) / 1000);
  g_assert_cmpuint (got->len, ==, size);
  g_assert_true (memcmp (got->data, noise, size) == 0);
  stdio_fixture_expect_drained (f);
  g_assert_cmpuint (vp_stdio_get_bytes (f->stdio, VP_STDIO_STDOUT), ==, size);
  g_assert_cmpuint (vp_stdio_get_dropped (f->stdio, VP_STDIO_STDOUT), ==, 0);
  close (fd);
}

static void
test_both_outputs (StdioFixture *f, gconstpointer data)
{
  int out = stdio_fixture_bind_pipe (f, VP_STDIO_STDOUT);
  int err = stdio_fixture_bind_pipe (f, VP_STDIO_STDERR);
  g_autoptr (GByteArray) got_out = NULL;
  g_autoptr (GByteArray) got_err = NULL;

  stdio_fixture_give (f, &f->out[0], "out", 3, TRUE);
  stdio_fixture_give (f, &f->out[1], "error", 5, TRUE);
  vp_stdio_start (f->stdio);
  got_out = stdio_fixture_collect (out, G_MAXSIZE);
  got_err = stdio_fixture_collect (err, G_MAXSIZE);
  g_assert_cmpmem (got_out->data, got_out->len, "out", 3);
  g_assert_cmpmem (got_err->data, got_err->len, "error", 5);
  close (out);
  close (err);
}

static void
test_slow_reader (StdioFixture *f, gconstpointer data)
{
  const gsize size = 4u << 20;
  g_autofree guint8 *noise = stdio_fixture_make_noise (size);
  g_autoptr (GByteArray) got = NULL;
  int fd = stdio_fixture_bind_pipe (f, VP_STDIO_STDOUT);

  stdio_fixture_give (f, &f->out[0], noise, size, TRUE);
  vp_stdio_start (f->stdio);
  test_run_for (200);
  /* one chunk in hand, and what the pipe holds */
  g_assert_cmpuint (f->out[0].served, <=, (256u + 256u + 64u) << 10);
  got = stdio_fixture_collect (fd, G_MAXSIZE);
  g_assert_cmpuint (got->len, ==, size);
  g_assert_true (memcmp (got->data, noise, size) == 0);
  close (fd);
}

/* Our agent answers in order and is told what it need not keep: it is asked ahead. */
static void
test_ahead (StdioFixture *f, gconstpointer data)
{
  const gsize size = 1u << 20;
  g_autofree guint8 *noise = stdio_fixture_make_noise (size);
  g_autoptr (GByteArray) got = NULL;
  int fd = stdio_fixture_bind_pipe (f, VP_STDIO_STDOUT);

  f->ours = TRUE;
  f->piece = 10000;
  stdio_fixture_give (f, &f->out[0], noise, size, FALSE);
  vp_stdio_start (f->stdio);
  got = stdio_fixture_collect (fd, size);
  g_assert_cmpuint (got->len, ==, size);
  g_assert_true (memcmp (got->data, noise, size) == 0);
  while (f->out[0].done < size)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (f->out[0].done, ==, size);
  g_assert_cmpuint (f->out[0].waiting->len, ==, 2);
  /* all of them are told the end; one counts */
  stdio_fixture_give (f, &f->out[0], "end", 3, TRUE);
  f->out[1].eof = TRUE;
  g_clear_pointer (&got, g_byte_array_unref);
  got = stdio_fixture_collect (fd, G_MAXSIZE);
  g_assert_cmpmem (got->data, got->len, "end", 3);
  close (fd);
}

/* ---- an agent that answers at once -------------------------------------------------- */

#define ROUNDS 40
#define PIECES 300

/* Serves reads of one stream on a thread of its own: an answer may be there before the
 * call that sent the request has returned. */
static gpointer
answer_at_once (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);
  guint64 next = 0, offset = 0;
  VpTtrpcServer server;
  guint8 buffer[4096];
  ssize_t n;

  vp_ttrpc_server_init (&server);
  while ((n = read (fd, buffer, sizeof buffer)) > 0)
    for (gsize at = 0, used; at < (gsize) n; at += used)
      {
        Grpc__ReadStreamResponse answer = GRPC__READ_STREAM_RESPONSE__INIT;
        gboolean is_request
            = vp_ttrpc_server_feed (&server, buffer + at, (gsize) n - at, at == 0, &used) == VP_TTRPC_SERVER_REQUEST;
        g_autofree guint8 *frame = NULL;
        Ttrpc__Request *request;
        gboolean is_stdout;
        gsize len;

        if (!is_request)
          continue;
        g_assert_cmpint (vp_ttrpc_parse_request (server.reader.payload, server.reader.header.length, &request), ==, 0);
        is_stdout = strcmp (request->method, "ReadStdout") == 0;
        ttrpc__request__free_unpacked (request, NULL);
        answer.offset = offset;
        if (is_stdout && next < PIECES)
          {
            answer.data.data = (guint8 *) &next;
            answer.data.len = sizeof next;
          }
        frame = vp_ttrpc_pack_response (server.reader.header.stream, VP_GRPC_OK, NULL, &answer.base, &len);
        offset += answer.data.len;
        next += answer.data.len > 0;
        if (write (fd, frame, len) != (ssize_t) len)
          break;
      }
  vp_ttrpc_server_clear (&server);
  close (fd);
  return NULL;
}

/* Whichever answer is told of first: bytes come in the order of the stream. */
static void
test_at_once (void)
{
  for (guint round = 0; round < ROUNDS; round++)
    {
      g_auto (TestResult) opened = { 0 };
      g_autoptr (VpAgentConn) conn = NULL;
      g_autoptr (VpAgentClient) client = NULL;
      g_autoptr (VpStdio) stdio = NULL;
      g_autoptr (GByteArray) got = NULL;
      GThread *thread;
      int channel[2], out[2];

      g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel));
      g_assert_no_errno (pipe2 (out, O_CLOEXEC));
      thread = g_thread_new ("agent", answer_at_once, GINT_TO_POINTER (channel[1]));
      conn = vp_agent_conn_new_for_fd (channel[0], VP_CHANNEL_PLAIN);
      client = vp_agent_client_new (conn);
      vp_agent_client_open_async (client, 5000, NULL, test_result_ready, &opened);
      test_run_until (&opened.done);
      stdio = vp_stdio_new (client, "box", "", FALSE);
      g_assert_true (vp_stdio_bind_fd (stdio, VP_STDIO_STDOUT, out[1], NULL));
      vp_stdio_start (stdio);
      got = stdio_fixture_collect (out[0], G_MAXSIZE);
      g_assert_cmpuint (got->len, ==, PIECES * sizeof (guint64));
      for (guint64 i = 0; i < PIECES; i++)
        g_assert_cmpmem (got->data + i * sizeof i, sizeof i, &i, sizeof i);
      vp_stdio_stop (stdio);
      vp_agent_client_close (client);
      test_run_for (5);
      g_thread_join (thread);
      close (out[0]);
    }
}

/* Another agent's answers to two reads at once could come in any order. */
static void
test_one_at_a_time (StdioFixture *f, gconstpointer data)
{
  g_autofree guint8 *noise = stdio_fixture_make_noise (100000);
  g_autoptr (GByteArray) got = NULL;
  int fd = stdio_fixture_bind_pipe (f, VP_STDIO_STDOUT);

  f->piece = 1000;
  stdio_fixture_give (f, &f->out[0], noise, 100000, FALSE);
  vp_stdio_start (f->stdio);
  got = stdio_fixture_collect (fd, 100000);
  test_run_for (20);
  g_assert_cmpuint (f->out[0].max_waiting, ==, 1);
  g_assert_cmpuint (f->out[0].done, ==, 0);
  close (fd);
}

/* What is asked ahead for a reader that does not read is bounded, and not said to be done. */
static void
test_slow_ahead (StdioFixture *f, gconstpointer data)
{
  const gsize size = 8u << 20;
  g_autofree guint8 *noise = stdio_fixture_make_noise (size);
  g_autoptr (GByteArray) some = NULL;
  g_autoptr (GByteArray) rest = NULL;
  int fd = stdio_fixture_bind_pipe (f, VP_STDIO_STDOUT);

  f->ours = TRUE;
  stdio_fixture_give (f, &f->out[0], noise, size, TRUE);
  vp_stdio_start (f->stdio);
  some = stdio_fixture_collect (fd, 1u << 20);
  test_run_for (200);
  g_assert_cmpuint (f->out[0].served, <=, some->len + ((3 * 512u + 64u) << 10));
  g_assert_cmpuint (f->out[0].done, <=, some->len + (64u << 10));
  g_assert_cmpuint (f->out[0].done, >, 0);
  rest = stdio_fixture_collect (fd, G_MAXSIZE);
  g_assert_cmpuint (some->len + rest->len, ==, size);
  g_assert_true (memcmp (rest->data, noise + some->len, rest->len) == 0);
  close (fd);
}

static void
test_reader_gone (StdioFixture *f, gconstpointer data)
{
  const gsize size = 2u << 20;
  g_autofree guint8 *noise = stdio_fixture_make_noise (size);
  int fd = stdio_fixture_bind_pipe (f, VP_STDIO_STDOUT);

  close (fd);
  stdio_fixture_give (f, &f->out[0], noise, size, TRUE);
  f->out[1].eof = TRUE;
  vp_stdio_start (f->stdio);
  stdio_fixture_expect_drained (f);
  g_assert_cmpuint (f->out[0].served, ==, size);
  g_assert_cmpuint (vp_stdio_get_dropped (f->stdio, VP_STDIO_STDOUT), ==, size);
}

static void
test_file (StdioFixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "log", NULL);
  const gsize size = 1u << 20;
  g_autofree guint8 *noise = stdio_fixture_make_noise (size);
  g_autofree char *content = NULL;
  gsize len;

  g_assert_true (g_file_set_contents (path, "old", 3, NULL));
  g_assert_true (vp_stdio_bind_path (f->stdio, VP_STDIO_STDOUT, path, NULL));
  g_assert_true (
      vp_stdio_bind_fd (f->stdio, VP_STDIO_STDERR, open ("/dev/null", O_WRONLY | O_CLOEXEC), NULL));
  stdio_fixture_give (f, &f->out[0], noise, size, TRUE);
  stdio_fixture_give (f, &f->out[1], noise, size, TRUE);
  vp_stdio_start (f->stdio);
  stdio_fixture_expect_drained (f);
  g_assert_true (g_file_get_contents (path, &content, &len, NULL));
  g_assert_cmpuint (len, ==, size + 3);
  g_assert_true (memcmp (content, "old", 3) == 0 && memcmp (content + 3, noise, size) == 0);
  g_assert_cmpuint (vp_stdio_get_bytes (f->stdio, VP_STDIO_STDERR), ==, size);
  g_unlink (path);
}

static void
test_full_device (StdioFixture *f, gconstpointer data)
{
  g_assert_true (vp_stdio_bind_path (f->stdio, VP_STDIO_STDOUT, "/dev/full", NULL));
  stdio_fixture_give (f, &f->out[0], "lost", 4, TRUE);
  f->out[1].eof = TRUE;
  vp_stdio_start (f->stdio);
  stdio_fixture_expect_drained (f);
  g_assert_cmpuint (vp_stdio_get_dropped (f->stdio, VP_STDIO_STDOUT), ==, 4);
}

static void
test_flags_kept (StdioFixture *f, gconstpointer data)
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
test_drain_gives_up (StdioFixture *f, gconstpointer data)
{
  const gsize size = 1u << 20;
  g_autofree guint8 *noise = stdio_fixture_make_noise (size);
  g_auto (TestResult) drained = { 0 };
  g_autoptr (GError) error = NULL;
  gint64 started = g_get_monotonic_time ();
  int fd = stdio_fixture_bind_pipe (f, VP_STDIO_STDOUT);

  stdio_fixture_give (f, &f->out[0], noise, size, TRUE);
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
test_stop_ends_drain (StdioFixture *f, gconstpointer data)
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
test_drain_cancelled (StdioFixture *f, gconstpointer data)
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

static void
test_bad_ends (StdioFixture *f, gconstpointer data)
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
      g_assert_error (error, VP_ERROR, (int)cases[i].error);
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* warnings about streams that end early are part of it */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
  STDIO_ADD ("big-output", FALSE, test_big_output);
  STDIO_ADD ("both-outputs", FALSE, test_both_outputs);
  STDIO_ADD ("slow-reader", FALSE, test_slow_reader);
  STDIO_ADD ("ahead", FALSE, test_ahead);
  g_test_add_func ("/stdio/ahead/at-once", test_at_once);
  STDIO_ADD ("ahead/one-at-a-time", FALSE, test_one_at_a_time);
  STDIO_ADD ("ahead/slow-reader", FALSE, test_slow_ahead);
  STDIO_ADD ("reader-gone", FALSE, test_reader_gone);
  STDIO_ADD ("file", FALSE, test_file);
  STDIO_ADD ("full-device", FALSE, test_full_device);
  STDIO_ADD ("flags-kept", FALSE, test_flags_kept);
  STDIO_ADD ("drain/gives-up", FALSE, test_drain_gives_up);
  STDIO_ADD ("drain/stopped", FALSE, test_stop_ends_drain);
  STDIO_ADD ("drain/cancelled", FALSE, test_drain_cancelled);
  STDIO_ADD ("bad-ends", FALSE, test_bad_ends);
  return g_test_run ();
}
