/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-container-private.h"

#include "vp-error.h"
#include "vp-guest-messages.h"
#include "vp-id.h"
#include "vp-log.h"

/* Further processes. One that has ended is kept for a while, so that a client
 * that asks late still learns its status. */

#define MAX_EXECS 512
#define KEEP_ENDED_SECONDS 60

/* Both weak: the container may go before, and so may the process when others need its place. */
typedef struct
{
  VpContainer *container;
  VpProcess *process;
} Forget;

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

  if (forget->container != NULL && forget->process != NULL
      && vp_container_find_process (forget->container, vp_process_get_exec_id (forget->process)) == forget->process)
    forget_process (forget->container, forget->process);
  return G_SOURCE_REMOVE;
}

static void
forget_free (gpointer data)
{
  Forget *forget = data;

  g_clear_weak_pointer (&forget->container);
  g_clear_weak_pointer (&forget->process);
  g_free (forget);
}

static void
on_exec_exited (VpProcess *process, gpointer user_data)
{
  VpContainer *self = user_data;
  Forget *forget = g_new0 (Forget, 1);

  vp_container_emit_exited (self, process);
  g_set_weak_pointer (&forget->container, self);
  g_set_weak_pointer (&forget->process, process);
  g_timeout_add_seconds_full (G_PRIORITY_LOW, KEEP_ENDED_SECONDS, on_forget, forget, forget_free);
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

static void
on_exec_made (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpContainer *self = g_task_get_source_object (task);
  VpProcess *process = g_task_get_task_data (task);
  GError *error = NULL;

  if (!vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error))
    {
      vp_container_name_program (error, g_object_get_data (G_OBJECT (task), "program"));
      g_prefix_error (&error, "exec in container \"%s\": ", self->id);
      g_hash_table_remove (self->execs, vp_process_get_exec_id (process));
      g_task_return_error (task, error);
      return;
    }
  vp_process_begin_io (process);
  vp_process_begin_wait (process);
  vp_container_emit_process (self, process, TRUE);
  g_task_return_pointer (task, process, NULL);
}

static gboolean
check_exec (VpContainer *self, const char *exec_id, GError **error)
{
  if (!vp_container_check_verb (self, VP_VERB_CONTAINER_EXEC, error) || !vp_id_check (exec_id, "exec id", error))
    return FALSE;
  if (g_hash_table_contains (self->execs, exec_id))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS, "exec id \"%s\": container \"%s\" has it already", exec_id,
                   self->id);
      return FALSE;
    }
  if (g_hash_table_size (self->execs) >= MAX_EXECS && !make_room (self))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED, "exec in container \"%s\": it has %d processes",
                   self->id, MAX_EXECS);
      return FALSE;
    }
  return TRUE;
}

void
vp_container_exec_async (VpContainer *self, const char *exec_id, const VpSpecExec *exec, VpStreams *streams,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (VpStreams) owned = streams;
  g_autofree char *chosen = *exec_id == '\0' ? vp_id_random_hex (16) : g_strdup (exec_id);
  g_autoptr (VpProcess) process = NULL;
  Grpc__ExecProcessRequest *request = NULL;
  g_autoptr (GBytes) packed = NULL;
  GError *error = NULL;

  if (!check_exec (self, chosen, &error)
      || (request = vp_guest_message_exec_process (self->plan, chosen, exec, &error)) == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  g_object_set_data_full (G_OBJECT (task), "program", g_strdup (exec->args[0]), g_free);
  packed = vp_guest_message_pack (&request->base);
  grpc__exec_process_request__free_unpacked (request, NULL);

  process = vp_process_new (self->sandbox_id, self->id, chosen, exec->terminal);
  vp_process_set_place (process, self->place);
  if (!vp_process_prepare (process, self->agent, g_steal_pointer (&owned), &error))
    {
      g_task_return_error (task, error);
      return;
    }
  g_signal_connect_object (process, "exited", G_CALLBACK (on_exec_exited), self, 0);
  g_hash_table_replace (self->execs, g_strdup (chosen), g_object_ref (process));
  g_task_set_task_data (task, g_steal_pointer (&process), g_object_unref);
  vp_agent_client_exec_process_async (self->agent, packed, vp_container_get_request_timeout (), NULL, on_exec_made,
                                      g_steal_pointer (&task));
}

VpProcess *
vp_container_exec_finish (VpContainer *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
