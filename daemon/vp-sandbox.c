/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-error.h"
#include "vp-event.h"
#include "vp-id.h"
#include "vp-log.h"
#include "vp-planner.h"

/* For a second a guest's kernel believes what virtiofsd has told it of a name, and does not ask
 * again: files that come to be in the place of others are not found until then. */
#define GUEST_BELIEVES_USEC (1250 * 1000)

enum {
  SIGNAL_CHANGED,
  SIGNAL_CONTAINER_ADDED,
  SIGNAL_CONTAINER_REMOVED,
  SIGNAL_OOM,
  SIGNAL_DEVICE_REMOVED,
  SIGNAL_DELETED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (VpSandbox, vp_sandbox, G_TYPE_OBJECT)

static void
vp_sandbox_dispose (GObject *object)
{
  VpSandbox *self = VP_SANDBOX (object);

  vp_sandbox_heartbeat_stop (self);
  g_clear_pointer (&self->watch.watch, vp_net_watch_free);
  vp_sandbox_close_door (self);
  for (guint i = 0; self->containers != NULL && i < self->containers->len; i++)
    vp_container_set_record_func (self->containers->pdata[i], NULL, NULL);
  g_clear_pointer (&self->containers, g_ptr_array_unref);
  g_clear_pointer (&self->spec, vp_spec_unref);
  g_clear_pointer (&self->steps, vp_steps_free);
  g_clear_pointer (&self->machine.plan, vp_plan_unref);
  g_clear_pointer (&self->machine.net, vp_net_job_unref);
  g_clear_object (&self->machine.console);
  g_clear_object (&self->machine.agent);
  g_clear_object (&self->end.cancellable);
  g_clear_object (&self->end.asking);
  G_OBJECT_CLASS (vp_sandbox_parent_class)->dispose (object);
}

static void
vp_sandbox_finalize (GObject *object)
{
  VpSandbox *self = VP_SANDBOX (object);

  vp_waiters_free (self->waiters);
  vp_waiters_free (self->end.stop_waiters);
  g_hash_table_unref (self->labels);
  g_hash_table_unref (self->gone);
  g_clear_handle_id (&self->nics.settle_timer, g_source_remove);
  g_clear_pointer (&self->nics.leaving, g_hash_table_unref);
  g_free (self->watch.found);
  g_free (self->machine.xml);
  g_free (self->machine.share_dir);
  g_free (self->machine.netns);
  g_free (self->end.why);
  g_free (self->id);
  g_free (self->handler);
  g_free (self->network);
  vp_config_unref (self->config);
  g_free (self->domain_name);
  g_free (self->uuid);
  G_OBJECT_CLASS (vp_sandbox_parent_class)->finalize (object);
}

static void
vp_sandbox_class_init (VpSandboxClass *klass)
{
  GType type = VP_TYPE_SANDBOX;

  G_OBJECT_CLASS (klass)->dispose = vp_sandbox_dispose;
  G_OBJECT_CLASS (klass)->finalize = vp_sandbox_finalize;
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_CONTAINER_ADDED] = g_signal_new ("container-added", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                                  G_TYPE_NONE, 1, VP_TYPE_CONTAINER);
  signals[SIGNAL_CONTAINER_REMOVED] = g_signal_new ("container-removed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                                    G_TYPE_NONE, 1, VP_TYPE_CONTAINER);
  signals[SIGNAL_OOM]
      = g_signal_new ("oom", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, VP_TYPE_CONTAINER);
  signals[SIGNAL_DEVICE_REMOVED] = g_signal_new ("device-removed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                                 G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_BOOLEAN);
  signals[SIGNAL_DELETED] = g_signal_new ("deleted", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
vp_sandbox_init (VpSandbox *self)
{
  self->containers = g_ptr_array_new_with_free_func (g_object_unref);
  self->waiters = vp_waiters_new ();
  self->end.stop_waiters = vp_waiters_new ();
  self->exit_reason = "";
  self->gone = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->ooms = (VpBucket) VP_BUCKET_INIT (10, 0.2);
  self->steps = vp_steps_new (vp_sandbox_steps, vp_sandbox_n_steps, self);
}

VpSandbox *
vp_sandbox_new (const VpServices *services, const char *id, const char *handler, VpConfig *config,
                GHashTable *labels)
{
  VpSandbox *self = g_object_new (VP_TYPE_SANDBOX, NULL);

  self->services = services;
  self->id = g_strdup (id);
  self->handler = g_strdup (handler);
  self->config = vp_config_ref (config);
  self->domain_name = vp_id_to_domain_name (id);
  self->uuid = g_uuid_string_random ();
  self->labels = g_hash_table_ref (labels);
  self->created_at = g_get_real_time ();
  return self;
}

/* ---- state ---- */

gboolean
vp_sandbox_check_exists (VpSandbox *self, VpVerb verb, GError **error)
{
  if (!self->deleted)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_NOT_FOUND, "%s sandbox \"%s\": it was deleted", vp_verb_to_string (verb),
               self->id);
  return FALSE;
}

gboolean
vp_sandbox_check_verb (VpSandbox *self, VpVerb verb, GError **error)
{
  return vp_sandbox_check_exists (self, verb, error) && vp_states_check_sandbox (verb, self->id, self->state, error);
}

/* The sandbox's is that of its own container, which may be gone when somebody asks. */
static void
note_status (VpSandbox *self, VpContainer *own)
{
  VpProcess *init = vp_container_get_init (own);

  self->exit_status
      = vp_process_get_state (init) == VP_PROCESS_STOPPED ? vp_process_get_exit_status (init) : VP_STATUS_LOST;
}

static void
note_end (VpSandbox *self)
{
  VpContainer *own = vp_sandbox_find_container (self, self->id);

  self->exited_at = g_get_real_time ();
  if (own != NULL)
    note_status (self, own);
}

void
vp_sandbox_changed (VpSandbox *self)
{
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

/* The steps in between are for who looks closely; a failed start is told where
 * it is known why. */
static void
tell_state (VpSandbox *self, VpSandboxState before)
{
  vp_info (self->id, NULL, "sandbox %s -> %s", vp_sandbox_state_to_string (before),
           vp_sandbox_state_to_string (self->state));
  if (self->state == VP_SANDBOX_READY && before == VP_SANDBOX_STARTING)
    vp_event (VP_EVENT_SANDBOX_STARTED, self->id, NULL, "sandbox is ready");
  else if (self->state == VP_SANDBOX_STOPPED)
    vp_event (VP_EVENT_SANDBOX_STOPPED, self->id, NULL, "sandbox has stopped (%s)", self->exit_reason);
  else if (self->state == VP_SANDBOX_LOST)
    vp_event (VP_EVENT_SANDBOX_LOST, self->id, NULL, "sandbox was lost (%s)", self->exit_reason);
}

void
vp_sandbox_set_state (VpSandbox *self, VpSandboxState state)
{
  VpSandboxState before = self->state;
  g_autoptr (GError) error = NULL;

  if (!vp_states_may_change (VP_NOUN_SANDBOX, before, state))
    {
      g_critical ("sandbox %s: no transition from %s to %s", self->id, vp_sandbox_state_to_string (self->state),
                  vp_sandbox_state_to_string (state));
      return;
    }
  self->state = state;
  tell_state (self, before);
  if (state == VP_SANDBOX_READY && before == VP_SANDBOX_STARTING)
    self->started_at = g_get_real_time ();
  if (state == VP_SANDBOX_READY)
    vp_sandbox_heartbeat_start (self);
  else
    vp_sandbox_heartbeat_stop (self);
  vp_sandbox_watch_network (self);
  if (before == VP_SANDBOX_PAUSED)
    vp_sandbox_settle_nics (self);
  for (guint i = 0; i < self->containers->len; i++)
    vp_container_set_sandbox_state (self->containers->pdata[i], state);
  if (vp_sandbox_state_is_end (state))
    note_end (self);
  if (!vp_sandbox_save (self, &error))
    vp_warning (self->id, NULL, "record not written: %s", error->message);
  vp_sandbox_changed (self);
  if (vp_sandbox_state_is_end (state))
    vp_waiters_answer (self->waiters, NULL);
}

/* ---- containers ---- */

static gboolean
is_long_ago (gpointer id, gpointer when, gpointer user_data)
{
  return *(gint64 *) when + GUEST_BELIEVES_USEC < *(gint64 *) user_data;
}

/* One of the same id has its files in the same place of the share. */
static void
remember_gone (VpSandbox *self, const char *id)
{
  gint64 now = g_get_monotonic_time ();

  g_hash_table_foreach_remove (self->gone, is_long_ago, &now);
  g_hash_table_replace (self->gone, g_strdup (id), g_memdup2 (&now, sizeof now));
}

static gint64
when_forgotten_by_guest (VpSandbox *self, const char *id)
{
  const gint64 *when = g_hash_table_lookup (self->gone, id);

  return when == NULL ? 0 : *when + GUEST_BELIEVES_USEC;
}

static VpContainer *
add_container (VpSandbox *self, const char *id, VpSpec *spec, VpStreams *streams, VpMountNs *mount_ns)
{
  VpContainer *container = vp_container_new (self->id, id, spec, streams);

  vp_container_set_mount_ns (container, mount_ns);
  vp_container_set_not_before (container, when_forgotten_by_guest (self, id));
  vp_sandbox_take_container (self, container);
  return container;
}

void
vp_sandbox_take_container (VpSandbox *self, VpContainer *container)
{
  vp_container_set_sandbox_state (container, self->state);
  g_ptr_array_add (self->containers, container);
  vp_container_set_record_func (container, vp_sandbox_record_func, self);
}

/* FALSE: it is none of ours. */
static gboolean
forget_container (VpSandbox *self, VpContainer *container)
{
  G_GNUC_UNUSED g_autoptr (VpContainer) keep = g_object_ref (container);

  if (!g_ptr_array_remove (self->containers, container))
    return FALSE;
  vp_container_set_record_func (container, NULL, NULL);
  if (self->state == VP_SANDBOX_READY || self->state == VP_SANDBOX_PAUSED)
    remember_gone (self, vp_container_get_id (container));
  return TRUE;
}

gboolean
vp_sandbox_create (VpSandbox *self, VpSpec *spec, VpStreams *streams, VpMountNs *mount_ns, GError **error)
{
  VpContainer *own = add_container (self, self->id, spec, streams, mount_ns);

  self->spec = vp_spec_ref (spec);
  if (!vp_sandbox_save (self, error))
    {
      forget_container (self, own);
      return FALSE;
    }
  if (!vp_sandbox_save_spec (self, own, error))
    {
      (void) vp_store_remove (self->services->store, self->domain_name, NULL);
      forget_container (self, own);
      return FALSE;
    }
  vp_sandbox_set_state (self, VP_SANDBOX_CREATED);
  g_signal_emit (self, signals[SIGNAL_CONTAINER_ADDED], 0, own);
  return TRUE;
}

void
vp_sandbox_drop_container (VpSandbox *self, VpContainer *container)
{
  G_GNUC_UNUSED g_autoptr (VpContainer) keep = g_object_ref (container);
  gboolean own = g_str_equal (vp_container_get_id (container), self->id);
  g_autoptr (GError) error = NULL;

  if (!forget_container (self, container))
    return;
  vp_process_lose (vp_container_get_init (container), VP_STATUS_LOST);
  if (own)
    note_status (self, container);
  g_signal_emit (self, signals[SIGNAL_CONTAINER_REMOVED], 0, container);
  if (self->deleted)
    return;
  if (!vp_sandbox_save (self, &error))
    vp_warning (self->id, NULL, "record not written: %s", error->message);
  /* the sandbox is what its own container's says */
  if (!own)
    vp_store_remove_spec (self->services->store, self->domain_name, vp_container_get_id (container));
}

static void
on_added_prepared (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandbox *self = g_task_get_source_object (task);
  VpContainer *container = VP_CONTAINER (source);
  gboolean ends_sandbox = FALSE;
  GError *error = NULL;

  if (vp_container_prepare_finish (container, result, &error))
    g_task_return_pointer (task, container, NULL);
  else
    {
      /* those that it was to join have gone meanwhile */
      ends_sandbox = vp_sandbox_is_last (self, container);
      if (!ends_sandbox)
        vp_sandbox_drop_container (self, container);
      g_task_return_error (task, error);
    }
  if (--self->n_preparing == 0)
    vp_sandbox_all_prepared (self);
  if (ends_sandbox)
    vp_sandbox_delete_async (self, TRUE, NULL, NULL);
}

void
vp_sandbox_add_container_async (VpSandbox *self, const char *id, VpSpec *spec, VpStreams *streams,
                                VpMountNs *mount_ns, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (VpStreams) owned = streams;
  g_autoptr (VpContainerPlan) plan = NULL;
  VpContainer *container;
  GError *error = NULL;

  if (!vp_sandbox_check_verb (self, VP_VERB_SANDBOX_ADD_CONTAINER, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  if (self->state == VP_SANDBOX_READY)
    {
      plan = vp_planner_plan_container (self->id, id, spec, self->config,
                                        vp_virt_get_facts (self->services->virt), &error);
      if (plan == NULL)
        {
          g_task_return_error (task, error);
          return;
        }
    }
  container = add_container (self, id, spec, g_steal_pointer (&owned), mount_ns);
  if (!vp_sandbox_save_spec (self, container, &error) || !vp_sandbox_save (self, &error))
    {
      vp_store_remove_spec (self->services->store, self->domain_name, id);
      forget_container (self, container);
      g_task_return_error (task, error);
      return;
    }
  g_signal_emit (self, signals[SIGNAL_CONTAINER_ADDED], 0, container);
  if (plan == NULL)
    {
      g_task_return_pointer (task, container, NULL);
      return;
    }
  self->n_preparing++;
  vp_sandbox_prepare_container (self, container, plan, on_added_prepared, g_steal_pointer (&task));
}

VpContainer *
vp_sandbox_add_container_finish (VpSandbox *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* ---- wait ---- */

void
vp_sandbox_wait_async (VpSandbox *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  GError *error = NULL;

  if (!vp_sandbox_check_exists (self, VP_VERB_SANDBOX_WAIT, &error))
    g_task_return_error (task, error);
  else if (vp_sandbox_state_is_end (self->state))
    g_task_return_boolean (task, TRUE);
  else
    vp_waiters_add (self->waiters, g_steal_pointer (&task));
}

gboolean
vp_sandbox_wait_finish (VpSandbox *self, GAsyncResult *result, guint *ret_status, gint64 *ret_exited_at,
                        GError **error)
{
  if (!g_task_propagate_boolean (G_TASK (result), error))
    return FALSE;
  *ret_status = self->exit_status;
  *ret_exited_at = self->exited_at;
  return TRUE;
}
