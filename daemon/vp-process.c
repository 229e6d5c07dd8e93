/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-process.h"

#include <string.h>

#include "vp-error.h"
#include "vp-failpoint.h"
#include "vp-event.h"
#include "vp-fdstore.h"
#include "vp-log.h"
#include "vp-record.h"
#include "vp-waiters.h"

struct _VpProcess
{
  GObject parent;
  char *sandbox_id;
  char *container_id;
  char *exec_id;
  gboolean terminal;
  VpPlace *place;
  VpProcessState state;
  gboolean watched; /* its end is waited for */
  gboolean forgotten; /* it will never run */
  guint exit_status;
  gint64 exited_at;
  VpAgentClient *agent;
  VpStdio *stdio;
  char *bindings[VP_N_STREAMS]; /* path or VP_RECORD_STREAM_FD, NULL: nothing */
  pid_t standin_pid; /* for good */
  VpStandinWatch *standin; /* until it has ended, or the process has */
  gboolean standin_gone; /* and it is being killed for that */
  VpWaiters *waiters;
};

enum {
  SIGNAL_CHANGED,
  SIGNAL_EXITED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (VpProcess, vp_process, G_TYPE_OBJECT)

static void
vp_process_dispose (GObject *object)
{
  VpProcess *self = VP_PROCESS (object);

  g_clear_pointer (&self->standin, vp_standin_watch_free);
  if (self->stdio != NULL)
    vp_stdio_stop (self->stdio);
  g_clear_object (&self->stdio);
  g_clear_object (&self->agent);
  G_OBJECT_CLASS (vp_process_parent_class)->dispose (object);
}

static void
vp_process_finalize (GObject *object)
{
  VpProcess *self = VP_PROCESS (object);

  vp_waiters_free (self->waiters);
  for (int i = 0; i < VP_N_STREAMS; i++)
    g_free (self->bindings[i]);
  vp_place_unref (self->place);
  g_free (self->sandbox_id);
  g_free (self->container_id);
  g_free (self->exec_id);
  G_OBJECT_CLASS (vp_process_parent_class)->finalize (object);
}

static void
vp_process_class_init (VpProcessClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = vp_process_dispose;
  G_OBJECT_CLASS (klass)->finalize = vp_process_finalize;
  signals[SIGNAL_CHANGED]
      = g_signal_new ("changed", VP_TYPE_PROCESS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_EXITED]
      = g_signal_new ("exited", VP_TYPE_PROCESS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
vp_process_init (VpProcess *self)
{
  self->waiters = vp_waiters_new ();
  self->place = vp_place_new ();
}

VpProcess *
vp_process_new (const char *sandbox_id, const char *container_id, const char *exec_id, gboolean terminal)
{
  VpProcess *self = g_object_new (VP_TYPE_PROCESS, NULL);

  self->sandbox_id = g_strdup (sandbox_id);
  self->container_id = g_strdup (container_id);
  self->exec_id = g_strdup (exec_id);
  self->terminal = terminal;
  return self;
}

void
vp_process_set_place (VpProcess *self, VpPlace *place)
{
  vp_place_ref (place);
  vp_place_unref (self->place);
  self->place = place;
}

const char *
vp_process_get_exec_id (VpProcess *self)
{
  return self->exec_id;
}

gboolean
vp_process_get_terminal (VpProcess *self)
{
  return self->terminal;
}

VpProcessState
vp_process_get_state (VpProcess *self)
{
  return self->state;
}

guint
vp_process_get_exit_status (VpProcess *self)
{
  return self->exit_status;
}

gint64
vp_process_get_exited_at (VpProcess *self)
{
  return self->exited_at;
}

VpStdio *
vp_process_get_stdio (VpProcess *self)
{
  return self->stdio;
}

gboolean
vp_process_prepare (VpProcess *self, VpAgentClient *agent, VpStreams *streams, GError **error)
{
  g_autoptr (VpStreams) owned = streams;

  g_set_object (&self->agent, agent);
  g_clear_object (&self->stdio);
  self->stdio = vp_stdio_new (agent, self->container_id, self->exec_id, self->terminal);
  vp_stdio_set_log_names (self->stdio, self->sandbox_id, self->container_id);
  if (owned == NULL)
    return TRUE;

  for (int i = 0; i < VP_N_STREAMS; i++)
    {
      /* a terminal has no stderr of its own: what a caller bound to it stays unused */
      if (self->terminal && i == VP_STREAM_STDERR)
        continue;
      if (owned->paths[i] != NULL && !vp_stdio_bind_path (self->stdio, (VpStdioStream) i, owned->paths[i], error))
        return FALSE;
      if (owned->fds[i] >= 0
          && !vp_stdio_bind_fd (self->stdio, (VpStdioStream) i, vp_streams_steal_fd (owned, i), error))
        return FALSE;
    }
  return TRUE;
}

/* ---- who stands for it on the host ---- */

#define KILL_SIGNAL 9
#define KILL_MS 10000

static void
on_killed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpProcess *self = VP_PROCESS (source);
  g_autoptr (GError) error = NULL;

  if (vp_process_kill_finish (self, result, &error))
    g_clear_pointer (&self->standin, vp_standin_watch_free);
  else
    vp_debug (self->sandbox_id, self->container_id, "not killed yet: %s", error->message);
}

/* The machine may be starting, or stand still, or the agent not be there yet: it is tried again. */
static void
on_standin_gone (gpointer user_data)
{
  VpProcess *self = user_data;

  if (!self->standin_gone)
    vp_notice (self->sandbox_id, self->container_id, "process %d, which stood for it on the host, has ended: it is killed",
               (int) vp_standin_watch_get_pid (self->standin));
  self->standin_gone = TRUE;
  if (self->agent != NULL)
    vp_process_kill_async (self, KILL_SIGNAL, *self->exec_id == '\0', KILL_MS, on_killed, NULL);
}

void
vp_process_watch_standin (VpProcess *self, pid_t pid, guint64 start)
{
  g_clear_pointer (&self->standin, vp_standin_watch_free);
  self->standin_pid = pid;
  if (pid != 0)
    self->standin = vp_standin_watch_new (pid, start, on_standin_gone, self);
}

VpStandinWatch *
vp_process_get_standin (VpProcess *self)
{
  return self->standin;
}

pid_t
vp_process_get_standin_pid (VpProcess *self)
{
  return self->standin_pid;
}

/* ---- over a restart of the daemon ---- */

static char *
dup_store_name (VpProcess *self, VpStream stream)
{
  return vp_fdstore_dup_name (self->sandbox_id, self->container_id, self->exec_id, vp_stream_name (stream));
}

void
vp_process_note_streams (VpProcess *self, const VpStreams *streams)
{
  if (streams != NULL && streams->standin != 0)
    vp_process_watch_standin (self, streams->standin, 0);
  for (int i = 0; streams != NULL && i < VP_N_STREAMS; i++)
    {
      g_autofree char *name = dup_store_name (self, (VpStream) i);

      g_free (self->bindings[i]);
      self->bindings[i] = g_strdup (streams->fds[i] >= 0 ? VP_RECORD_STREAM_FD : streams->paths[i]);
      if (streams->fds[i] >= 0)
        vp_fdstore_put (name, streams->fds[i]);
    }
}

const char *
vp_process_get_binding (VpProcess *self, VpStream stream)
{
  return self->bindings[stream];
}

/* Its streams, and who holds them, are not needed any more. */
static void
forget_streams (VpProcess *self)
{
  g_clear_pointer (&self->standin, vp_standin_watch_free);
  for (int i = 0; i < VP_N_STREAMS; i++)
    if (g_strcmp0 (self->bindings[i], VP_RECORD_STREAM_FD) == 0)
      {
        g_autofree char *name = dup_store_name (self, (VpStream) i);

        vp_fdstore_remove (name);
      }
}

void
vp_process_restore (VpProcess *self, VpProcessState state, guint status, gint64 exited_at)
{
  self->state = state;
  self->watched = state != VP_PROCESS_CREATED;
  self->exit_status = status;
  self->exited_at = exited_at;
}

static void wait_for_end (VpProcess *self);

void
vp_process_take_over (VpProcess *self)
{
  if (self->state == VP_PROCESS_STOPPED)
    return;
  self->watched = TRUE;
  vp_stdio_start (self->stdio);
  wait_for_end (self);
}

void
vp_process_begin_io (VpProcess *self)
{
  vp_stdio_start (self->stdio);
}

static void
set_stopped (VpProcess *self, guint status)
{
  if (self->state == VP_PROCESS_STOPPED)
    return;
  VP_FAILPOINT_ONLY ("process.exit.before");
  self->state = VP_PROCESS_STOPPED;
  self->exit_status = status;
  self->exited_at = g_get_real_time ();
  if (*self->exec_id == '\0')
    vp_event (VP_EVENT_CONTAINER_EXITED, self->sandbox_id, self->container_id, "ended with status %u", status);
  else
    vp_info (self->sandbox_id, self->container_id, "process %s ended with status %u", self->exec_id, status);
  forget_streams (self);

  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
  g_signal_emit (self, signals[SIGNAL_EXITED], 0);
  VP_FAILPOINT_ONLY ("process.exit.after");
  vp_waiters_answer (self->waiters, NULL);
}

typedef struct
{
  VpProcess *process;
  guint status;
} Exit;

/* The exit is told after the output: a client that sees it may stop reading. */
static void
on_drained (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Exit *ended = user_data;
  g_autoptr (VpProcess) self = ended->process;
  g_autoptr (GError) error = NULL;

  if (!vp_stdio_drain_finish (VP_STDIO (source), result, &error))
    vp_debug (self->sandbox_id, self->container_id, "output not drained: %s", error->message);
  set_stopped (self, ended->status);
  g_free (ended);
}

static void
on_waited (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpProcess) self = user_data;
  g_autoptr (GError) error = NULL;
  guint status = VP_STATUS_LOST;
  Exit *ended;

  if (!vp_agent_client_wait_process_finish (VP_AGENT_CLIENT (source), result, &status, &error))
    {
      vp_notice (self->sandbox_id, self->container_id, "waiting for the process failed: %s", error->message);
      vp_process_lose (self, VP_STATUS_LOST);
      return;
    }
  if (self->state == VP_PROCESS_STOPPED)
    return;
  ended = g_new (Exit, 1);
  *ended = (Exit) { g_object_ref (self), status };
  vp_stdio_drain_async (self->stdio, NULL, on_drained, ended);
}

static void
wait_for_end (VpProcess *self)
{
  vp_agent_client_wait_process_async (self->agent, self->container_id, self->exec_id, NULL, on_waited,
                                      g_object_ref (self));
}

static void
begin_watch (VpProcess *self)
{
  if (self->watched)
    return;
  self->watched = TRUE;
  wait_for_end (self);
}

void
vp_process_begin_wait (VpProcess *self)
{
  g_return_if_fail (self->state == VP_PROCESS_CREATED);

  self->state = VP_PROCESS_RUNNING;
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
  begin_watch (self);
}

static GError *
never_ran (VpProcess *self)
{
  return g_error_new (VP_ERROR, VP_ERROR_INVALID_STATE, "wait \"%s\": deleted before it ran",
                      *self->exec_id != '\0' ? self->exec_id : self->container_id);
}

void
vp_process_lose (VpProcess *self, guint status)
{
  if (self->stdio != NULL && self->state != VP_PROCESS_STOPPED)
    vp_stdio_stop (self->stdio);
  if (self->watched)
    set_stopped (self, status);
  else
    {
      g_autoptr (GError) error = never_ran (self);

      self->forgotten = TRUE;
      forget_streams (self);
      vp_waiters_answer (self->waiters, error);
    }
}

void
vp_process_wait_async (VpProcess *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  if (self->state == VP_PROCESS_STOPPED)
    g_task_return_boolean (task, TRUE);
  else if (self->forgotten)
    g_task_return_error (task, never_ran (self));
  else
    vp_waiters_add (self->waiters, g_steal_pointer (&task));
}

gboolean
vp_process_wait_finish (VpProcess *self, GAsyncResult *result, guint *ret_status, gint64 *ret_exited_at,
                        GError **error)
{
  if (!g_task_propagate_boolean (G_TASK (result), error))
    return FALSE;
  *ret_status = self->exit_status;
  *ret_exited_at = self->exited_at;
  return TRUE;
}

gboolean
vp_process_check_verb (VpProcess *self, VpVerb verb, GError **error)
{
  gboolean first = *self->exec_id == '\0';

  return vp_states_check_process (verb, first ? self->container_id : self->exec_id, first, self->state, self->place,
                                  error);
}

static void
on_resized (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* A process that ended on its own just before the signal came is as dead as the
 * caller wanted it; engines do not expect to be told. Agents say it in words. */
static void
on_signalled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpProcess *self = g_task_get_source_object (task);
  GError *error = NULL;

  if (vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error))
    g_task_return_boolean (task, TRUE);
  else if (strstr (error->message, "ESRCH: No such process") != NULL)
    {
      vp_warning (self->sandbox_id, self->container_id, "signalled too late: %s", error->message);
      g_error_free (error);
      g_task_return_boolean (task, TRUE);
    }
  else
    g_task_return_error (task, error);
}

void
vp_process_kill_async (VpProcess *self, int signum, gboolean all, guint timeout_ms, GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;

  if (!vp_process_check_verb (self, VP_VERB_PROCESS_KILL, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  /* a first process is there before its program, held: not every signal ends it, but if one does it is seen */
  begin_watch (self);
  /* for the protocol an empty exec id with SIGKILL is every process of the container */
  vp_agent_client_signal_process_async (self->agent, self->container_id, all ? "" : self->exec_id, (guint) signum,
                                        timeout_ms, NULL, on_signalled, g_steal_pointer (&task));
}

gboolean
vp_process_kill_finish (VpProcess *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
vp_process_resize_async (VpProcess *self, guint columns, guint rows, guint timeout_ms, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;

  if (vp_process_check_verb (self, VP_VERB_PROCESS_RESIZE, &error) && !self->terminal)
    g_set_error (&error, VP_ERROR, VP_ERROR_INVALID_STATE, "resize the terminal of \"%s\": the process has none",
                 *self->exec_id != '\0' ? self->exec_id : self->container_id);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    vp_agent_client_tty_win_resize_async (self->agent, self->container_id, self->exec_id, rows, columns, timeout_ms,
                                          NULL, on_resized, g_steal_pointer (&task));
}

gboolean
vp_process_resize_finish (VpProcess *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
