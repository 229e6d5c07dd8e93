/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-agent-conn-private.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "vp-agent-address.h"
#include "vp-fd.h"
#include "vp-source.h"

/* From a path to a channel that frames may use: connecting, again and again
 * until somebody listens, and the handshake. */

/* the socket is looked for up to this often */
#define RETRY_MAX_MS 200
/* A sync that got lost in a booting guest is sent again this often. Only the
 * ack of the newest one counts, so that nothing of an older one can follow it;
 * the interval grows for guests so slow that acks take longer than that. */
#define RESYNC_MS 1000
#define RESYNC_MAX_MS 8000
#define RESYNC_PER_STEP 16
/* After so many without an ack, and twice and four times as many, the socket is
 * exchanged: QEMU that lost its last peer in the middle of writing may pass
 * nothing from the guest any more until a peer has hung up. */
#define RECONNECT_SYNCS 4

static void try_connect (VpAgentConn *self);
static void send_sync (VpAgentConn *self);

void
vp_agent_conn_opened (VpAgentConn *self)
{
  g_autoptr (GTask) opening = g_steal_pointer (&self->opening);

  self->state = STATE_OPEN;
  g_clear_pointer (&self->timer, vp_source_end);
  g_clear_pointer (&self->deadline, vp_source_end);
  g_clear_pointer (&self->cancelled, vp_source_end);
  g_task_return_boolean (opening, TRUE);
}

static gboolean
on_resync (gpointer user_data)
{
  VpAgentConn *self = user_data;
  guint n = self->n_syncs;

  if (self->path != NULL && n >= RECONNECT_SYNCS && (n & (n - 1)) == 0)
    vp_agent_conn_start_over (self);
  else
    send_sync (self);
  return G_SOURCE_REMOVE;
}

static void
send_sync (VpAgentConn *self)
{
  guint8 token[VP_SYNC_TOKEN];
  guint8 *message = g_try_malloc (VP_SYNC_SIZE);
  guint wait_ms = MIN (RESYNC_MS << MIN (self->n_syncs / RESYNC_PER_STEP, 3), RESYNC_MAX_MS);

  g_clear_pointer (&self->timer, vp_source_end);
  if (message == NULL || getrandom (token, sizeof token, 0) != sizeof token)
    {
      g_free (message);
      vp_agent_conn_end_with_code (self, VP_ERROR_FAILED, "no random bytes for the handshake");
      return;
    }
  self->n_syncs++;
  vp_ttrpc_client_start_sync (&self->wire, token, message);
  self->timer = vp_agent_conn_attach (self, g_timeout_source_new (wait_ms), on_resync, "agent channel: resync");
  vp_agent_conn_enqueue (self, message, VP_SYNC_SIZE);
}

static void
connected (VpAgentConn *self)
{
  vp_agent_conn_start_reading (self);
  if (self->kind == VP_CHANNEL_PLAIN)
    {
      vp_agent_conn_opened (self);
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

/* @r: 0 or the negative errno of a connect, with which the descriptor is of no more use. */
static void
handle_connect (VpAgentConn *self, int r)
{
  GError *error = NULL;

  if (r == 0)
    {
      connected (self);
      return;
    }
  vp_fd_clear (&self->fd);
  if (vp_agent_address_is_worth_waiting (self->path, -r))
    {
      self->timer = vp_agent_conn_attach (self, g_timeout_source_new (self->retry_ms), on_retry, "agent channel: connect");
      self->retry_ms = MIN (self->retry_ms * 2, RETRY_MAX_MS);
      return;
    }
  vp_error_set_errno (&error, -r, "agent channel %s", self->path);
  vp_agent_conn_end_with (self, error);
}

static gboolean
on_connect_over (gint fd, GIOCondition condition, gpointer user_data)
{
  VpAgentConn *self = user_data;
  int errsv = 0;
  socklen_t len = sizeof errsv;

  g_clear_pointer (&self->writable, vp_source_end);
  if (getsockopt (fd, SOL_SOCKET, SO_ERROR, &errsv, &len) < 0)
    errsv = errno;
  handle_connect (self, -errsv);
  return G_SOURCE_REMOVE;
}

static void
try_connect (VpAgentConn *self)
{
  int r = vp_agent_address_connect (self->path, &self->fd);

  g_clear_pointer (&self->timer, vp_source_end);
  if (r == -EINPROGRESS)
    self->writable = vp_agent_conn_attach (self, g_unix_fd_source_new (self->fd, G_IO_OUT),
                                           G_SOURCE_FUNC (on_connect_over), "agent channel: connecting");
  else
    handle_connect (self, r);
}

void
vp_agent_conn_start_over (VpAgentConn *self)
{
  self->inherited = FALSE;
  self->retry_ms = RETRY_MIN_MS;
  self->state = STATE_CONNECTING;
  vp_agent_conn_drop_socket (self);
  try_connect (self);
}

static gboolean
on_open_deadline (gpointer user_data)
{
  VpAgentConn *self = user_data;

  if (self->state == STATE_CONNECTING)
    vp_agent_conn_end_with_code (self, VP_ERROR_TIMED_OUT, "nobody listens at %s", self->path);
  else
    vp_agent_conn_end_with_code (self, VP_ERROR_TIMED_OUT, "the agent does not answer (%u handshakes sent)", self->n_syncs);
  return G_SOURCE_REMOVE;
}

static gboolean
on_open_cancelled (GCancellable *cancellable, gpointer user_data)
{
  vp_agent_conn_end_with_code (user_data, VP_ERROR_CANCELLED, "opening was cancelled");
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
        = vp_agent_conn_attach (self, g_timeout_source_new (timeout_ms), on_open_deadline, "agent channel: deadline");
  if (cancellable != NULL)
    self->cancelled = vp_agent_conn_attach (self, g_cancellable_source_new (cancellable), G_SOURCE_FUNC (on_open_cancelled),
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
