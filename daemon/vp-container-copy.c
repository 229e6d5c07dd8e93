/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-container-copy.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <unistd.h>

#include "vp-agent-names.h"
#include "vp-container-private.h"
#include "vp-error.h"
#include "vp-fd.h"
#include "vp-guest-messages.h"
#include "vp-guest-worker.h"
#include "vp-id.h"
#include "vp-log.h"

/* Files in and out of a container as tar streams. A part of the agent reads and
 * writes them inside the container; here it is a process like any other, whose
 * stream goes to or comes from the caller. The daemon looks into none of it. */

#define MAX_COPIES 16 /* at a time, of a container */

typedef struct
{
  GTask *task;          /* until the caller has its answer */
  VpContainer *container;
  VpProcess *process;
  gboolean out;
  int read_fd;          /* out: what the caller is going to have */
  int watch_fd;         /* out: the other end, to see the reader go */
  guint readable;       /* sources */
  guint abandoned;
  gulong cancelled;
} Copy;

static void
copy_free (Copy *copy)
{
  GCancellable *cancellable = copy->task == NULL ? NULL : g_task_get_cancellable (copy->task);

  g_cancellable_disconnect (cancellable, copy->cancelled);
  g_clear_handle_id (&copy->readable, g_source_remove);
  g_clear_handle_id (&copy->abandoned, g_source_remove);
  vp_fd_clear (&copy->read_fd);
  vp_fd_clear (&copy->watch_fd);
  copy->container->n_copies--;
  g_clear_object (&copy->process);
  g_clear_object (&copy->container);
  g_clear_object (&copy->task);
  g_free (copy);
}

static const char *
verb_of (const Copy *copy)
{
  return copy->out ? "copy out of" : "copy into";
}

/* ---- the answer ---- */

static void
answer (Copy *copy, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&copy->task);

  if (task == NULL)
    {
      g_clear_error (&error);
      return;
    }
  g_cancellable_disconnect (g_task_get_cancellable (task), copy->cancelled);
  copy->cancelled = 0;
  g_clear_handle_id (&copy->readable, g_source_remove);
  if (error != NULL)
    {
      g_prefix_error (&error, "%s container \"%s\": ", verb_of (copy), copy->container->id);
      g_task_return_error (task, error);
    }
  else
    g_task_return_int (task, copy->out ? vp_fd_steal (&copy->read_fd) : 0);
}

static void
on_reason (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Copy *copy = user_data;
  g_autofree char *reason = vp_guest_worker_reason_finish (VP_PROCESS (source), result);
  guint status = vp_process_get_exit_status (copy->process);
  VpError code = VP_ERROR_AGENT_FAILED;

  if (status == VP_TAR_NO_PATH)
    code = VP_ERROR_NOT_FOUND;
  else if (status == VP_TAR_BAD_ARCHIVE)
    code = VP_ERROR_INVALID_ARGUMENT;
  answer (copy, g_error_new_literal (VP_ERROR, (int) code, reason));
  copy_free (copy);
}

static gboolean
is_readable (int fd)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

  return poll (&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLIN) != 0;
}

static void
on_drained (GObject *source, GAsyncResult *result, gpointer user_data)
{
  vp_guest_worker_drain_finish (VP_PROCESS (source), result);
  copy_free (user_data);
}

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Copy *copy = user_data;
  g_autoptr (GError) error = NULL;
  gboolean given_up = copy->task != NULL && g_cancellable_is_cancelled (g_task_get_cancellable (copy->task));
  guint status = VP_STATUS_LOST;
  gint64 exited_at;

  (void) vp_process_wait_finish (VP_PROCESS (source), result, &status, &exited_at, &error);
  /* there is nobody to be told that the reader has gone, and the reader is to see
   * the end of the stream even when the guest lets its standard error hang */
  g_clear_handle_id (&copy->abandoned, g_source_remove);
  vp_fd_clear (&copy->watch_fd);
  if (copy->task == NULL)
    ; /* the reader has the stream, and sees where it ends */
  else if (given_up)
    answer (copy, g_error_new (VP_ERROR, VP_ERROR_CANCELLED, "cancelled"));
  else if (error != NULL || status >= 128)
    answer (copy, g_error_new (VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE, "it was killed or its guest has gone"));
  else if (status == 0 || (copy->out && is_readable (copy->read_fd)))
    answer (copy, NULL);
  else
    {
      vp_guest_worker_reason_async (copy->process, on_reason, copy);
      return;
    }
  if (copy->out && error == NULL)
    vp_guest_worker_drain_async (copy->process, copy->container->agent, on_drained, copy);
  else
    copy_free (copy);
}

/* ---- while it goes on ---- */

static void
give_up (Copy *copy)
{
  vp_process_kill_async (copy->process, 9, FALSE, vp_container_get_request_timeout (), NULL, NULL);
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  give_up (user_data);
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  Copy *copy = user_data;

  copy->readable = 0;
  if ((condition & G_IO_IN) != 0) /* else it is over without a byte: its status says why */
    answer (copy, NULL);
  return G_SOURCE_REMOVE;
}

/* Nobody reads it any more: the guest need not go through the rest of its files. */
static gboolean
on_abandoned (int fd, GIOCondition condition, gpointer user_data)
{
  Copy *copy = user_data;

  copy->abandoned = 0;
  give_up (copy);
  return G_SOURCE_REMOVE;
}

static void
on_begun (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Copy *copy = user_data;
  GCancellable *cancellable = g_task_get_cancellable (copy->task);
  GError *error = NULL;

  if (!vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error))
    {
      if (vp_error_is (error, VP_ERROR_COMMAND_NOT_FOUND))
        {
          g_clear_error (&error);
          error = g_error_new (VP_ERROR, VP_ERROR_NOT_SUPPORTED, "the agent of this guest cannot copy");
        }
      vp_process_lose (copy->process, VP_STATUS_LOST);
      answer (copy, error);
      copy_free (copy);
      return;
    }
  vp_process_begin_io (copy->process);
  vp_process_begin_wait (copy->process);
  if (copy->out)
    {
      copy->readable = g_unix_fd_add (copy->read_fd, G_IO_IN, on_readable, copy);
      copy->abandoned = g_unix_fd_add (copy->watch_fd, G_IO_ERR, on_abandoned, copy);
    }
  vp_process_wait_async (copy->process, NULL, on_ended, copy);
  if (cancellable != NULL)
    copy->cancelled = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), copy, NULL);
}

/* ---- beginning ---- */

static VpJson *
make_program (VpContainer *self, const VpContainerCopy *what, GError **error)
{
  g_autoptr (GPtrArray) args = g_ptr_array_new ();
  VpSpecExec exec = { .cwd = "/", .user = what->as_container ? NULL : "0:0" };

  g_ptr_array_add (args, (gpointer) VP_TAR_PROGRAM);
  g_ptr_array_add (args, (gpointer) (what->out ? VP_TAR_CREATE : VP_TAR_EXTRACT));
  g_ptr_array_add (args, (gpointer) what->path);
  for (guint i = 0; what->options[i] != NULL; i++)
    g_ptr_array_add (args, (gpointer) what->options[i]);
  g_ptr_array_add (args, NULL);
  exec.args = (const char *const *) args->pdata;
  return vp_spec_make_exec (self->spec, &exec, error);
}

static gboolean
make_streams (Copy *copy, VpStreams *streams, int tar_fd, GError **error)
{
  VpStream tar = copy->out ? VP_STREAM_STDOUT : VP_STREAM_STDIN;
  VpStream other = copy->out ? VP_STREAM_STDIN : VP_STREAM_STDOUT;
  int ends[2];

  if (!vp_streams_set_path (streams, other, "/dev/null", error))
    {
      (void) close (tar_fd);
      return FALSE;
    }
  if (!copy->out)
    {
      vp_streams_take_fd (streams, tar, tar_fd);
      return TRUE;
    }
  if (pipe2 (ends, O_CLOEXEC) < 0)
    return vp_error_set_errno (error, errno, "make a pipe");
  copy->read_fd = ends[0];
  vp_streams_take_fd (streams, tar, ends[1]);
  copy->watch_fd = fcntl (ends[1], F_DUPFD_CLOEXEC, 3);
  return copy->watch_fd >= 0 || vp_error_set_errno (error, errno, "duplicate a descriptor");
}

static GBytes *
make_request (VpContainer *self, const char *exec_id, const VpContainerCopy *what, GError **error)
{
  g_autoptr (VpJson) program = make_program (self, what, error);
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
check_copy (VpContainer *self, const VpContainerCopy *what, GError **error)
{
  if (!vp_container_check_verb (self, VP_VERB_CONTAINER_COPY, error))
    return FALSE;
  if (what->path[0] != '/')
    g_set_error_literal (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "path: must be absolute");
  else if (self->n_copies >= MAX_COPIES)
    g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED, "copy files of container \"%s\": %d copies go on",
                 self->id, MAX_COPIES);
  else
    return TRUE;
  return FALSE;
}

void
vp_container_copy_async (VpContainer *self, const VpContainerCopy *what, int tar_fd, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autofree char *exec_id = vp_id_random_hex (16);
  g_autoptr (VpStreams) streams = vp_streams_new ();
  g_autoptr (GBytes) packed = NULL;
  GError *error = NULL;
  Copy *copy;

  /* a caller that leaves is answered when the guest has let go */
  g_task_set_check_cancellable (task, FALSE);
  if (!check_copy (self, what, &error) || (packed = make_request (self, exec_id, what, &error)) == NULL)
    {
      if (tar_fd >= 0)
        (void) close (tar_fd);
      g_task_return_error (task, error);
      return;
    }
  copy = g_new0 (Copy, 1);
  copy->container = g_object_ref (self);
  copy->out = what->out;
  copy->read_fd = copy->watch_fd = -1;
  copy->process = vp_process_new (self->sandbox_id, self->id, exec_id, FALSE);
  vp_process_set_place (copy->process, self->place);
  copy->task = g_steal_pointer (&task);
  self->n_copies++;
  if (!make_streams (copy, streams, tar_fd, &error)
      || !vp_process_prepare (copy->process, self->agent, g_steal_pointer (&streams), &error))
    {
      answer (copy, error);
      copy_free (copy);
      return;
    }
  vp_agent_client_exec_process_async (self->agent, packed, vp_container_get_request_timeout (), NULL, on_begun, copy);
}

int
vp_container_copy_finish (VpContainer *self, GAsyncResult *result, GError **error)
{
  return (int) g_task_propagate_int (G_TASK (result), error);
}
