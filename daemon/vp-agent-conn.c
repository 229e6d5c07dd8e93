/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-agent-conn.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "vp-error.h"
#include "vp-fd.h"
#include "vp-ttrpc-client.h"

/* one recv() */
#define CHUNK (64u << 10)
/* the socket is looked for this often: from, up to */
#define RETRY_MIN_MS 10
#define RETRY_MAX_MS 200
/* A sync that got lost in a booting guest is sent again this often. Only the
 * ack of the newest one counts, so that nothing of an older one can follow it;
 * the interval grows for guests so slow that acks take longer than that. */
#define RESYNC_MS 1000
#define RESYNC_MAX_MS 8000
#define RESYNC_PER_STEP 16

typedef enum {
  STATE_NEW,
  STATE_CONNECTING,
  STATE_SYNCING,
  STATE_OPEN,
  STATE_CLOSED,
} State;

typedef struct
{
  guint8 *data; /* from malloc() */
  gsize len;
  gsize sent;
} Chunk;

struct _VpAgentConn
{
  GObject parent_instance;

  char *path;
  VpChannelKind kind;
  State state;
  int fd; /* -1: none */
  GMainContext *context;

  GSource *readable;
  GSource *writable; /* only while something is queued */
  GSource *timer; /* next try to connect, next sync */
  GSource *deadline;
  GSource *cancelled;
  GTask *opening;
  guint retry_ms;
  guint n_syncs;

  VpTtrpcClient wire;
  guint8 *buffer; /* CHUNK bytes */
  gboolean in_feed;
  GQueue queue; /* of Chunk */
  gsize queued;
  guint64 bytes_in;
  guint64 bytes_out;

  VpAgentConnFrameFunc func;
  gpointer func_data;
};

G_DEFINE_FINAL_TYPE (VpAgentConn, vp_agent_conn, G_TYPE_OBJECT)

enum
{
  SIGNAL_CLOSED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

static void try_connect (VpAgentConn *self);
static void send_sync (VpAgentConn *self);

static void
chunk_free (Chunk *chunk)
{
  free (chunk->data);
  g_free (chunk);
}

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* Takes @source, which runs @callback with @self on the connection's context. */
static GSource *
attach (VpAgentConn *self, GSource *source, GSourceFunc callback, const char *name)
{
  g_source_set_callback (source, callback, self, NULL);
  g_source_set_static_name (source, name);
  g_source_attach (source, self->context);
  return source;
}

/* Everything back but the object. What is being fed stays until that is over. */
static void
tear_down (VpAgentConn *self)
{
  self->state = STATE_CLOSED;
  clear_source (&self->readable);
  clear_source (&self->writable);
  clear_source (&self->timer);
  clear_source (&self->deadline);
  clear_source (&self->cancelled);
  vp_fd_clear (&self->fd);
  g_queue_clear_full (&self->queue, (GDestroyNotify) chunk_free);
  self->queued = 0;
  if (!self->in_feed)
    vp_ttrpc_client_clear (&self->wire);
}

/* Takes @error. */
static void
end_with (VpAgentConn *self, GError *error)
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

static void G_GNUC_PRINTF (3, 4)
end_with_code (VpAgentConn *self, VpError code, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  end_with (self, g_error_new (VP_ERROR, (int) code, "agent channel: %s", text));
}

static void
opened (VpAgentConn *self)
{
  g_autoptr (GTask) opening = g_steal_pointer (&self->opening);

  self->state = STATE_OPEN;
  clear_source (&self->timer);
  clear_source (&self->deadline);
  clear_source (&self->cancelled);
  g_task_return_boolean (opening, TRUE);
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

static gboolean
on_writable (gint fd, GIOCondition condition, gpointer user_data)
{
  g_autoptr (VpAgentConn) self = g_object_ref (user_data);

  if (!flush (self))
    {
      end_with_code (self, VP_ERROR_AGENT_UNAVAILABLE, "writing failed: %s", g_strerror (errno));
      return G_SOURCE_REMOVE;
    }
  if (!g_queue_is_empty (&self->queue))
    return G_SOURCE_CONTINUE;
  clear_source (&self->writable);
  return G_SOURCE_REMOVE;
}

/* Takes @data. A failure is left to the next turn of the main loop, so that
 * nobody is called back from within a call. */
static void
enqueue (VpAgentConn *self, guint8 *data, gsize len)
{
  Chunk *chunk = g_new0 (Chunk, 1);

  chunk->data = data;
  chunk->len = len;
  g_queue_push_tail (&self->queue, chunk);
  self->queued += len;
  if (self->writable != NULL)
    return;
  if (!flush (self) || !g_queue_is_empty (&self->queue))
    self->writable = attach (self, g_unix_fd_source_new (self->fd, G_IO_OUT), G_SOURCE_FUNC (on_writable),
                             "agent channel: writable");
}

static void
end_with_violation (VpAgentConn *self, int code)
{
  const VpFrameHeader *header = &self->wire.reader.header;

  switch (code)
    {
    case -EMSGSIZE:
      end_with_code (self, VP_ERROR_AGENT_UNAVAILABLE,
                     "protocol violation: the guest announced a frame of %" G_GUINT32_FORMAT
                     " bytes, more than %u",
                     header->length, VP_FRAME_MAX);
      return;
    case -ENOMEM:
      end_with_code (self, VP_ERROR_AGENT_UNAVAILABLE, "out of memory for a frame");
      return;
    default:
      end_with_code (self, VP_ERROR_AGENT_UNAVAILABLE,
                     "protocol violation: the guest sent a frame of type %u where only a response may be",
                     header->type);
    }
}

/* FALSE when the connection has ended meanwhile. */
static gboolean
feed (VpAgentConn *self, gsize len)
{
  const guint8 *data = self->buffer;
  int event = VP_TTRPC_CLIENT_RESPONSE;

  self->in_feed = TRUE;
  while (event > 0 && self->state != STATE_CLOSED)
    {
      gsize consumed = 0;

      event = vp_ttrpc_client_feed (&self->wire, data, len, &consumed);
      data += consumed;
      len -= consumed;
      if (event == VP_TTRPC_CLIENT_SYNCED)
        opened (self);
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

  while (budget > 0)
    {
      ssize_t n = recv (self->fd, self->buffer, MIN (CHUNK, budget), 0);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        break;
      if (n <= 0)
        {
          end_with_code (self, VP_ERROR_AGENT_UNAVAILABLE, "%s",
                         n == 0 ? "the other end has closed it" : g_strerror (errno));
          return G_SOURCE_REMOVE;
        }
      self->bytes_in += (guint64) n;
      budget -= (gsize) n;
      if (!feed (self, (gsize) n))
        return G_SOURCE_REMOVE;
    }
  return G_SOURCE_CONTINUE;
}

static gboolean
on_resync (gpointer user_data)
{
  send_sync (user_data);
  return G_SOURCE_REMOVE;
}

static void
send_sync (VpAgentConn *self)
{
  guint8 token[VP_SYNC_TOKEN];
  guint8 *message = g_try_malloc (VP_SYNC_SIZE);
  guint wait_ms = MIN (RESYNC_MS << MIN (self->n_syncs / RESYNC_PER_STEP, 3), RESYNC_MAX_MS);

  clear_source (&self->timer);
  if (message == NULL || getrandom (token, sizeof token, 0) != sizeof token)
    {
      g_free (message);
      end_with_code (self, VP_ERROR_FAILED, "no random bytes for the handshake");
      return;
    }
  self->n_syncs++;
  vp_ttrpc_client_start_sync (&self->wire, token, message);
  self->timer = attach (self, g_timeout_source_new (wait_ms), on_resync, "agent channel: resync");
  enqueue (self, message, VP_SYNC_SIZE);
}

static void
connected (VpAgentConn *self)
{
  self->buffer = g_malloc (CHUNK);
  self->readable = attach (self, g_unix_fd_source_new (self->fd, G_IO_IN), G_SOURCE_FUNC (on_readable),
                           "agent channel: readable");
  if (self->kind == VP_CHANNEL_PLAIN)
    {
      opened (self);
      return;
    }
  self->state = STATE_SYNCING;
  send_sync (self);
}

static gboolean
on_retry (gpointer user_data)
{
  try_connect (user_data);
  return G_SOURCE_REMOVE;
}

/* Connects to a path of any length: one that does not fit is reached through
 * its directory's descriptor. 0 or -errno. */
static int
connect_path (int fd, const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  VP_AUTO_FD dir = -1;

  if (strlen (path) < sizeof address.sun_path)
    g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  else
    {
      g_autofree char *dirname = g_path_get_dirname (path);
      g_autofree char *basename = g_path_get_basename (path);
      int n;

      dir = open (dirname, O_PATH | O_DIRECTORY | O_CLOEXEC);
      if (dir < 0)
        return -errno;
      n = g_snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir, basename);
      if (n >= (int) sizeof address.sun_path)
        return -ENAMETOOLONG;
    }
  return connect (fd, (struct sockaddr *) &address, sizeof address) == 0 ? 0 : -errno;
}

static void
try_connect (VpAgentConn *self)
{
  VP_AUTO_FD fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int r = fd < 0 ? -errno : connect_path (fd, self->path);

  clear_source (&self->timer);
  switch (r)
    {
    case 0:
      self->fd = vp_fd_steal (&fd);
      connected (self);
      return;
    case -ENOENT: /* not made yet */
    case -ECONNREFUSED: /* made, nobody listens yet */
    case -EAGAIN: /* nobody accepts yet */
    case -EINTR:
      self->timer = attach (self, g_timeout_source_new (self->retry_ms), on_retry, "agent channel: connect");
      self->retry_ms = MIN (self->retry_ms * 2, RETRY_MAX_MS);
      return;
    default:
      {
        GError *error = NULL;

        vp_error_set_errno (&error, -r, "agent channel %s", self->path);
        end_with (self, error);
      }
    }
}

static gboolean
on_open_deadline (gpointer user_data)
{
  VpAgentConn *self = user_data;

  if (self->state == STATE_CONNECTING)
    end_with_code (self, VP_ERROR_TIMED_OUT, "nobody listens at %s", self->path);
  else
    end_with_code (self, VP_ERROR_TIMED_OUT, "the agent does not answer (%u handshakes sent)", self->n_syncs);
  return G_SOURCE_REMOVE;
}

static gboolean
on_open_cancelled (GCancellable *cancellable, gpointer user_data)
{
  end_with_code (user_data, VP_ERROR_CANCELLED, "opening was cancelled");
  return G_SOURCE_REMOVE;
}

void
vp_agent_conn_open_async (VpAgentConn *self, guint timeout_ms, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, vp_agent_conn_open_async);
  /* cancellation is answered here, in our own error domain */
  g_task_set_check_cancellable (task, FALSE);
  if (self->state != STATE_NEW)
    {
      g_task_return_new_error (task, VP_ERROR, VP_ERROR_INVALID_STATE, "agent channel: opened once already");
      return;
    }

  self->state = STATE_CONNECTING;
  self->context = g_main_context_ref_thread_default ();
  self->opening = g_steal_pointer (&task);
  if (timeout_ms != 0)
    self->deadline
        = attach (self, g_timeout_source_new (timeout_ms), on_open_deadline, "agent channel: deadline");
  if (cancellable != NULL)
    self->cancelled = attach (self, g_cancellable_source_new (cancellable), G_SOURCE_FUNC (on_open_cancelled),
                              "agent channel: cancelled");
  if (self->fd >= 0)
    connected (self);
  else
    try_connect (self);
}

gboolean
vp_agent_conn_open_finish (VpAgentConn *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
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
  enqueue (self, frame, len);
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
  end_with (self, g_error_copy (error));
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

void
vp_agent_conn_set_frame_func (VpAgentConn *self, VpAgentConnFrameFunc func, gpointer user_data)
{
  self->func = func;
  self->func_data = user_data;
}

static void
vp_agent_conn_finalize (GObject *object)
{
  VpAgentConn *self = VP_AGENT_CONN (object);

  tear_down (self);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_free (self->buffer);
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
