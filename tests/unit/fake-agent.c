/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-agent.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent.pb-c.h"
#include "health.pb-c.h"
#include "vp-ttrpc-server.h"
#include "vp-ttrpc.h"

struct _FakeAgent
{
  int fd;
  int listener;
  guint in;
  guint out;
  guint accept;
  VpTtrpcServer wire;
  GByteArray *queue;
  FakeAgentFunc func;
  gpointer func_data;
  guint n_ignored;
  GBytes *garbage;
  guint n_syncs;
  guint n_requests;
};

static gboolean
on_writable (gint fd, GIOCondition condition, gpointer user_data)
{
  FakeAgent *self = user_data;
  ssize_t n = send (self->fd, self->queue->data, self->queue->len, MSG_NOSIGNAL | MSG_DONTWAIT);

  if (n > 0)
    g_byte_array_remove_range (self->queue, 0, (guint) n);
  else if (n < 0 && errno != EAGAIN)
    g_byte_array_set_size (self->queue, 0);
  if (self->queue->len > 0)
    return G_SOURCE_CONTINUE;
  self->out = 0;
  return G_SOURCE_REMOVE;
}

void
fake_agent_send_raw (FakeAgent *self, const void *data, gsize len)
{
  g_byte_array_append (self->queue, data, (guint) len);
  if (self->out == 0 && self->fd >= 0)
    self->out = g_unix_fd_add (self->fd, G_IO_OUT, on_writable, self);
}

static void
send_frame (FakeAgent *self, guint8 *frame, gsize len)
{
  g_assert_nonnull (frame);
  fake_agent_send_raw (self, frame, len);
  free (frame);
}

void
fake_agent_reply (FakeAgent *self, guint32 stream, const ProtobufCMessage *answer)
{
  gsize len = 0;
  guint8 *frame = vp_ttrpc_pack_response (stream, VP_GRPC_OK, NULL, answer, &len);

  send_frame (self, frame, len);
}

void
fake_agent_reply_empty (FakeAgent *self, guint32 stream)
{
  fake_agent_reply (self, stream, NULL);
}

void
fake_agent_reply_error (FakeAgent *self, guint32 stream, int code, const char *message)
{
  gsize len = 0;
  guint8 *frame = vp_ttrpc_pack_response (stream, code, message, NULL, &len);

  send_frame (self, frame, len);
}

void
fake_agent_reply_data (FakeAgent *self, guint32 stream, const void *data, gsize len)
{
  Grpc__ReadStreamResponse answer = GRPC__READ_STREAM_RESPONSE__INIT;

  answer.data.data = (guint8 *) data;
  answer.data.len = len;
  fake_agent_reply (self, stream, &answer.base);
}

static void
handle_sync (FakeAgent *self)
{
  guint8 ack[VP_SYNC_SIZE];

  self->n_syncs++;
  g_byte_array_set_size (self->queue, 0);
  if (self->n_syncs <= self->n_ignored)
    return;
  if (self->garbage != NULL)
    fake_agent_send_raw (self, g_bytes_get_data (self->garbage, NULL), g_bytes_get_size (self->garbage));
  vp_ttrpc_server_get_ack (&self->wire, ack);
  fake_agent_send_raw (self, ack, sizeof ack);
}

static void
handle_request (FakeAgent *self)
{
  guint32 stream = self->wire.reader.header.stream;
  Grpc__HealthCheckResponse serving = GRPC__HEALTH_CHECK_RESPONSE__INIT;
  Ttrpc__Request *request = NULL;
  ProtobufCMessage *message;
  int rpc;

  self->n_requests++;
  g_assert_cmpint (
      vp_ttrpc_parse_request (self->wire.reader.payload, self->wire.reader.header.length, &request), ==, 0);
  rpc = vp_rpc_find (request->service, request->method);
  g_assert_cmpint (rpc, >=, 0);
  message = protobuf_c_message_unpack (vp_rpc_info ((VpRpc) rpc)->request, NULL, request->payload.len,
                                       request->payload.data);
  g_assert_nonnull (message);
  if (self->func == NULL || !self->func (self, stream, (VpRpc) rpc, message, self->func_data))
    {
      serving.status = GRPC__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
      if (rpc == VP_RPC_HEALTH_CHECK)
        fake_agent_reply (self, stream, &serving.base);
      else
        fake_agent_reply_error (self, stream, VP_GRPC_UNIMPLEMENTED, "not played");
    }
  protobuf_c_message_free_unpacked (message, NULL);
  ttrpc__request__free_unpacked (request, NULL);
}

static gboolean
on_readable (gint fd, GIOCondition condition, gpointer user_data)
{
  FakeAgent *self = user_data;
  static guint8 buffer[1u << 16];
  const guint8 *data = buffer;
  ssize_t n = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT);
  gboolean first = TRUE;
  gsize len;
  int event = VP_TTRPC_SERVER_REQUEST;

  if (n <= 0)
    {
      self->in = 0;
      return G_SOURCE_REMOVE;
    }
  len = (gsize) n;
  while (event != VP_TTRPC_SERVER_MORE && self->fd >= 0)
    {
      gsize consumed = 0;

      event = vp_ttrpc_server_feed (&self->wire, data, len, first, &consumed);
      first = FALSE;
      data += consumed;
      len -= consumed;
      if (event == VP_TTRPC_SERVER_SYNC)
        handle_sync (self);
      else if (event == VP_TTRPC_SERVER_REQUEST)
        handle_request (self);
      else
        g_assert_cmpint (event, ==, VP_TTRPC_SERVER_MORE);
    }
  if (self->fd >= 0)
    return G_SOURCE_CONTINUE;
  self->in = 0;
  return G_SOURCE_REMOVE;
}

static void
set_fd (FakeAgent *self, int fd)
{
  self->fd = fd;
  self->in = g_unix_fd_add (fd, G_IO_IN, on_readable, self);
}

static gboolean
on_connection (gint fd, GIOCondition condition, gpointer user_data)
{
  FakeAgent *self = user_data;

  set_fd (self, accept (fd, NULL, NULL));
  self->accept = 0;
  return G_SOURCE_REMOVE;
}

static FakeAgent *
fake_agent_new (void)
{
  FakeAgent *self = g_new0 (FakeAgent, 1);

  self->fd = self->listener = -1;
  self->queue = g_byte_array_new ();
  vp_ttrpc_server_init (&self->wire);
  return self;
}

FakeAgent *
fake_agent_new_for_fd (int fd)
{
  FakeAgent *self = fake_agent_new ();

  set_fd (self, fd);
  return self;
}

FakeAgent *
fake_agent_listen (const char *path)
{
  FakeAgent *self = fake_agent_new ();
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  self->listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_no_errno (bind (self->listener, (struct sockaddr *) &address, sizeof address));
  g_assert_no_errno (listen (self->listener, 1));
  self->accept = g_unix_fd_add (self->listener, G_IO_IN, on_connection, self);
  return self;
}

void
fake_agent_stall (FakeAgent *self)
{
  g_clear_handle_id (&self->in, g_source_remove);
}

void
fake_agent_hang_up (FakeAgent *self)
{
  g_clear_handle_id (&self->out, g_source_remove);
  /* the input source sees that there is no descriptor any more when this comes from a handler */
  if (self->fd >= 0)
    shutdown (self->fd, SHUT_RDWR);
}

void
fake_agent_free (FakeAgent *self)
{
  if (self == NULL)
    return;
  g_clear_handle_id (&self->in, g_source_remove);
  g_clear_handle_id (&self->out, g_source_remove);
  g_clear_handle_id (&self->accept, g_source_remove);
  if (self->fd >= 0)
    close (self->fd);
  if (self->listener >= 0)
    close (self->listener);
  vp_ttrpc_server_clear (&self->wire);
  g_byte_array_unref (self->queue);
  g_clear_pointer (&self->garbage, g_bytes_unref);
  g_free (self);
}

void
fake_agent_set_func (FakeAgent *self, FakeAgentFunc func, gpointer user_data)
{
  self->func = func;
  self->func_data = user_data;
}

void
fake_agent_set_sync (FakeAgent *self, guint n_ignored, GBytes *garbage)
{
  self->n_ignored = n_ignored;
  self->garbage = garbage != NULL ? g_bytes_ref (garbage) : NULL;
}

gboolean
fake_agent_is_connected (FakeAgent *self)
{
  return self->fd >= 0;
}

guint
fake_agent_get_n_syncs (FakeAgent *self)
{
  return self->n_syncs;
}

guint
fake_agent_get_n_requests (FakeAgent *self)
{
  return self->n_requests;
}

gsize
fake_agent_get_queued (FakeAgent *self)
{
  return self->queue->len;
}

/* ---- main loop ------------------------------------------------------------------- */

static gboolean
on_tick (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

void
test_run_until (const gboolean *flag)
{
  gint64 end = g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND;
  guint tick = g_timeout_add (200, on_tick, NULL);

  while (!*flag)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_main_context_iteration (NULL, TRUE);
    }
  g_source_remove (tick);
}

static gboolean
on_over (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

void
test_run_for (guint ms)
{
  gboolean over = FALSE;

  g_timeout_add (ms, on_over, &over);
  test_run_until (&over);
}

void
test_result_ready (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TestResult *self = user_data;

  g_assert_false (self->done);
  self->done = TRUE;
  self->source = source != NULL ? g_object_ref (source) : NULL;
  self->result = g_object_ref (result);
}

void
test_result_clear (TestResult *self)
{
  g_clear_object (&self->source);
  g_clear_object (&self->result);
  self->done = FALSE;
}
