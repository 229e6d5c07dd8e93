/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-container-private.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "vp-error.h"
#include "vp-fdstore.h"
#include "vp-listen-fds.h"
#include "vp-log.h"

/* A container over a restart of the daemon: what is written down of it, and what
 * is made of that again. */

#define KILL_SIGNAL 9

/* ---- writing ---- */

static const char *
record_state (VpContainer *self)
{
  if (self->discarding)
    return VP_CONTAINER_RECORD_REMOVING;
  if (self->starting && self->place->container == VP_CONTAINER_CREATED)
    return VP_CONTAINER_RECORD_STARTING;
  return vp_container_state_to_string (self->place->container);
}

static void
describe_process (VpRecordContainer *record, VpProcess *process, VpProcessState state)
{
  VpRecordProcess *out
      = vp_record_add_process (record, vp_process_get_exec_id (process), vp_process_state_to_string (state));

  out->terminal = vp_process_get_terminal (process);
  out->exit_status = vp_process_get_exit_status (process);
  out->exited_at = (guint64) vp_process_get_exited_at (process);
  if (vp_process_get_standin (process) != NULL)
    {
      out->standin_pid = (guint) vp_standin_watch_get_pid (vp_process_get_standin (process));
      out->standin_start = vp_standin_watch_get_start (vp_process_get_standin (process));
    }
  for (int i = 0; i < VP_N_STREAMS; i++)
    out->streams[i] = g_strdup (vp_process_get_binding (process, (VpStream) i));
}

static int
compare_exec_ids (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const char *const *) a, *(const char *const *) b);
}

static void
describe_execs (VpRecordContainer *out, GHashTable *execs)
{
  guint n_ids;
  g_autofree gpointer *ids = g_hash_table_get_keys_as_array (execs, &n_ids);

  qsort (ids, n_ids, sizeof *ids, compare_exec_ids);
  for (guint i = 0; i < n_ids; i++)
    {
      VpProcess *process = g_hash_table_lookup (execs, ids[i]);

      describe_process (out, process, vp_process_get_state (process));
    }
}

void
vp_container_describe (VpContainer *self, VpRecord *record)
{
  VpRecordContainer *out = vp_record_add_container (record, self->id, vp_spec_get_bundle (self->spec),
                                                    record_state (self), (guint64) self->created_at);
  VpProcessState init = vp_process_get_state (self->init);

  out->started_at = (guint64) self->started_at;
  out->hooked = self->hooked;
  out->foreign_paths = self->foreign_paths;
  out->oom_killed = self->oom_killed;
  /* the container is told before its process is */
  if ((self->place->container == VP_CONTAINER_RUNNING || self->place->container == VP_CONTAINER_PAUSED)
      && init == VP_PROCESS_CREATED)
    init = VP_PROCESS_RUNNING;
  describe_process (out, self->init, init);
  describe_execs (out, self->execs);
  describe_execs (out, self->coming);
}

/* ---- reading ---- */

static gboolean
parse_state (const char *text, VpContainerState *ret_state, GError **error)
{
  /* what was under way is seen to by _go_on; in the guest it is one of these */
  if (g_str_equal (text, VP_CONTAINER_RECORD_STARTING))
    text = "created";
  else if (g_str_equal (text, VP_CONTAINER_RECORD_REMOVING))
    text = "stopped";
  for (int i = 0; i < VP_N_CONTAINER_STATES; i++)
    if (g_str_equal (vp_container_state_to_string ((VpContainerState) i), text))
      {
        *ret_state = (VpContainerState) i;
        return TRUE;
      }
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "container state \"%s\": is not known", text);
  return FALSE;
}

static gboolean
parse_process_state (const char *text, VpProcessState *ret_state, GError **error)
{
  for (int i = VP_PROCESS_CREATED; i <= VP_PROCESS_STOPPED; i++)
    if (g_str_equal (vp_process_state_to_string ((VpProcessState) i), text))
      {
        *ret_state = (VpProcessState) i;
        return TRUE;
      }
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "process state \"%s\": is not known", text);
  return FALSE;
}

/* A file to read from is read from its beginning when it is opened again: what
 * the process has had already it would get twice. */
static gboolean
may_open_again (VpStream stream, const char *path)
{
  struct stat st;

  return stream != VP_STREAM_STDIN || stat (path, &st) < 0 || !S_ISREG (st.st_mode);
}

/* The ends that can be had again, NULL when there are none. */
static VpStreams *
reopen_streams (const char *sandbox_id, const char *container_id, const VpRecordProcess *record)
{
  g_autoptr (VpStreams) streams = vp_streams_new ();
  gboolean any = FALSE;

  for (int i = 0; i < VP_N_STREAMS; i++)
    {
      VpStream stream = (VpStream) i;
      const char *bound = record->streams[i];
      g_autofree char *name = vp_fdstore_dup_name (sandbox_id, container_id, record->exec_id, vp_stream_name (stream));
      g_autoptr (GError) error = NULL;

      if (bound == NULL)
        continue;
      if (g_str_equal (bound, VP_RECORD_STREAM_FD))
        {
          int fd = vp_listen_fds_take (name);

          if (fd >= 0)
            vp_streams_take_fd (streams, stream, fd);
          else
            vp_notice (sandbox_id, container_id, "%s: the descriptor went with the last daemon, attach to go on",
                       vp_stream_name (stream));
        }
      else if (!may_open_again (stream, bound))
        vp_notice (sandbox_id, container_id, "%s: a file is not read again", vp_stream_name (stream));
      else if (!vp_streams_set_path (streams, stream, bound, &error))
        vp_warning (sandbox_id, container_id, "%s is kept: %s", vp_stream_name (stream), error->message);
      any = any || vp_streams_is_set (streams, stream);
    }
  return any ? g_steal_pointer (&streams) : NULL;
}

static const VpRecordProcess *
find_process (const VpRecordContainer *record, const char *exec_id)
{
  for (guint i = 0; i < record->processes->len; i++)
    {
      const VpRecordProcess *process = g_ptr_array_index (record->processes, i);

      if (g_str_equal (process->exec_id, exec_id))
        return process;
    }
  return NULL;
}

static gboolean
restore_init (VpContainer *self, const VpRecordContainer *record, GError **error)
{
  const VpRecordProcess *init = find_process (record, "");
  VpProcessState state = VP_PROCESS_CREATED;

  if (init == NULL)
    {
      /* version 1 did not say; what it had of statuses went with the daemon */
      if (self->place->container == VP_CONTAINER_RUNNING)
        vp_process_restore (self->init, VP_PROCESS_RUNNING, 0, 0);
      else if (self->place->container == VP_CONTAINER_STOPPED)
        vp_process_restore (self->init, VP_PROCESS_STOPPED, VP_STATUS_LOST, self->created_at);
      return TRUE;
    }
  if (!parse_process_state (init->state, &state, error))
    return FALSE;
  vp_process_restore (self->init, state, init->exit_status, (gint64) init->exited_at);
  if (state != VP_PROCESS_STOPPED)
    vp_process_watch_standin (self->init, (pid_t) init->standin_pid, init->standin_start);
  return TRUE;
}

static gboolean
restore_execs (VpContainer *self, const VpRecordContainer *record, GError **error)
{
  for (guint i = 0; i < record->processes->len; i++)
    {
      const VpRecordProcess *in = g_ptr_array_index (record->processes, i);
      VpProcessState state;
      VpProcess *process;

      if (*in->exec_id == '\0')
        continue;
      if (!parse_process_state (in->state, &state, error))
        return FALSE;
      /* nobody was told of one that was being made; _go_on ends it */
      if (state == VP_PROCESS_CREATED)
        continue;
      process = vp_process_new (self->sandbox_id, self->id, in->exec_id, in->terminal);
      vp_process_set_place (process, self->place);
      vp_process_restore (process, state, in->exit_status, (gint64) in->exited_at);
      vp_container_take_exec (self, process);
      if (state == VP_PROCESS_STOPPED)
        vp_container_forget_later (self, process);
      else
        vp_process_watch_standin (process, (pid_t) in->standin_pid, in->standin_start);
    }
  return TRUE;
}

VpContainer *
vp_container_restore (const char *sandbox_id, const VpRecordContainer *record, VpSpec *spec, GError **error)
{
  const VpRecordProcess *init = find_process (record, "");
  g_autoptr (VpContainer) self = NULL;
  VpContainerState state;

  if (!parse_state (record->state, &state, error))
    return NULL;
  self = vp_container_new (sandbox_id, record->id, spec,
                           init != NULL && state != VP_CONTAINER_STOPPED
                               ? reopen_streams (sandbox_id, record->id, init)
                               : NULL);
  self->place->container = state;
  self->created_at = (gint64) record->created_at;
  self->started_at = (gint64) record->started_at;
  self->hooked = record->hooked;
  self->foreign_paths = record->foreign_paths;
  self->oom_killed = record->oom_killed;
  if (!restore_init (self, record, error) || !restore_execs (self, record, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* ---- the guest again ---- */

static void
prepare_process (VpContainer *self, VpProcess *process, VpStreams *streams)
{
  g_autoptr (GError) error = NULL;

  if (vp_process_prepare (process, self->agent, streams, &error))
    return;
  vp_warning (self->sandbox_id, self->id, "output is kept: %s", error->message);
  /* with nothing bound it cannot fail */
  (void) vp_process_prepare (process, self->agent, NULL, NULL);
}

void
vp_container_reconnect (VpContainer *self, VpContainerPlan *plan, const char *share_dir, VpAgentClient *agent,
                        VpWorker *worker)
{
  vp_container_take_place (self, plan, share_dir, agent, worker);
  if (agent != NULL && self->place->container != VP_CONTAINER_STOPPED)
    prepare_process (self, self->init, g_steal_pointer (&self->streams));
}

static void
resume_execs (VpContainer *self, const VpRecordContainer *record)
{
  for (guint i = 0; i < record->processes->len; i++)
    {
      const VpRecordProcess *in = g_ptr_array_index (record->processes, i);
      VpProcess *process;

      if (*in->exec_id == '\0' || g_str_equal (in->state, vp_process_state_to_string (VP_PROCESS_STOPPED)))
        continue;
      process = g_hash_table_lookup (self->execs, in->exec_id);
      if (process == NULL)
        {
          /* or it was held, and the guest never had it */
          vp_notice (self->sandbox_id, self->id, "exec \"%s\" did not run yet, it is forgotten", in->exec_id);
          vp_agent_client_signal_process_async (self->agent, self->id, in->exec_id, KILL_SIGNAL,
                                                vp_container_get_request_timeout (), NULL, NULL, NULL);
          continue;
        }
      {
        g_autoptr (VpStreams) streams = reopen_streams (self->sandbox_id, self->id, in);

        vp_process_note_streams (process, streams);
        prepare_process (self, process, g_steal_pointer (&streams));
      }
      vp_process_take_over (process);
    }
}

/* That it runs already, or has ended, is what was to be found out. */
static void
on_started_again (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpContainer *self = g_task_get_source_object (task);
  g_autoptr (GError) error = NULL;

  self->starting = FALSE;
  if (!vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error)
      && !vp_error_is (error, VP_ERROR_INVALID_STATE))
    vp_notice (self->sandbox_id, self->id, "its start was under way and is not finished: %s", error->message);
  else if (self->place->container == VP_CONTAINER_CREATED)
    {
      vp_container_set_state (self, VP_CONTAINER_RUNNING);
      vp_process_begin_wait (self->init);
    }
  g_task_return_boolean (task, TRUE);
}

void
vp_container_go_on_async (VpContainer *self, const VpRecordContainer *record, GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);

  if (self->place->container == VP_CONTAINER_CREATING || g_str_equal (record->state, VP_CONTAINER_RECORD_REMOVING))
    {
      /* the guest may have it or not: it is asked to remove it */
      vp_container_set_state (self, VP_CONTAINER_STOPPED);
      g_task_return_boolean (task, FALSE);
      return;
    }
  if (self->place->container == VP_CONTAINER_STOPPED)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  vp_process_take_over (self->init);
  resume_execs (self, record);
  if (!g_str_equal (record->state, VP_CONTAINER_RECORD_STARTING))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  self->starting = TRUE;
  vp_agent_client_start_container_async (self->agent, self->id, vp_container_get_request_timeout (), NULL,
                                         on_started_again, g_steal_pointer (&task));
}

gboolean
vp_container_go_on_finish (VpContainer *self, GAsyncResult *result)
{
  return g_task_propagate_boolean (G_TASK (result), NULL);
}
