/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-container-connect.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vp-agent-names.h"
#include "vp-container-private.h"
#include "vp-error.h"
#include "vp-fd.h"
#include "vp-guest-messages.h"
#include "vp-guest-worker.h"
#include "vp-id.h"

/* Connections into the guest's network. A part of the agent makes each; here it is
 * a process like any other, whose input and output are one socket. The daemon
 * looks at its first byte, by which the guest says that it is connected. */

#define MAX_CONNECTIONS 64 /* at a time, of a container */
/* of one whose caller has gone: what was sent is delivered, what comes is nobody's */
#define LINGER_MS 30000

typedef struct
{
  GTask *task; /* until the caller has its answer */
  VpContainer *container;
  VpProcess *process;
  guint16 port;
  int theirs;   /* what the caller is going to have */
  int watch_fd; /* our end once more, to see theirs go */
  guint first;  /* sources: the first byte, */
  guint hangup; /* the caller has closed it, */
  guint timer;  /* for being connected; then for being rid of it */
  gulong cancelled;
} Connection;

static void
connection_free (Connection *self)
{
  GCancellable *cancellable = self->task == NULL ? NULL : g_task_get_cancellable (self->task);

  g_cancellable_disconnect (cancellable, self->cancelled);
  g_clear_handle_id (&self->first, g_source_remove);
  g_clear_handle_id (&self->hangup, g_source_remove);
  g_clear_handle_id (&self->timer, g_source_remove);
  vp_fd_clear (&self->theirs);
  vp_fd_clear (&self->watch_fd);
  self->container->n_connections--;
  g_clear_object (&self->process);
  g_clear_object (&self->container);
  g_clear_object (&self->task);
  g_free (self);
}

static void
give_up (Connection *self)
{
  vp_process_kill_async (self->process, 9, FALSE, vp_container_get_request_timeout (), NULL, NULL);
}

/* ---- the answer ---- */

/* Takes @error; NULL: connected. */
static void
answer (Connection *self, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  if (task == NULL)
    {
      g_clear_error (&error);
      return;
    }
  g_cancellable_disconnect (g_task_get_cancellable (task), self->cancelled);
  self->cancelled = 0;
  g_clear_handle_id (&self->first, g_source_remove);
  g_clear_handle_id (&self->timer, g_source_remove);
  if (error != NULL)
    {
      g_prefix_error (&error, "forward a port of sandbox \"%s\": ", self->container->sandbox_id);
      g_task_return_error (task, error);
    }
  else
    g_task_return_int (task, vp_fd_steal (&self->theirs));
}

static void
on_reason (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Connection *self = user_data;
  g_autofree char *reason = vp_guest_worker_reason_finish (VP_PROCESS (source), result);
  guint status = vp_process_get_exit_status (self->process);

  answer (self, g_error_new_literal (VP_ERROR, status == VP_CONNECT_REFUSED ? VP_ERROR_NOT_FOUND : VP_ERROR_AGENT_FAILED,
                                     reason));
  connection_free (self);
}

/* ---- its end ---- */

static void
on_drained (GObject *source, GAsyncResult *result, gpointer user_data)
{
  vp_guest_worker_drain_finish (VP_PROCESS (source), result);
  connection_free (user_data);
}

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Connection *self = user_data;
  GCancellable *cancellable = self->task == NULL ? NULL : g_task_get_cancellable (self->task);
  g_autoptr (GError) error = NULL;
  guint status = VP_STATUS_LOST;
  gint64 exited_at;

  (void) vp_process_wait_finish (VP_PROCESS (source), result, &status, &exited_at, &error);
  g_clear_handle_id (&self->hangup, g_source_remove);
  g_clear_handle_id (&self->timer, g_source_remove);
  vp_fd_clear (&self->watch_fd);
  if (self->task == NULL && error == NULL)
    vp_guest_worker_drain_async (self->process, self->container->agent, on_drained, self);
  else if (self->task != NULL && error == NULL && status > 0 && status < 128)
    vp_guest_worker_reason_async (self->process, on_reason, self);
  else
    {
      if (g_cancellable_is_cancelled (cancellable))
        answer (self, g_error_new (VP_ERROR, VP_ERROR_CANCELLED, "cancelled"));
      else
        answer (self, g_error_new (VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE, "it was killed or its guest has gone"));
      connection_free (self);
    }
}

/* ---- while it goes on ---- */

static gboolean
on_linger (gpointer user_data)
{
  Connection *self = user_data;

  self->timer = 0;
  give_up (self);
  return G_SOURCE_REMOVE;
}

/* Both directions are closed on this side. What is on its way to the port goes
 * there; a server that does not care has some time to end it. */
static gboolean
on_hangup (int fd, GIOCondition condition, gpointer user_data)
{
  Connection *self = user_data;

  self->hangup = 0;
  self->timer = g_timeout_add (LINGER_MS, on_linger, self);
  return G_SOURCE_REMOVE;
}

static gboolean
on_first (int fd, GIOCondition condition, gpointer user_data)
{
  Connection *self = user_data;
  char byte = 0;
  ssize_t n = recv (self->theirs, &byte, 1, MSG_DONTWAIT);

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  self->first = 0;
  if (n == 1 && byte == *VP_CONNECT_READY)
    {
      answer (self, NULL);
      self->hangup = g_unix_fd_add (self->watch_fd, G_IO_HUP, on_hangup, self);
    }
  /* else it is over: its status says why */
  return G_SOURCE_REMOVE;
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  give_up (user_data);
}

static gboolean
on_late (gpointer user_data)
{
  Connection *self = user_data;

  self->timer = 0;
  answer (self, g_error_new (VP_ERROR, VP_ERROR_TIMED_OUT, "port %u: the guest is not connected to it after %u ms",
                             self->port, vp_container_get_request_timeout ()));
  give_up (self);
  return G_SOURCE_REMOVE;
}

static void
on_begun (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Connection *self = user_data;
  GCancellable *cancellable = g_task_get_cancellable (self->task);
  GError *error = NULL;

  if (!vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error))
    {
      if (vp_error_is (error, VP_ERROR_COMMAND_NOT_FOUND))
        {
          g_clear_error (&error);
          error = g_error_new (VP_ERROR, VP_ERROR_NOT_SUPPORTED, "the agent of this guest cannot connect");
        }
      vp_process_lose (self->process, VP_STATUS_LOST);
      answer (self, error);
      connection_free (self);
      return;
    }
  vp_process_begin_io (self->process);
  vp_process_begin_wait (self->process);
  self->first = g_unix_fd_add (self->theirs, G_IO_IN | G_IO_HUP, on_first, self);
  self->timer = g_timeout_add (vp_container_get_request_timeout (), on_late, self);
  vp_process_wait_async (self->process, NULL, on_ended, self);
  if (cancellable != NULL)
    self->cancelled = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);
}

/* ---- beginning ---- */

static GBytes *
make_request (VpContainer *self, const char *exec_id, guint16 port, GError **error)
{
  g_autofree char *number = g_strdup_printf ("%u", port);
  const char *args[] = { VP_CONNECT_PROGRAM, number, NULL };
  const VpSpecExec exec = { .args = args, .cwd = "/", .user = "0:0" };
  g_autoptr (VpJson) program = vp_spec_make_exec (self->spec, &exec, error);
  Grpc__ExecProcessRequest *request
      = program == NULL ? NULL : vp_guest_message_exec_json (self->id, exec_id, program, error);
  GBytes *packed;

  if (request == NULL)
    return NULL;
  packed = vp_guest_message_pack (&request->base);
  grpc__exec_process_request__free_unpacked (request, NULL);
  return packed;
}

static gboolean
make_socket (Connection *self, GError **error)
{
  int ends[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    return vp_error_set_errno (error, errno, "make a pair of sockets");
  self->theirs = ends[1];
  self->watch_fd = fcntl (ends[0], F_DUPFD_CLOEXEC, 3);
  if (self->watch_fd >= 0)
    return vp_stdio_bind_socket (vp_process_get_stdio (self->process), ends[0], error);
  (void) close (ends[0]);
  return vp_error_set_errno (error, errno, "duplicate a descriptor");
}

void
vp_container_connect_async (VpContainer *self, guint16 port, GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autofree char *exec_id = vp_id_random_hex (16);
  g_autoptr (GBytes) packed = NULL;
  GError *error = NULL;
  Connection *connection;

  /* a caller that leaves is answered when the guest has let go */
  g_task_set_check_cancellable (task, FALSE);
  if (self->n_connections >= MAX_CONNECTIONS)
    {
      g_task_return_new_error (task, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED,
                               "forward a port of sandbox \"%s\": %d connections go on", self->sandbox_id,
                               MAX_CONNECTIONS);
      return;
    }
  packed = make_request (self, exec_id, port, &error);
  if (packed == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  connection = g_new0 (Connection, 1);
  connection->container = g_object_ref (self);
  connection->port = port;
  connection->theirs = connection->watch_fd = -1;
  connection->process = vp_process_new (self->sandbox_id, self->id, exec_id, FALSE);
  vp_process_set_place (connection->process, self->place);
  connection->task = g_steal_pointer (&task);
  self->n_connections++;
  if (!vp_process_prepare (connection->process, self->agent, NULL, &error) || !make_socket (connection, &error))
    {
      answer (connection, error);
      connection_free (connection);
      return;
    }
  vp_agent_client_exec_process_async (self->agent, packed, vp_container_get_request_timeout (), NULL, on_begun,
                                      connection);
}

int
vp_container_connect_finish (VpContainer *self, GAsyncResult *result, GError **error)
{
  return (int) g_task_propagate_int (G_TASK (result), error);
}
