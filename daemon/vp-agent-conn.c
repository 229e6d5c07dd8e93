/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-agent-conn-private.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "vp-fd.h"
#include "vp-source.h"

/* one recv() */
#define CHUNK (64u << 10)

G_DEFINE_FINAL_TYPE (VpAgentConn, vp_agent_conn, G_TYPE_OBJECT)

enum
{
  SIGNAL_CLOSED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

static void
chunk_free (Chunk *chunk)
{
  free (chunk->data);
  g_free (chunk);
}

GSource *
vp_agent_conn_attach (VpAgentConn *self, GSource *source, GSourceFunc callback, const char *name)
{
  g_source_set_callback (source, callback, self, NULL);
  g_source_set_static_name (source, name);
  g_source_attach (source, self->context);
  return source;
}

void
vp_agent_conn_drop_socket (VpAgentConn *self)
{
  g_clear_pointer (&self->readable, vp_source_end);
  g_clear_pointer (&self->writable, vp_source_end);
  g_clear_pointer (&self->timer, vp_source_end);
  vp_fd_clear (&self->fd);
  g_queue_clear_full (&self->queue, (GDestroyNotify) chunk_free);
  self->queued = 0;
}

/* Everything back but the object. What is being fed stays until that is over. */
static void
tear_down (VpAgentConn *self)
{
  self->state = STATE_CLOSED;
  vp_agent_conn_drop_socket (self);
  g_clear_pointer (&self->deadline, vp_source_end);
  g_clear_pointer (&self->cancelled, vp_source_end);
  if (!self->in_feed)
    vp_ttrpc_client_clear (&self->wire);
}

void
vp_agent_conn_end_with (VpAgentConn *self, GError *error)
{
  g_autoptr (GError) reason = error;
  g_autoptr (GTask) opening = g_steal_pointer (&self->opening);
  gboolean was_open = self->state == STATE_OPEN;

  if (self->state == STATE_CLOSED)
    return;
  tear_down (self);
  if (opening != NULL)
    g_task_return_error (opening, g_steal_pointer (&reason));
  else if (was_open)
    g_signal_emit (self, signals[SIGNAL_CLOSED], 0, reason);
}

void
vp_agent_conn_end_with_code (VpAgentConn *self, VpError code, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  vp_agent_conn_end_with (self, g_error_new (VP_ERROR, (int) code, "agent channel: %s", text));
}

/* Sends what the socket takes; FALSE with errno when the socket is of no use. */
static gboolean
flush (VpAgentConn *self)
{
  gsize budget = VP_AGENT_CONN_SLICE;
  Chunk *chunk;

  while (budget > 0 && (chunk = g_queue_peek_head (&self->queue)) != NULL)
    {
      ssize_t n
          = send (self->fd, chunk->data + chunk->sent, MIN (chunk->len - chunk->sent, budget), MSG_NOSIGNAL);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return errno == EAGAIN;
      chunk->sent += (gsize) n;
      budget -= (gsize) n;
      self->queued -= (gsize) n;
      self->bytes_out += (guint64) n;
      if (chunk->sent == chunk->len)
        chunk_free (g_queue_pop_head (&self->queue));
    }
  return TRUE;
}

/* The other end is gone, or was when we were handed the socket. */
static void
lose_peer (VpAgentConn *self, const char *why)
{
  if (self->inherited && self->state == STATE_SYNCING)
    vp_agent_conn_start_over (self);
  else
    vp_agent_conn_end_with_code (self, VP_ERROR_AGENT_UNAVAILABLE, "%s", why);
}

static gboolean
on_writable (gint fd, GIOCondition condition, gpointer user_data)
{
  g_autoptr (VpAgentConn) self = g_object_ref (user_data);

  if (!flush (self))
    {
      g_autofree char *why = g_strdup_printf ("writing failed: %s", g_strerror (errno));

      lose_peer (self, why);
      return G_SOURCE_REMOVE;
    }
  if (!g_queue_is_empty (&self->queue))
    return G_SOURCE_CONTINUE;
  g_clear_pointer (&self->writable, vp_source_end);
  return G_SOURCE_REMOVE;
}

/* Takes @data. A failure is left to the next turn of the main loop, so that
 * nobody is called back from within a call. */
void
vp_agent_conn_enqueue (VpAgentConn *self, guint8 *data, gsize len)
{
  Chunk *chunk = g_new0 (Chunk, 1);

  chunk->data = data;
  chunk->len = len;
  g_queue_push_tail (&self->queue, chunk);
  self->queued += len;
  if (self->writable != NULL)
    return;
  if (!flush (self) || !g_queue_is_empty (&self->queue))
    self->writable = vp_agent_conn_attach (self, g_unix_fd_source_new (self->fd, G_IO_OUT), G_SOURCE_FUNC (on_writable),
                             "agent channel: writable");
}

static void
end_with_violation (VpAgentConn *self, int code)
{
  const VpFrameHeader *header = &self->wire.reader.header;

  switch (code)
    {
    case -EMSGSIZE:
      vp_agent_conn_end_with_code (self, VP_ERROR_AGENT_UNAVAILABLE,
                     "protocol violation: the guest announced a frame of %" G_GUINT32_FORMAT
                     " bytes, more than %u",
                     header->length, VP_FRAME_MAX);
      return;
    case -ENOMEM:
      vp_agent_conn_end_with_code (self, VP_ERROR_AGENT_UNAVAILABLE, "out of memory for a frame");
      return;
    default:
      vp_agent_conn_end_with_code (self, VP_ERROR_AGENT_UNAVAILABLE,
                     "protocol violation: the guest sent a frame of type %u where only a response may be",
                     header->type);
    }
}

/* A frame of another type, or one that nobody waits for, is never assembled. */
static int
admit_frame (const VpFrameHeader *header, void *data)
{
  VpAgentConn *self = data;
  gboolean wanted;

  if (header->type != VP_FRAME_RESPONSE)
    return -EPROTO;
  wanted = self->admit == NULL || self->admit (self, header->stream, header->length, self->func_data);
  return self->state == STATE_CLOSED ? -ECANCELED : wanted;
}

/* FALSE when the connection has ended meanwhile. */
static gboolean
feed (VpAgentConn *self, const guint8 *data, gsize len)
{
  int event = VP_TTRPC_CLIENT_RESPONSE;

  self->in_feed = TRUE;
  while (event > 0 && self->state != STATE_CLOSED)
    {
      gsize consumed = 0;

      event = vp_ttrpc_client_feed (&self->wire, data, len, &consumed);
      data += consumed;
      len -= consumed;
      if (event == VP_TTRPC_CLIENT_SYNCED)
        vp_agent_conn_opened (self);
      else if (event == VP_TTRPC_CLIENT_RESPONSE && self->func != NULL)
        self->func (self, self->wire.reader.header.stream, self->wire.reader.payload,
                    self->wire.reader.header.length, self->func_data);
      else if (event < 0)
        end_with_violation (self, event);
    }
  self->in_feed = FALSE;

  if (self->state != STATE_CLOSED)
    return TRUE;
  vp_ttrpc_client_clear (&self->wire);
  return FALSE;
}

static gboolean
on_readable (gint fd, GIOCondition condition, gpointer user_data)
{
  g_autoptr (VpAgentConn) self = g_object_ref (user_data);
  gsize budget = VP_AGENT_CONN_SLICE;
  guint8 buffer[CHUNK]; /* empty between two turns: no connection needs one of its own */

  while (budget > 0)
    {
      ssize_t n = recv (self->fd, buffer, MIN (sizeof buffer, budget), 0);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        break;
      if (n <= 0)
        {
          lose_peer (self, n == 0 ? "the other end has closed it" : g_strerror (errno));
          return G_SOURCE_REMOVE;
        }
      self->bytes_in += (guint64) n;
      budget -= (gsize) n;
      if (!feed (self, buffer, (gsize) n))
        return G_SOURCE_REMOVE;
    }
  return G_SOURCE_CONTINUE;
}

void
vp_agent_conn_start_reading (VpAgentConn *self)
{
  self->readable = vp_agent_conn_attach (self, g_unix_fd_source_new (self->fd, G_IO_IN), G_SOURCE_FUNC (on_readable),
                                         "agent channel: readable");
}

guint32
vp_agent_conn_next_stream (VpAgentConn *self)
{
  return vp_ttrpc_client_next_stream (&self->wire);
}

gboolean
vp_agent_conn_send (VpAgentConn *self, guint8 *frame, gsize len, GError **error)
{
  if (self->state != STATE_OPEN)
    {
      free (frame);
      g_set_error_literal (error, VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE, "agent channel: not open");
      return FALSE;
    }
  if (len > VP_AGENT_CONN_MAX_QUEUE - self->queued)
    {
      free (frame);
      g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED,
                   "agent channel: %" G_GSIZE_FORMAT " bytes wait for the guest to take them", self->queued);
      return FALSE;
    }
  vp_agent_conn_enqueue (self, frame, len);
  return TRUE;
}

void
vp_agent_conn_close (VpAgentConn *self)
{
  g_autoptr (GTask) opening = g_steal_pointer (&self->opening);

  if (self->state == STATE_CLOSED)
    return;
  tear_down (self);
  if (opening != NULL)
    g_task_return_new_error (opening, VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE, "agent channel: closed");
}

void
vp_agent_conn_fail (VpAgentConn *self, const GError *error)
{
  vp_agent_conn_end_with (self, g_error_copy (error));
}

gboolean
vp_agent_conn_is_open (VpAgentConn *self)
{
  return self->state == STATE_OPEN;
}

guint64
vp_agent_conn_get_bytes_in (VpAgentConn *self)
{
  return self->bytes_in;
}

guint64
vp_agent_conn_get_bytes_out (VpAgentConn *self)
{
  return self->bytes_out;
}

gsize
vp_agent_conn_get_queued (VpAgentConn *self)
{
  return self->queued;
}

int
vp_agent_conn_get_fd (VpAgentConn *self)
{
  return self->fd;
}

void
vp_agent_conn_set_frame_func (VpAgentConn *self, VpAgentConnAdmitFunc admit, VpAgentConnFrameFunc func,
                              gpointer user_data)
{
  self->admit = admit;
  self->func = func;
  self->func_data = user_data;
}

static void
vp_agent_conn_finalize (GObject *object)
{
  VpAgentConn *self = VP_AGENT_CONN (object);

  tear_down (self);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_free (self->path);
  G_OBJECT_CLASS (vp_agent_conn_parent_class)->finalize (object);
}

static void
vp_agent_conn_class_init (VpAgentConnClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = vp_agent_conn_finalize;

  signals[SIGNAL_CLOSED] = g_signal_new ("closed", VP_TYPE_AGENT_CONN, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                         G_TYPE_NONE, 1, G_TYPE_ERROR | G_SIGNAL_TYPE_STATIC_SCOPE);
}

static void
vp_agent_conn_init (VpAgentConn *self)
{
  self->fd = -1;
  self->retry_ms = RETRY_MIN_MS;
  g_queue_init (&self->queue);
  vp_ttrpc_client_init (&self->wire);
  self->wire.reader.admit = admit_frame;
  self->wire.reader.admit_data = self;
}

VpAgentConn *
vp_agent_conn_new (const char *path, VpChannelKind kind)
{
  VpAgentConn *self = g_object_new (VP_TYPE_AGENT_CONN, NULL);

  self->path = g_strdup (path);
  self->kind = kind;
  return self;
}

VpAgentConn *
vp_agent_conn_new_for_fd (int fd, VpChannelKind kind)
{
  VpAgentConn *self = g_object_new (VP_TYPE_AGENT_CONN, NULL);

  self->fd = fd;
  self->kind = kind;
  (void) g_unix_set_fd_nonblocking (fd, TRUE, NULL);
  return self;
}

void
vp_agent_conn_take_fd (VpAgentConn *self, int fd)
{
  g_return_if_fail (self->state == STATE_NEW && self->fd < 0);

  if (fd < 0)
    return;
  if (self->kind == VP_CHANNEL_PLAIN)
    {
      vp_fd_clear (&fd);
      return;
    }
  self->fd = fd;
  self->inherited = TRUE;
  (void) g_unix_set_fd_nonblocking (fd, TRUE, NULL);
}
