/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-container-private.h"

#include <string.h>

#include "vp-error.h"
#include "vp-failpoint.h"
#include "vp-host-mount.h"
#include "vp-log.h"

enum {
  SIGNAL_CHANGED,
  SIGNAL_PROCESS_ADDED,
  SIGNAL_PROCESS_REMOVED,
  SIGNAL_EXITED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];
static guint request_timeout_ms = 60000;

G_DEFINE_FINAL_TYPE (VpContainer, vp_container, G_TYPE_OBJECT)

static void
vp_container_dispose (GObject *object)
{
  VpContainer *self = VP_CONTAINER (object);

  g_clear_object (&self->init);
  g_clear_pointer (&self->execs, g_hash_table_unref);
  g_clear_pointer (&self->coming, g_hash_table_unref);
  g_clear_object (&self->agent);
  g_clear_pointer (&self->worker, vp_worker_unref);
  g_clear_pointer (&self->with.worker, vp_worker_unref);
  g_clear_pointer (&self->netns, g_free);
  g_clear_object (&self->hooks);
  g_clear_pointer (&self->plan, vp_container_plan_unref);
  g_clear_pointer (&self->streams, vp_streams_free);
  g_clear_pointer (&self->mount_ns, vp_mount_ns_unref);
  G_OBJECT_CLASS (vp_container_parent_class)->dispose (object);
}

static void
vp_container_finalize (GObject *object)
{
  VpContainer *self = VP_CONTAINER (object);

  g_clear_pointer (&self->spec, vp_spec_unref);
  vp_place_unref (self->place);
  g_free (self->id);
  g_free (self->sandbox_id);
  g_free (self->share_dir);
  g_free (self->cgroup);
  G_OBJECT_CLASS (vp_container_parent_class)->finalize (object);
}

static void
vp_container_class_init (VpContainerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = vp_container_dispose;
  G_OBJECT_CLASS (klass)->finalize = vp_container_finalize;
  signals[SIGNAL_CHANGED]
      = g_signal_new ("changed", VP_TYPE_CONTAINER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_PROCESS_ADDED] = g_signal_new ("process-added", VP_TYPE_CONTAINER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                                NULL, G_TYPE_NONE, 1, VP_TYPE_PROCESS);
  signals[SIGNAL_PROCESS_REMOVED] = g_signal_new ("process-removed", VP_TYPE_CONTAINER, G_SIGNAL_RUN_LAST, 0, NULL,
                                                  NULL, NULL, G_TYPE_NONE, 1, VP_TYPE_PROCESS);
  signals[SIGNAL_EXITED] = g_signal_new ("exited", VP_TYPE_CONTAINER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                         G_TYPE_NONE, 1, VP_TYPE_PROCESS);
}

static void
vp_container_init (VpContainer *self)
{
  self->place = vp_place_new ();
  self->execs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  self->coming = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
}

void
vp_container_set_request_timeout (guint timeout_ms)
{
  request_timeout_ms = timeout_ms;
}

guint
vp_container_get_request_timeout (void)
{
  return request_timeout_ms;
}

gboolean
vp_container_check_verb (VpContainer *self, VpVerb verb, GError **error)
{
  return vp_states_check_container (verb, self->id, self->place, error);
}

gboolean
vp_container_check_settled (VpContainer *self, VpVerb verb, GError **error)
{
  if (!self->preparing && !self->discarding)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE, "%s container \"%s\": it is being %s",
               vp_verb_to_string (verb), self->id, self->preparing ? "created" : "deleted");
  return FALSE;
}

void
vp_container_set_state (VpContainer *self, VpContainerState state)
{
  VpContainerState before = self->place->container;

  if (before == state)
    return;
  if (!vp_states_may_change (VP_NOUN_CONTAINER, before, state))
    {
      g_critical ("container %s: no transition from %s to %s", self->id, vp_container_state_to_string (before),
                  vp_container_state_to_string (state));
      return;
    }
  vp_debug (self->sandbox_id, self->id, "container %s -> %s", vp_container_state_to_string (before),
            vp_container_state_to_string (state));
  self->place->container = state;
  if (state == VP_CONTAINER_RUNNING && before == VP_CONTAINER_CREATED)
    self->started_at = g_get_real_time ();
  vp_container_note (self);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

void
vp_container_set_record_func (VpContainer *self, VpContainerRecordFunc func, gpointer user_data)
{
  self->record_func = func;
  self->record_data = user_data;
}

gboolean
vp_container_record (VpContainer *self, GError **error)
{
  return self->record_func == NULL || self->record_func (self->record_data, error);
}

void
vp_container_note (VpContainer *self)
{
  g_autoptr (GError) error = NULL;

  if (!vp_container_record (self, &error))
    vp_warning (self->sandbox_id, self->id, "record not written: %s", error->message);
}

void
vp_container_emit_process (VpContainer *self, VpProcess *process, gboolean added)
{
  g_signal_emit (self, signals[added ? SIGNAL_PROCESS_ADDED : SIGNAL_PROCESS_REMOVED], 0, process);
}

static void
on_init_exited (VpProcess *process, gpointer user_data)
{
  VpContainer *self = user_data;

  vp_container_set_state (self, VP_CONTAINER_STOPPED);
  g_signal_emit (self, signals[SIGNAL_EXITED], 0, process);
}

void
vp_container_emit_exited (VpContainer *self, VpProcess *process)
{
  g_signal_emit (self, signals[SIGNAL_EXITED], 0, process);
}

VpContainer *
vp_container_new (const char *sandbox_id, const char *id, VpSpec *spec, VpStreams *streams)
{
  VpContainer *self = g_object_new (VP_TYPE_CONTAINER, NULL);

  self->sandbox_id = g_strdup (sandbox_id);
  self->id = g_strdup (id);
  self->spec = vp_spec_ref (spec);
  self->streams = streams;
  self->created_at = g_get_real_time ();
  self->init = vp_process_new (sandbox_id, id, "", vp_spec_get_terminal (spec));
  vp_process_note_streams (self->init, streams);
  vp_process_set_place (self->init, self->place);
  g_signal_connect_object (self->init, "exited", G_CALLBACK (on_init_exited), self, 0);
  return self;
}

const char *
vp_container_get_id (VpContainer *self)
{
  return self->id;
}

VpSpec *
vp_container_get_spec (VpContainer *self)
{
  return self->spec;
}

VpContainerState
vp_container_get_state (VpContainer *self)
{
  return self->place->container;
}

void
vp_container_note_oom (VpContainer *self)
{
  if (self->oom_killed)
    return;
  self->oom_killed = TRUE;
  vp_container_note (self);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

gboolean
vp_container_get_oom_killed (VpContainer *self)
{
  return self->oom_killed;
}

void
vp_container_set_sandbox_state (VpContainer *self, VpSandboxState state)
{
  self->place->sandbox = state;
}

void
vp_container_set_cgroup (VpContainer *self, const char *path)
{
  g_free (self->cgroup);
  self->cgroup = g_strdup (path);
}

const char *
vp_container_get_cgroup (VpContainer *self)
{
  return self->cgroup;
}

VpProcess *
vp_container_get_init (VpContainer *self)
{
  return self->init;
}

gint64
vp_container_get_created_at (VpContainer *self)
{
  return self->created_at;
}

gint64
vp_container_get_started_at (VpContainer *self)
{
  return self->started_at;
}

VpProcess *
vp_container_find_process (VpContainer *self, const char *exec_id)
{
  return *exec_id == '\0' ? self->init : g_hash_table_lookup (self->execs, exec_id);
}

GList *
vp_container_list_execs (VpContainer *self)
{
  return g_hash_table_get_values (self->execs);
}

void
vp_container_name_program (GError *error, const char *program)
{
  g_autofree char *shown = NULL;
  g_autofree char *message = NULL;

  if (!vp_error_is (error, VP_ERROR_COMMAND_NOT_FOUND) && !vp_error_is (error, VP_ERROR_COMMAND_NOT_EXECUTABLE))
    return;
  shown = g_strescape (program, NULL);
  if (strstr (error->message, shown) != NULL)
    return;
  message = g_strdup_printf ("%s: \"%.256s\"", error->message, shown);
  g_free (error->message);
  error->message = g_steal_pointer (&message);
}

/* ---- start and kill ---- */

static void
on_poststarted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  (void) vp_container_run_hooks_finish (VP_CONTAINER (source), result, NULL);
  g_task_return_boolean (task, TRUE);
}

static void
on_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpContainer *self = g_task_get_source_object (task);
  GError *error = NULL;

  self->starting = FALSE;
  VP_FAILPOINT_ONLY ("container.start.after");
  if (!vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error))
    {
      vp_container_note (self);
      g_prefix_error (&error, "start container \"%s\": ", self->id);
      g_task_return_error (task, error);
      return;
    }
  if (self->place->container != VP_CONTAINER_CREATED)
    {
      g_task_return_new_error (task, VP_ERROR, VP_ERROR_INVALID_STATE, "start container \"%s\": it ended meanwhile",
                               self->id);
      return;
    }
  vp_container_set_state (self, VP_CONTAINER_RUNNING);
  vp_process_begin_wait (self->init);
  g_clear_object (&self->hooks);
  self->hooks = g_cancellable_new ();
  vp_container_run_hooks_async (self, VP_CONTAINER_HOOKS_STARTED, self->hooks, on_poststarted,
                                g_steal_pointer (&task));
}

void
vp_container_start_async (VpContainer *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;

  if (!vp_container_check_verb (self, VP_VERB_CONTAINER_START, &error))
    g_task_return_error (task, error);
  else if (self->starting)
    g_task_return_new_error (task, VP_ERROR, VP_ERROR_INVALID_STATE, "start container \"%s\": it is being started",
                             self->id);
  else
    {
      self->starting = TRUE;
      if (vp_container_record (self, &error) && VP_FAILPOINT ("container.start.before", &error))
        {
          vp_agent_client_start_container_async (self->agent, self->id, request_timeout_ms, NULL, on_started,
                                                 g_steal_pointer (&task));
          return;
        }
      self->starting = FALSE;
      vp_container_note (self);
      g_task_return_error (task, error);
    }
}

gboolean
vp_container_start_finish (VpContainer *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
on_killed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpContainer *self = g_task_get_source_object (task);
  GError *error = NULL;

  VP_FAILPOINT_ONLY ("container.kill.after");
  if (vp_process_kill_finish (VP_PROCESS (source), result, &error))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  g_prefix_error (&error, "kill container \"%s\": ", self->id);
  g_task_return_error (task, error);
}

void
vp_container_kill_async (VpContainer *self, int signum, gboolean all, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;

  if (!vp_container_check_verb (self, VP_VERB_CONTAINER_KILL, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  if (!VP_FAILPOINT ("container.kill.before", &error))
    {
      g_task_return_error (task, error);
      return;
    }
  vp_process_kill_async (self->init, signum, all, request_timeout_ms, on_killed, g_steal_pointer (&task));
}

gboolean
vp_container_kill_finish (VpContainer *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
vp_container_lose (VpContainer *self)
{
  GHashTableIter iter;
  gpointer process;

  g_cancellable_cancel (self->hooks);
  g_hash_table_iter_init (&iter, self->execs);
  while (g_hash_table_iter_next (&iter, NULL, &process))
    vp_process_lose (process, VP_STATUS_LOST);
  g_hash_table_iter_init (&iter, self->coming);
  while (g_hash_table_iter_next (&iter, NULL, &process))
    vp_process_lose (process, VP_STATUS_LOST);
  vp_process_lose (self->init, VP_STATUS_LOST);
  g_clear_pointer (&self->mount_ns, vp_mount_ns_unref);
  /* who reads the other end of what was never used waits for its end too */
  g_clear_pointer (&self->streams, vp_streams_free);
  vp_container_set_state (self, VP_CONTAINER_STOPPED);
}
