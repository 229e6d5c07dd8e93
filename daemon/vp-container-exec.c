/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-container-private.h"

#include "vp-error.h"
#include "vp-failpoint.h"
#include "vp-guest-messages.h"
#include "vp-id.h"
#include "vp-log.h"

/* Further processes. One that has ended is kept for a while, so that a client
 * that asks late still learns its status. */

#define MAX_EXECS 512
#define KEEP_ENDED_SECONDS 60

/* What the guest will be asked for, with the process until it has been. Of one
 * that an earlier daemon started nothing of it is known. */
typedef struct
{
  GBytes *request;
  char *program;
  gboolean starting;
  gboolean detached;
  guint forget; /* source of on_forget (), which goes with the process */
} Exec;

/* The container is weak: somebody who waits may keep the process longer. */
typedef struct
{
  VpContainer *container;
  VpProcess *process;
} Forget;

#define EXEC_KEY "exec"

static void
exec_free (gpointer data)
{
  Exec *exec = data;

  g_clear_handle_id (&exec->forget, g_source_remove);
  g_clear_pointer (&exec->request, g_bytes_unref);
  g_free (exec->program);
  g_free (exec);
}

static Exec *
exec_of (VpProcess *process)
{
  return g_object_get_data (G_OBJECT (process), EXEC_KEY);
}

static void
forget_process (VpContainer *self, VpProcess *process)
{
  g_autoptr (VpProcess) keep = g_object_ref (process);

  vp_container_emit_process (self, process, FALSE);
  g_hash_table_remove (self->execs, vp_process_get_exec_id (keep));
}

static gboolean
on_forget (gpointer user_data)
{
  Forget *forget = user_data;

  exec_of (forget->process)->forget = 0;
  if (forget->container != NULL
      && vp_container_find_process (forget->container, vp_process_get_exec_id (forget->process)) == forget->process)
    forget_process (forget->container, forget->process);
  return G_SOURCE_REMOVE;
}

static void
forget_free (gpointer data)
{
  Forget *forget = data;

  g_clear_weak_pointer (&forget->container);
  g_free (forget);
}

void
vp_container_forget_later (VpContainer *self, VpProcess *process)
{
  Forget *forget = g_new0 (Forget, 1);
  Exec *exec = exec_of (process);

  g_set_weak_pointer (&forget->container, self);
  forget->process = process;
  g_clear_handle_id (&exec->forget, g_source_remove);
  exec->forget = g_timeout_add_seconds_full (G_PRIORITY_LOW, exec->detached ? 0 : KEEP_ENDED_SECONDS, on_forget,
                                             forget, forget_free);
}

static void
on_exec_exited (VpProcess *process, gpointer user_data)
{
  VpContainer *self = user_data;

  vp_container_note (self);
  vp_container_emit_exited (self, process);
  vp_container_forget_later (self, process);
}

void
vp_container_take_exec (VpContainer *self, VpProcess *process)
{
  g_object_set_data_full (G_OBJECT (process), EXEC_KEY, g_new0 (Exec, 1), exec_free);
  g_signal_connect_object (process, "exited", G_CALLBACK (on_exec_exited), self, 0);
  g_hash_table_replace (self->execs, g_strdup (vp_process_get_exec_id (process)), process);
}

/* A place for a new one: that of the process which ended first. FALSE when all run. */
static gboolean
make_room (VpContainer *self)
{
  VpProcess *first = NULL;
  GHashTableIter iter;
  gpointer process;

  g_hash_table_iter_init (&iter, self->execs);
  while (g_hash_table_iter_next (&iter, NULL, &process))
    if (vp_process_get_state (process) == VP_PROCESS_STOPPED
        && (first == NULL || vp_process_get_exited_at (process) < vp_process_get_exited_at (first)))
      first = process;
  if (first != NULL)
    forget_process (self, first);
  return first != NULL;
}

/* ---- making one ---- */

static gboolean
check_exec (VpContainer *self, const char *exec_id, GError **error)
{
  if (!vp_container_check_verb (self, VP_VERB_CONTAINER_EXEC, error) || !vp_id_check (exec_id, "exec id", error))
    return FALSE;
  if (g_hash_table_contains (self->execs, exec_id) || g_hash_table_contains (self->coming, exec_id))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS, "exec id \"%s\": container \"%s\" has it already", exec_id,
                   self->id);
      return FALSE;
    }
  if (g_hash_table_size (self->execs) + g_hash_table_size (self->coming) >= MAX_EXECS && !make_room (self))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED, "exec in container \"%s\": it has %d processes",
                   self->id, MAX_EXECS);
      return FALSE;
    }
  return TRUE;
}

static Exec *
exec_new (VpContainer *self, const char *exec_id, VpJson *process, VpExecFlags flags, GError **error)
{
  Grpc__ExecProcessRequest *request = vp_guest_message_exec_json (self->id, exec_id, process, error);
  Exec *exec;

  if (request == NULL)
    return NULL;
  exec = g_new0 (Exec, 1);
  exec->request = vp_guest_message_pack (&request->base);
  exec->program = g_strdup (request->process->args[0]);
  exec->detached = (flags & VP_EXEC_DETACH) != 0;
  grpc__exec_process_request__free_unpacked (request, NULL);
  return exec;
}

/* Nobody will come for what it says, or tell it anything. */
static VpStreams *
detach_streams (VpStreams *streams, GError **error)
{
  g_autoptr (VpStreams) owned = streams != NULL ? streams : vp_streams_new ();

  for (int i = 0; i < VP_N_STREAMS; i++)
    if (!vp_streams_is_set (owned, (VpStream) i) && !vp_streams_set_path (owned, (VpStream) i, "/dev/null", error))
      return NULL;
  return g_steal_pointer (&owned);
}

static VpProcess *
make_process (VpContainer *self, const char *exec_id, VpJson *json, VpExecFlags flags, VpStreams *streams,
              GError **error)
{
  g_autoptr (VpStreams) owned = streams;
  VpJson *terminal = vp_json_lookup (json, "terminal");
  g_autoptr (VpProcess) process = NULL;
  Exec *exec = exec_new (self, exec_id, json, flags, error);

  if (exec == NULL)
    return NULL;
  process = vp_process_new (self->sandbox_id, self->id, exec_id, terminal != NULL && vp_json_get_bool (terminal));
  g_object_set_data_full (G_OBJECT (process), EXEC_KEY, exec, exec_free);
  vp_process_set_place (process, self->place);
  if (exec->detached && (owned = detach_streams (g_steal_pointer (&owned), error)) == NULL)
    return NULL;
  vp_process_note_streams (process, owned);
  if (!vp_process_prepare (process, self->agent, g_steal_pointer (&owned), error))
    {
      vp_process_lose (process, VP_STATUS_LOST);
      return NULL;
    }
  g_signal_connect_object (process, "exited", G_CALLBACK (on_exec_exited), self, 0);
  return g_steal_pointer (&process);
}

static void
add_process (VpContainer *self, VpProcess *process)
{
  g_hash_table_replace (self->execs, g_strdup (vp_process_get_exec_id (process)), g_object_ref (process));
  vp_container_note (self);
  vp_container_emit_process (self, process, TRUE);
}

/* The guest has it, or says why not. */
static gboolean
finish_start (VpContainer *self, VpProcess *process, GAsyncResult *result, GError **error)
{
  Exec *exec = exec_of (process);
  g_autoptr (GError) local = NULL;

  exec->starting = FALSE;
  VP_FAILPOINT_ONLY ("exec.make.after");
  if (vp_agent_client_empty_finish (self->agent, result, &local))
    {
      g_clear_pointer (&exec->request, g_bytes_unref);
      vp_process_begin_io (process);
      vp_process_begin_wait (process);
      return TRUE;
    }
  vp_container_name_program (local, exec->program);
  g_propagate_prefixed_error (error, g_steal_pointer (&local), "exec in container \"%s\": ", self->id);
  return FALSE;
}

/* Nobody was told of it. */
static void
drop_coming (VpContainer *self, VpProcess *process)
{
  g_hash_table_remove (self->coming, vp_process_get_exec_id (process));
  vp_process_lose (process, VP_STATUS_LOST);
  vp_container_note (self);
}

static void
on_exec_made (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpContainer *self = g_task_get_source_object (task);
  VpProcess *process = g_task_get_task_data (task);
  GError *error = NULL;

  if (!finish_start (self, process, result, &error))
    {
      drop_coming (self, process);
      g_task_return_error (task, error);
      return;
    }
  g_hash_table_remove (self->coming, vp_process_get_exec_id (process));
  add_process (self, process);
  vp_container_note (self);
  g_task_return_pointer (task, process, NULL);
}

void
vp_container_exec_async (VpContainer *self, const char *exec_id, VpJson *json, VpExecFlags flags, VpStreams *streams,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (VpStreams) owned = streams;
  g_autofree char *chosen = *exec_id == '\0' ? vp_id_random_hex (16) : g_strdup (exec_id);
  g_autoptr (VpProcess) process = NULL;
  GError *error = NULL;

  if (!check_exec (self, chosen, &error)
      || (process = make_process (self, chosen, json, flags, g_steal_pointer (&owned), &error)) == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  if ((flags & VP_EXEC_HOLD) != 0)
    {
      add_process (self, process);
      g_task_return_pointer (task, process, NULL);
      return;
    }
  exec_of (process)->starting = TRUE;
  g_hash_table_replace (self->coming, g_strdup (chosen), g_object_ref (process));
  if (!vp_container_record (self, &error) || !VP_FAILPOINT ("exec.make.before", &error))
    {
      drop_coming (self, process);
      g_task_return_error (task, error);
      return;
    }
  g_task_set_task_data (task, g_object_ref (process), g_object_unref);
  vp_agent_client_exec_process_async (self->agent, exec_of (process)->request, vp_container_get_request_timeout (),
                                      NULL, on_exec_made, g_steal_pointer (&task));
}

VpProcess *
vp_container_exec_finish (VpContainer *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* ---- one that was held ---- */

static gboolean
check_held (VpContainer *self, VpProcess *process, VpVerb verb, GError **error)
{
  const char *id = vp_process_get_exec_id (process);

  if (!vp_process_check_verb (process, verb, error))
    return FALSE;
  if (vp_container_find_process (self, id) != process)
    g_set_error (error, VP_ERROR, VP_ERROR_NOT_FOUND, "%s process \"%s\": it was deleted", vp_verb_to_string (verb), id);
  else if (exec_of (process)->starting)
    g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE, "%s process \"%s\": it is being started",
                 vp_verb_to_string (verb), id);
  else
    return TRUE;
  return FALSE;
}

static void
on_exec_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (finish_start (g_task_get_source_object (task), g_task_get_task_data (task), result, &error))
    {
      vp_container_note (g_task_get_source_object (task));
      g_task_return_boolean (task, TRUE);
    }
  else
    g_task_return_error (task, error);
}

void
vp_container_start_exec_async (VpContainer *self, VpProcess *process, GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;

  if (!check_held (self, process, VP_VERB_PROCESS_START, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  exec_of (process)->starting = TRUE;
  g_task_set_task_data (task, g_object_ref (process), g_object_unref);
  vp_agent_client_exec_process_async (self->agent, exec_of (process)->request, vp_container_get_request_timeout (),
                                      NULL, on_exec_started, g_steal_pointer (&task));
}

gboolean
vp_container_start_exec_finish (VpContainer *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

gboolean
vp_container_delete_exec (VpContainer *self, VpProcess *process, GError **error)
{
  if (!check_held (self, process, VP_VERB_PROCESS_DELETE, error))
    return FALSE;
  vp_process_lose (process, VP_STATUS_LOST);
  forget_process (self, process);
  return TRUE;
}
