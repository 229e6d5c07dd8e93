/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include "vp-error.h"
#include "vp-fd.h"
#include "vp-source.h"
#include "vp-stdio-end.h"
#include "vp-stdio-input.h"
#include "vp-stdio-output.h"

struct _VpStdio
{
  GObject parent_instance;

  VpStdioProcess process; /* shared by the streams */
  gboolean terminal;
  gboolean started;
  gboolean stopped;
  VpStdioInput *input;
  VpStdioOutput *outputs[2]; /* stdout, stderr (none with a terminal) */

  GPtrArray *closers; /* of GTask: vp_stdio_close_stdin_async() */

  GPtrArray *drains; /* of GTask */
  GSource *drain_timer;
  gint64 drain_end; /* monotonic µs */
  gint64 moved; /* when something moved last */
};

G_DEFINE_FINAL_TYPE (VpStdio, vp_stdio, G_TYPE_OBJECT)

static const char *const stream_names[VP_STDIO_N_STREAMS] = { "stdin", "stdout", "stderr" };

static VpStdioOutput *
output_of (VpStdio *self, VpStdioStream stream)
{
  return stream == VP_STDIO_STDIN ? NULL : self->outputs[stream - VP_STDIO_STDOUT];
}

/* ---- who waits --------------------------------------------------------------------- */

static gboolean
on_wait_cancelled (GCancellable *cancellable, gpointer user_data)
{
  GTask *task = user_data;
  VpStdio *self = g_task_get_source_object (task);
  g_autoptr (GTask) keep G_GNUC_UNUSED = g_object_ref (task);

  if (g_ptr_array_remove (self->drains, task) || g_ptr_array_remove (self->closers, task))
    g_task_return_new_error (task, VP_ERROR, VP_ERROR_CANCELLED, "stdio of %s: cancelled", self->process.cid);
  return G_SOURCE_REMOVE;
}

/* A task in @waiting, for _drain and _close_stdin. */
static void
add_waiting (GPtrArray *waiting, GTask *task)
{
  GCancellable *cancellable = g_task_get_cancellable (task);

  g_ptr_array_add (waiting, g_object_ref (task));
  g_task_set_check_cancellable (task, FALSE);
  if (cancellable != NULL)
    {
      GSource *source = g_cancellable_source_new (cancellable);

      g_source_set_callback (source, G_SOURCE_FUNC (on_wait_cancelled), task, NULL);
      g_source_attach (source, g_task_get_context (task));
      g_task_set_task_data (task, source, (GDestroyNotify) vp_source_end);
    }
}

/* Ends all of *@waiting; @error is borrowed, NULL: with success. */
static void
return_all (GPtrArray **waiting, const GError *error)
{
  g_autoptr (GPtrArray) tasks = *waiting;

  *waiting = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < tasks->len; i++)
    {
      GTask *task = g_ptr_array_index (tasks, i);

      if (error != NULL)
        g_task_return_error (task, g_error_copy (error));
      else
        g_task_return_boolean (task, TRUE);
    }
}

/* ---- drained? ------------------------------------------------------------------- */

/* @error as for return_all(). */
static void
finish_drains (VpStdio *self, const GError *error)
{
  g_clear_pointer (&self->drain_timer, vp_source_end);
  return_all (&self->drains, error);
}

static gboolean
is_drained (VpStdio *self)
{
  for (gsize i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    if (self->outputs[i] != NULL && !vp_stdio_output_is_done (self->outputs[i]))
      return FALSE;
  return TRUE;
}

static void
on_moved (gpointer user_data)
{
  VpStdio *self = user_data;

  self->moved = g_get_monotonic_time ();
  if (self->drains->len > 0 && is_drained (self))
    finish_drains (self, NULL);
}

static gint64
drain_deadline (VpStdio *self)
{
  return MIN (self->moved + VP_STDIO_GRACE_MS * G_TIME_SPAN_MILLISECOND, self->drain_end);
}

static gboolean
on_drain_timer (gpointer user_data)
{
  g_autoptr (VpStdio) self = g_object_ref (user_data);
  gint64 left = drain_deadline (self) - g_get_monotonic_time ();

  if (left <= 0)
    {
      g_autoptr (GError) error = g_error_new (VP_ERROR, VP_ERROR_TIMED_OUT,
                                              "stdio of %s: not all output was read", self->process.cid);

      finish_drains (self, error);
      return G_SOURCE_REMOVE;
    }
  g_source_set_ready_time (self->drain_timer, g_get_monotonic_time () + left);
  return G_SOURCE_CONTINUE;
}

static gboolean
timer_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

void
vp_stdio_drain_async (VpStdio *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                      gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, vp_stdio_drain_async);
  vp_stdio_input_stop (self->input);
  if (is_drained (self))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  add_waiting (self->drains, task);
  if (self->drain_timer != NULL)
    return;
  self->moved = g_get_monotonic_time ();
  self->drain_end = self->moved + VP_STDIO_DRAIN_MAX_MS * G_TIME_SPAN_MILLISECOND;
  self->drain_timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_static_name (self->drain_timer, "stdio: drain");
  g_source_set_callback (self->drain_timer, on_drain_timer, self, NULL);
  g_source_set_ready_time (self->drain_timer, drain_deadline (self));
  g_source_attach (self->drain_timer, g_task_get_context (task));
}

gboolean
vp_stdio_drain_finish (VpStdio *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- closing stdin --------------------------------------------------------------- */

static void
on_stdin_closed (gpointer user_data, const GError *error)
{
  VpStdio *self = user_data;

  return_all (&self->closers, error);
}

void
vp_stdio_close_stdin_async (VpStdio *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, vp_stdio_close_stdin_async);
  if (vp_stdio_input_is_closed (self->input))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  add_waiting (self->closers, task);
  vp_stdio_input_close (self->input);
}

gboolean
vp_stdio_close_stdin_finish (VpStdio *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- binding ---------------------------------------------------------------------- */

gboolean
vp_stdio_is_bound (VpStdio *self, VpStdioStream stream)
{
  VpStdioOutput *output = output_of (self, stream);

  if (stream == VP_STDIO_STDIN)
    return vp_stdio_input_is_bound (self->input);
  return output != NULL && vp_stdio_output_is_bound (output);
}

static gboolean
may_bind (VpStdio *self, VpStdioStream stream, GError **error)
{
  if (stream == VP_STDIO_STDERR && self->terminal)
    {
      g_set_error_literal (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                           "stderr: a terminal has none, everything comes through stdout");
      return FALSE;
    }
  if (self->started || self->stopped || vp_stdio_is_bound (self, stream))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE, "%s: bound already, or the process was started",
                   stream_names[stream]);
      return FALSE;
    }
  return TRUE;
}

static gboolean
bind_end (VpStdio *self, VpStdioStream stream, VpStdioEnd *end)
{
  if (end == NULL)
    return FALSE;
  if (stream == VP_STDIO_STDIN)
    vp_stdio_input_bind (self->input, end);
  else
    vp_stdio_output_bind (output_of (self, stream), end);
  return TRUE;
}

gboolean
vp_stdio_bind_fd (VpStdio *self, VpStdioStream stream, int fd, GError **error)
{
  VP_AUTO_FD taken = fd;

  if (!may_bind (self, stream, error))
    return FALSE;
  return bind_end (
      self, stream,
      vp_stdio_end_new_for_fd (vp_fd_steal (&taken), stream != VP_STDIO_STDIN, stream_names[stream], error));
}

gboolean
vp_stdio_bind_socket (VpStdio *self, int fd, GError **error)
{
  VP_AUTO_FD taken = fd;
  VP_AUTO_FD again = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  g_autoptr (VpStdioEnd) in = NULL;
  VpStdioEnd *out;

  if (again < 0)
    return vp_error_set_errno (error, errno, "%s: duplicate", stream_names[VP_STDIO_STDIN]);
  if (!may_bind (self, VP_STDIO_STDIN, error) || !may_bind (self, VP_STDIO_STDOUT, error))
    return FALSE;
  in = vp_stdio_end_new_for_fd (vp_fd_steal (&taken), FALSE, stream_names[VP_STDIO_STDIN], error);
  out = in == NULL ? NULL
                   : vp_stdio_end_new_for_fd (vp_fd_steal (&again), TRUE, stream_names[VP_STDIO_STDOUT], error);
  if (out == NULL)
    return FALSE;
  vp_stdio_end_set_half (in);
  vp_stdio_end_set_half (out);
  return bind_end (self, VP_STDIO_STDIN, g_steal_pointer (&in)) && bind_end (self, VP_STDIO_STDOUT, out);
}

gboolean
vp_stdio_bind_path (VpStdio *self, VpStdioStream stream, const char *path, GError **error)
{
  if (!may_bind (self, stream, error))
    return FALSE;
  return bind_end (self, stream,
                   vp_stdio_end_new_for_path (path, stream != VP_STDIO_STDIN, stream_names[stream], error));
}

/* ---- attaching -------------------------------------------------------------------- */

/* Which streams can be attached to, of those asked for. */
static guint
attachable (VpStdio *self, guint which)
{
  guint mask = 0;

  for (guint i = 0; i < VP_STDIO_N_STREAMS; i++)
    {
      if ((which != 0 && (which & (1u << i)) == 0) || vp_stdio_is_bound (self, i))
        continue;
      if (i == VP_STDIO_STDIN ? !vp_stdio_input_is_closed (self->input) : output_of (self, i) != NULL)
        mask |= 1u << i;
    }
  return mask;
}

static gboolean
is_attached (VpStdio *self, guint mask)
{
  if ((mask & (1u << VP_STDIO_STDIN)) != 0 && vp_stdio_input_is_attached (self->input))
    return TRUE;
  for (guint i = VP_STDIO_STDOUT; i < VP_STDIO_N_STREAMS; i++)
    if ((mask & (1u << i)) != 0 && vp_stdio_output_is_attached (output_of (self, i)))
      return TRUE;
  return FALSE;
}

/* Makes the pair of descriptors of one stream: ours and the caller's. */
static VpStdioEnd *
make_pipe (VpStdioStream stream, int *ret_fd, GError **error)
{
  gboolean writable = stream != VP_STDIO_STDIN;
  VP_AUTO_FD ours = -1;
  VP_AUTO_FD theirs = -1;
  VpStdioEnd *end;
  int fds[2];

  if (pipe2 (fds, O_CLOEXEC) < 0)
    {
      vp_error_set_errno (error, errno, "%s: pipe", stream_names[stream]);
      return NULL;
    }
  ours = fds[writable ? 1 : 0];
  theirs = fds[writable ? 0 : 1];
  end = vp_stdio_end_new_for_fd (vp_fd_steal (&ours), writable, stream_names[stream], error);
  if (end != NULL)
    *ret_fd = vp_fd_steal (&theirs);
  return end;
}

static gboolean
attach_terminal (VpStdio *self, int ret_fds[VP_STDIO_N_STREAMS], GError **error)
{
  g_autoptr (VpStdioEnd) in = NULL;
  g_autoptr (VpStdioEnd) out = NULL;
  VP_AUTO_FD ours = -1;
  VP_AUTO_FD theirs = -1;
  VP_AUTO_FD second = -1;
  int fds[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
    return vp_error_set_errno (error, errno, "terminal: socketpair");
  ours = fds[0];
  theirs = fds[1];
  second = fcntl (ours, F_DUPFD_CLOEXEC, 3);
  if (second < 0)
    return vp_error_set_errno (error, errno, "terminal");
  in = vp_stdio_end_new_for_fd (vp_fd_steal (&ours), FALSE, "terminal", error);
  if (in == NULL)
    return FALSE;
  out = vp_stdio_end_new_for_fd (vp_fd_steal (&second), TRUE, "terminal", error);
  if (out == NULL)
    return FALSE;
  vp_stdio_end_set_half (out);
  ret_fds[VP_STDIO_TERMINAL] = vp_fd_steal (&theirs);
  vp_stdio_output_attach (self->outputs[0], g_steal_pointer (&out));
  if (!vp_stdio_input_is_closed (self->input))
    vp_stdio_input_attach (self->input, g_steal_pointer (&in));
  return TRUE;
}

static gboolean
attach_pipes (VpStdio *self, guint mask, int ret_fds[VP_STDIO_N_STREAMS], GError **error)
{
  VpStdioEnd *ends[VP_STDIO_N_STREAMS] = { NULL, NULL, NULL };
  int fds[VP_STDIO_N_STREAMS] = { -1, -1, -1 };

  for (guint i = 0; i < VP_STDIO_N_STREAMS; i++)
    {
      if ((mask & (1u << i)) == 0)
        continue;
      ends[i] = make_pipe (i, &fds[i], error);
      if (ends[i] != NULL)
        continue;
      for (guint j = 0; j < i; j++)
        {
          vp_stdio_end_free (ends[j]);
          vp_fd_clear (&fds[j]);
        }
      return FALSE;
    }
  for (guint i = 0; i < VP_STDIO_N_STREAMS; i++)
    {
      if (ends[i] == NULL)
        continue;
      ret_fds[i] = fds[i];
      if (i == VP_STDIO_STDIN)
        vp_stdio_input_attach (self->input, ends[i]);
      else
        vp_stdio_output_attach (output_of (self, i), ends[i]);
    }
  return TRUE;
}

gboolean
vp_stdio_attach (VpStdio *self, guint which, int ret_fds[VP_STDIO_N_STREAMS], GError **error)
{
  guint mask = attachable (self, which);
  int fds[VP_STDIO_N_STREAMS] = { -1, -1, -1 };
  gboolean ok;

  if (self->terminal && mask != 0)
    mask = attachable (self, 0);
  if (self->stopped || mask == 0 || (self->terminal && (mask & (1u << VP_STDIO_STDOUT)) == 0))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE, "stdio of %s: no stream to attach to",
                   self->process.cid);
      return FALSE;
    }
  if (is_attached (self, mask))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_BUSY, "stdio of %s: attached already", self->process.cid);
      return FALSE;
    }
  ok = self->terminal ? attach_terminal (self, fds, error) : attach_pipes (self, mask, fds, error);
  if (ok)
    for (guint i = 0; i < VP_STDIO_N_STREAMS; i++)
      ret_fds[i] = fds[i];
  return ok;
}

/* ---- life -------------------------------------------------------------------------- */

void
vp_stdio_start (VpStdio *self)
{
  if (self->started || self->stopped)
    return;
  self->started = TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    if (self->outputs[i] != NULL)
      vp_stdio_output_start (self->outputs[i]);
  vp_stdio_input_start (self->input);
}

void
vp_stdio_stop (VpStdio *self)
{
  g_autoptr (VpStdio) keep = g_object_ref (self);
  g_autoptr (GError) error = NULL;

  if (self->stopped)
    return;
  self->stopped = TRUE;
  error = g_error_new (VP_ERROR, VP_ERROR_CANCELLED, "stdio of %s: stopped", self->process.cid);
  g_cancellable_cancel (self->process.cancellable);
  for (gsize i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    if (self->outputs[i] != NULL)
      vp_stdio_output_stop (self->outputs[i]);
  return_all (&keep->closers, error);
  vp_stdio_input_stop (self->input);
  finish_drains (keep, error);
}

guint64
vp_stdio_get_bytes (VpStdio *self, VpStdioStream stream)
{
  VpStdioOutput *output = output_of (self, stream);

  if (stream == VP_STDIO_STDIN)
    return vp_stdio_input_get_bytes (self->input);
  return output != NULL ? vp_stdio_output_get_bytes (output) : 0;
}

guint64
vp_stdio_get_dropped (VpStdio *self, VpStdioStream stream)
{
  VpStdioOutput *output = output_of (self, stream);

  return output != NULL ? vp_stdio_output_get_dropped (output) : 0;
}

void
vp_stdio_set_log_names (VpStdio *self, const char *sandbox, const char *container)
{
  g_free (self->process.sandbox);
  g_free (self->process.container);
  self->process.sandbox = g_strdup (sandbox);
  self->process.container = g_strdup (container);
}

static void
vp_stdio_finalize (GObject *object)
{
  VpStdio *self = VP_STDIO (object);

  /* nothing is under way: that would keep the object alive */
  g_clear_pointer (&self->drain_timer, vp_source_end);
  vp_stdio_input_free (self->input);
  for (gsize i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    vp_stdio_output_free (self->outputs[i]);
  g_ptr_array_unref (self->closers);
  g_ptr_array_unref (self->drains);
  g_object_unref (self->process.client);
  g_object_unref (self->process.cancellable);
  g_free (self->process.cid);
  g_free (self->process.exec_id);
  g_free (self->process.sandbox);
  g_free (self->process.container);
  G_OBJECT_CLASS (vp_stdio_parent_class)->finalize (object);
}

static void
vp_stdio_class_init (VpStdioClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = vp_stdio_finalize;

  /* a reader that goes away is an error of write(), not a signal */
  (void) signal (SIGPIPE, SIG_IGN);
}

static void
vp_stdio_init (VpStdio *self)
{
  self->closers = g_ptr_array_new_with_free_func (g_object_unref);
  self->drains = g_ptr_array_new_with_free_func (g_object_unref);
}

VpStdio *
vp_stdio_new (VpAgentClient *client, const char *cid, const char *exec_id, gboolean terminal)
{
  VpStdio *self = g_object_new (VP_TYPE_STDIO, NULL);

  self->process.owner = G_OBJECT (self);
  self->process.client = g_object_ref (client);
  self->process.cancellable = g_cancellable_new ();
  self->process.cid = g_strdup (cid);
  self->process.exec_id = g_strdup (exec_id);
  self->terminal = terminal;
  self->input = vp_stdio_input_new (&self->process, on_stdin_closed, self);
  self->outputs[0] = vp_stdio_output_new (&self->process, FALSE, VP_STDIO_BUFFER, on_moved, self);
  if (!terminal)
    self->outputs[1] = vp_stdio_output_new (&self->process, TRUE, VP_STDIO_BUFFER, on_moved, self);
  return self;
}
