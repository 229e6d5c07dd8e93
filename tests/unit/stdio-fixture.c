/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stdio-fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.pb-c.h"

static void
serve (StdioFixture *f, StdioSource *source, guint32 stream, gsize asked)
{
  Grpc__ReadStreamResponse answer = GRPC__READ_STREAM_RESPONSE__INIT;
  gsize n = MIN (asked, source->len - source->served);

  if (n == 0 && !source->eof)
    {
      g_array_append_val (source->waiting, stream);
      source->max_waiting = MAX (source->max_waiting, source->waiting->len);
      return;
    }
  if (f->piece != 0)
    n = MIN (n, f->piece);
  answer.data.data = (guint8 *) source->data + source->served;
  answer.data.len = n;
  answer.offset = f->ours ? source->offset : 0;
  fake_agent_reply (f->agent, stream, &answer.base);
  source->served += n;
  source->offset += n;
}

void
stdio_fixture_give (StdioFixture *f, StdioSource *source, const void *data, gsize len, gboolean eof)
{
  g_autoptr (GArray) waiting = g_steal_pointer (&source->waiting);

  source->data = data;
  source->len = len;
  source->served = 0;
  source->eof = eof;
  source->waiting = g_array_new (FALSE, FALSE, sizeof (guint32));
  for (guint i = 0; i < waiting->len; i++)
    serve (f, source, g_array_index (waiting, guint32, i), 256u << 10);
}

static gboolean
play (FakeAgent *agent, guint32 stream, VpRpc rpc, const ProtobufCMessage *request, gpointer user_data)
{
  StdioFixture *f = user_data;
  Grpc__WriteStreamResponse written = GRPC__WRITE_STREAM_RESPONSE__INIT;
  const Grpc__WriteStreamRequest *write_request = (const Grpc__WriteStreamRequest *)request;
  const Grpc__ReadStreamRequest *read_request = (const Grpc__ReadStreamRequest *) request;
  StdioSource *source;

  switch (rpc)
    {
    case VP_RPC_READ_STDOUT:
    case VP_RPC_READ_STDERR:
      source = &f->out[rpc == VP_RPC_READ_STDERR];
      source->done = read_request->done;
      serve (f, source, stream, read_request->len);
      return TRUE;
    case VP_RPC_WRITE_STDIN:
      written.len = (guint32)write_request->data.len;
      if (f->max_write != 0)
        written.len = (guint32)MIN (written.len, f->max_write);
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

void
stdio_fixture_set_up (StdioFixture *f, gconstpointer data)
{
  g_auto (TestResult) opened = { 0 };
  g_autoptr (VpAgentConn) conn = NULL;
  int fds[2];

  f->dir = g_dir_make_tmp ("vp-stdio-XXXXXX", NULL);
  f->in = g_byte_array_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (f->out); i++)
    f->out[i].waiting = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  f->agent = fake_agent_new_for_fd (fds[1]);
  fake_agent_set_func (f->agent, play, f);
  conn = vp_agent_conn_new_for_fd (fds[0], VP_CHANNEL_SERIAL);
  f->client = vp_agent_client_new (conn);
  vp_agent_client_open_async (f->client, 5000, NULL, test_result_ready, &opened);
  test_run_until (&opened.done);
  f->stdio = vp_stdio_new (f->client, "box", "", GPOINTER_TO_INT (data));
}

void
stdio_fixture_tear_down (StdioFixture *f, gconstpointer data)
{
  vp_stdio_stop (f->stdio);
  vp_agent_client_close (f->client);
  /* what was under way lets go */
  test_run_for (5);
  g_assert_finalize_object (f->stdio);
  g_assert_finalize_object (f->client);
  fake_agent_free (f->agent);
  g_byte_array_unref (f->in);
  for (gsize i = 0; i < G_N_ELEMENTS (f->out); i++)
    g_array_unref (f->out[i].waiting);
  g_rmdir (f->dir);
  g_free (f->dir);
}

guint8 *
stdio_fixture_make_noise (gsize len)
{
  guint8 *noise = g_malloc (len);
  guint32 state = 2463534242u;

  for (gsize i = 0; i < len; i++)
    {
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
      noise[i] = (guint8)state;
    }
  return noise;
}

GByteArray *
stdio_fixture_collect (int fd, gsize want)
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
      g_byte_array_append (bytes, buffer, (guint)n);
    }
  return bytes;
}

void
stdio_fixture_expect_drained (StdioFixture *f)
{
  g_auto (TestResult) drained = { 0 };
  g_autoptr (GError) error = NULL;

  vp_stdio_drain_async (f->stdio, NULL, test_result_ready, &drained);
  test_run_until (&drained.done);
  g_assert_true (vp_stdio_drain_finish (f->stdio, drained.result, &error));
  g_assert_no_error (error);
}

int
stdio_fixture_bind_pipe (StdioFixture *f, VpStdioStream stream)
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
