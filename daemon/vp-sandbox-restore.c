/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-agent-address.h"
#include "vp-device.h"
#include "vp-error.h"
#include "vp-failpoint.h"
#include "vp-event.h"
#include "vp-log.h"
#include "vp-planner.h"

/* A sandbox from its record, and what becomes of it: a machine that still runs is
 * taken over, one whose start or end was under way is undone, one that has gone is
 * lost. There is one way down, the undos of vp_sandbox_steps. */

/* ---- from the record ---- */

static gboolean
parse_state (const char *text, VpSandboxState *ret_state, GError **error)
{
  for (int i = 0; i < VP_N_SANDBOX_STATES; i++)
    if (g_str_equal (vp_sandbox_state_to_string ((VpSandboxState) i), text))
      {
        *ret_state = (VpSandboxState) i;
        return TRUE;
      }
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "sandbox state \"%s\": is not known", text);
  return FALSE;
}

static VpAccel
parse_accel (const char *text)
{
  for (int i = VP_ACCEL_NONE; i <= VP_ACCEL_KVM; i++)
    if (g_strcmp0 (vp_accel_to_string ((VpAccel) i), text) == 0)
      return (VpAccel) i;
  return VP_ACCEL_NONE;
}

/* Only what a machine that runs is still asked for; the rest of the plan was for
 * making it. Version 1 did not say: the names below the directory have not changed. */
static VpPlan *
restore_plan (const VpRecordMachine *machine, const char *directory)
{
  g_autofree char *agent = vp_planner_dup_agent_socket (directory);
  g_autofree char *console = vp_planner_dup_console_socket (directory);
  g_autofree char *log = vp_planner_dup_console_log (directory);
  VpPlan *plan = vp_plan_new ();
  guint32 cid, port;

  plan->accel = parse_accel (machine->accelerator);
  plan->vcpus = machine->vcpus;
  plan->memory = machine->memory;
  if (machine->agent_path != NULL && vp_agent_address_is_vsock (machine->agent_path, &cid, &port))
    {
      VpDevice *vsock = vp_device_vsock_new ("agent", port);

      vsock->u.vsock.cid = cid;
      vp_plan_add_device (plan, vsock);
    }
  else
    vp_plan_add_device (plan, vp_device_channel_new ("agent", "", machine->agent_path ?: agent));
  if (machine->transport == NULL || machine->console_path != NULL)
    vp_plan_add_device (plan, vp_device_console_new ("console", machine->console_path ?: console,
                                                     machine->console_log ?: log, machine->console_max_bytes));
  return plan;
}

/* As it was when the container was created; when that was not kept (version 1),
 * or is not good any more, as the bundle has it now. */
static VpSpec *
load_spec (VpSandbox *self, const VpRecordContainer *container, GError **error)
{
  g_autoptr (GError) why = NULL;
  gsize len = 0;
  g_autofree char *text = NULL;
  VpSpec *spec = NULL;

  /* what has not been made yet is made from the bundle, with all that loading finds on the host */
  if (g_str_equal (container->state, "creating") && !container->foreign_paths)
    spec = vp_spec_load (container->bundle, NULL);
  if (spec == NULL)
    text = vp_store_load_spec (self->services->store, self->domain_name, container->id, &len, &why);
  if (text != NULL)
    spec = vp_spec_parse (text, len, container->bundle, &why);
  if (spec == NULL && container->foreign_paths && why != NULL)
    g_propagate_error (error, g_steal_pointer (&why));
  else if (spec == NULL)
    spec = vp_spec_load (container->bundle, error);
  return spec;
}

static gboolean
restore_containers (VpSandbox *self, const VpRecord *record, GError **error)
{
  for (guint i = 0; i < record->containers->len; i++)
    {
      const VpRecordContainer *in = g_ptr_array_index (record->containers, i);
      g_autoptr (VpSpec) spec = load_spec (self, in, error);
      VpContainer *container;

      if (spec == NULL || (container = vp_container_restore (self->id, in, spec, error)) == NULL)
        return FALSE;
      vp_sandbox_take_container (self, container);
    }
  if (record->containers->len > 0)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "sandbox \"%s\": its record has no container", self->id);
  return FALSE;
}

/* Of its own container, whether that is still there or not. */
static void
restore_spec (VpSandbox *self, const VpRecord *record)
{
  VpContainer *own = vp_sandbox_find_container (self, self->id);
  const VpRecordContainer gone = { .id = record->id, .bundle = record->bundle, .state = (char *) "stopped" };
  g_autoptr (GError) error = NULL;

  self->spec = own != NULL ? vp_spec_ref (vp_container_get_spec (own)) : load_spec (self, &gone, &error);
  if (self->spec != NULL)
    return;
  vp_warning (self->id, NULL, "what it was made for is not known any more: %s", error->message);
  self->spec = vp_spec_ref (vp_container_get_spec (self->containers->pdata[0]));
}

VpSandbox *
vp_sandbox_restore (const VpServices *services, const VpRecord *record, VpConfig *config, GError **error)
{
  g_autoptr (GHashTable) labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (VpSandbox) self = NULL;
  g_autofree char *directory = NULL;
  const VpDevice *vsock;

  for (guint i = 0; i < record->labels->len; i++)
    {
      const VpRecordLabel *label = g_ptr_array_index (record->labels, i);

      g_hash_table_replace (labels, g_strdup (label->name), g_strdup (label->value));
    }
  self = vp_sandbox_new (services, record->id, record->handler, config, labels);
  /* where it is not known (version 1) only root is it */
  self->owner = record->owner != G_MAXUINT ? record->owner : 0;
  if (!g_str_equal (self->domain_name, record->domain_name) || !g_uuid_string_is_valid (record->domain_uuid))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "sandbox \"%s\": its record is of another domain",
                   record->id);
      return NULL;
    }
  if (record->network != NULL && !vp_sandbox_set_network_model (self, record->network, error))
    return NULL;
  g_free (self->uuid);
  self->uuid = g_strdup (record->domain_uuid);
  self->created_at = (gint64) record->created_at;
  self->started_at = (gint64) record->started_at;
  self->exited_at = (gint64) record->exited_at;
  self->exit_status = record->exit_status;
  if (!parse_state (record->state, &self->state, error) || !restore_containers (self, record, error))
    return NULL;
  restore_spec (self, record);
  if ((self->state == VP_SANDBOX_STOPPED || self->state == VP_SANDBOX_FAILED || self->state == VP_SANDBOX_LOST)
      && record->exit_reason != NULL)
    self->exit_reason = g_intern_string (record->exit_reason);
  directory = vp_store_dup_directory (services->store, self->domain_name);
  if (self->state != VP_SANDBOX_CREATED)
    {
      self->machine.plan = restore_plan (&record->machine, directory);
      vsock = vp_plan_find_device (self->machine.plan, VP_DEVICE_VSOCK);
      self->machine.cid = vsock != NULL ? vsock->u.vsock.cid : 0;
      self->machine.xml = g_strdup (record->machine.xml);
      self->machine.share_dir = vp_planner_dup_share_dir (directory);
      vp_sandbox_restore_namespace (self, record);
      vp_sandbox_restore_network (self, record);
      vp_sandbox_restore_cgroup (self, record);
    }
  return g_steal_pointer (&self);
}

/* ---- a machine that still runs ---- */

typedef struct
{
  VpRecord *record;
  guint left; /* containers that are being resumed or removed */
  gboolean told; /* whoever waited for it does not any more */
} Adoption;

static void
adoption_free (gpointer data)
{
  Adoption *adoption = data;

  vp_record_free (adoption->record);
  g_free (adoption);
}

/* Time limits, and how containers to come are planned, follow what is configured
 * now and what the sandbox's annotations say. */
static void
restore_config (VpSandbox *self)
{
  g_autoptr (GError) error = NULL;
  VpConfig *effective
      = vp_planner_effective_config (self->spec, self->config, vp_virt_get_facts (self->services->virt), &error);

  if (effective == NULL)
    {
      vp_warning (self->id, NULL, "its annotations are left out from here on: %s", error->message);
      return;
    }
  vp_config_unref (self->config);
  self->config = effective;
}

static gboolean
runs (VpSandbox *self)
{
  return self->state == VP_SANDBOX_READY || self->state == VP_SANDBOX_PAUSED;
}

static void
one_settled (GTask *task)
{
  VpSandbox *self = g_task_get_source_object (task);
  Adoption *adoption = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;

  if (--adoption->left > 0)
    return;
  if (runs (self))
    {
      if (!vp_sandbox_save (self, &error))
        vp_warning (self->id, NULL, "record not written: %s", error->message);
      vp_event (VP_EVENT_SANDBOX_ADOPTED, self->id, NULL, "sandbox adopted, %u containers", self->containers->len);
      vp_sandbox_watch_oom (self);
      vp_sandbox_settle_nics (self);
      vp_sandbox_watch_network (self);
      VP_FAILPOINT_ONLY ("adopt.after");
      vp_sandbox_changed (self);
    }
  if (!adoption->told)
    g_task_return_boolean (task, TRUE);
}

static void
on_deleted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;

  if (!vp_sandbox_delete_finish (VP_SANDBOX (source), result, &error))
    vp_warning (VP_SANDBOX (source)->id, NULL, "not deleted with its last container: %s", error->message);
  one_settled (task);
}

static void
on_discarded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandbox *self = g_task_get_source_object (task);

  vp_container_discard_finish (VP_CONTAINER (source), result);
  if (vp_sandbox_is_last (self, VP_CONTAINER (source)))
    {
      vp_sandbox_delete_async (self, TRUE, on_deleted, g_steal_pointer (&task));
      return;
    }
  vp_sandbox_drop_container (self, VP_CONTAINER (source));
  one_settled (task);
}

static void
on_resumed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandbox *self = g_task_get_source_object (task);
  VpContainer *container = VP_CONTAINER (source);

  if (vp_container_go_on_finish (container, result))
    {
      one_settled (task);
      return;
    }
  vp_notice (self->id, vp_container_get_id (container), "was being made or removed, it is removed");
  vp_container_discard_async (container, FALSE, on_discarded, g_steal_pointer (&task));
}

/* NULL: it has come since. */
static const VpRecordContainer *
find_record (const VpRecord *record, const char *id)
{
  for (guint i = 0; i < record->containers->len; i++)
    {
      const VpRecordContainer *container = g_ptr_array_index (record->containers, i);

      if (g_str_equal (container->id, id))
        return container;
    }
  return NULL;
}

/* Nobody is at the other end of the copies and connections of the daemon before. */
static void
on_disowned (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;
  g_autoptr (GError) error = NULL;

  /* other agents have no such thing, or say that we asked for what there is none of */
  if (!vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error)
      && !vp_error_is (error, VP_ERROR_NOT_SUPPORTED) && !vp_error_is (error, VP_ERROR_INVALID_ARGUMENT))
    vp_notice (self->id, NULL, "what the daemon before had the agent do is not ended: %s", error->message);
}

static void
on_door_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  vp_sandbox_open_door_finish (VP_SANDBOX (source), result);
  one_settled (task);
}

static void
on_agent_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandbox *self = g_task_get_source_object (task);
  Adoption *adoption = g_task_get_task_data (task);
  g_autoptr (GPtrArray) containers = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GError) error = NULL;

  adoption->left = 1;
  VP_FAILPOINT_ONLY ("adopt.agent.after");
  if (!vp_agent_client_open_finish (VP_AGENT_CLIENT (source), result, &error))
    {
      vp_warning (self->id, NULL, "its agent does not answer: %s", error->message);
      vp_sandbox_domain_stopped (self, "agent-lost"); /* nothing when it is ending already */
    }
  else
    {
      vp_agent_client_disown_async (self->machine.agent,
                                    (guint) vp_config_get_uint (self->config, VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS),
                                    self->end.cancellable, on_disowned, g_object_ref (self));
      vp_sandbox_keep_agent (self);
    }
  if (error == NULL && runs (self))
    {
      adoption->left++;
      vp_sandbox_open_door_async (self, on_door_opened, g_object_ref (task));
    }
  for (guint i = 0; i < self->containers->len; i++)
    g_ptr_array_add (containers, g_object_ref (self->containers->pdata[i]));
  for (guint i = 0; error == NULL && runs (self) && i < containers->len; i++)
    {
      const VpRecordContainer *record = find_record (adoption->record, vp_container_get_id (containers->pdata[i]));

      if (record == NULL)
        continue;
      adoption->left++;
      vp_container_go_on_async (containers->pdata[i], record, on_resumed, g_object_ref (task));
    }
  one_settled (task);
}

static void
on_console_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;
  g_autoptr (GError) error = NULL;

  if (!vp_console_start_finish (VP_CONSOLE (source), result, &error))
    vp_notice (self->id, NULL, "no console log: %s", error->message);
}

/* A container that the plan cannot be made of any more is there all the same. */
static void
reconnect_container (VpSandbox *self, VpContainer *container)
{
  const char *id = vp_container_get_id (container);
  VpSpec *spec = vp_container_get_spec (container);
  g_autoptr (GError) error = NULL;
  g_autoptr (VpContainerPlan) plan = vp_planner_plan_container (
      self->id, id, spec, self->config, vp_virt_get_facts (self->services->virt), &error);

  if (plan == NULL)
    {
      vp_warning (self->id, id, "cannot be planned any more, nothing more can be run in it: %s", error->message);
      plan = vp_container_plan_new (self->id, id, spec);
    }
  vp_container_reconnect (container, plan, self->machine.share_dir, self->machine.agent, self->services->worker);
  vp_sandbox_give_hooks (self, container);
}

static void
reconnect_containers (VpSandbox *self)
{
  for (guint i = 0; i < self->containers->len; i++)
    if (self->state != VP_SANDBOX_CREATED)
      reconnect_container (self, self->containers->pdata[i]);
}

static void
adopt (VpSandbox *self, GTask *task)
{
  Adoption *adoption = g_task_get_task_data (task);
  guint timeout_ms = (guint) vp_config_get_uint (self->config, VP_CONFIG_AGENT_CONNECT_TIMEOUT_MS);

  VP_FAILPOINT_ONLY ("adopt.before");
  vp_steps_set_done (self->steps, vp_sandbox_n_steps);
  self->end.cancellable = g_cancellable_new ();
  self->machine.pid = vp_virt_find_pid (self->services->virt, self->domain_name);
  self->machine.console = vp_sandbox_new_console (self);
  if (self->machine.console != NULL)
    vp_console_start_async (self->machine.console, NULL, on_console_started, g_object_ref (self));
  vp_sandbox_new_agent (self);
  reconnect_containers (self);
  if (self->state == VP_SANDBOX_PAUSED)
    {
      /* the agent answers when somebody resumes it; nobody waits for that */
      timeout_ms = 0;
      adoption->told = TRUE;
      g_task_return_boolean (task, TRUE);
    }
  vp_agent_client_open_async (self->machine.agent, timeout_ms, self->end.cancellable, on_agent_opened, task);
}

/* ---- everything else ---- */

static void
on_undone (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandbox *self = g_task_get_source_object (task);

  vp_steps_unwind_finish (self->steps, result);
  self->exit_reason = self->end.reason;
  for (guint i = 0; i < self->containers->len; i++)
    vp_container_lose (self->containers->pdata[i]);
  /* a start that is stopped has failed all the same */
  vp_sandbox_set_state (self, self->state == VP_SANDBOX_STARTING ? VP_SANDBOX_FAILED : self->end.state);
  vp_waiters_answer (self->end.stop_waiters, NULL);
  g_task_return_boolean (task, TRUE);
}

/* Whatever of the start was done, its undo finds nothing or takes it away. */
static void
undo_all (VpSandbox *self, VpSandboxState state, const char *reason, GTask *task)
{
  vp_sandbox_aim_at (self, state, reason, FALSE, 0);
  vp_steps_set_done (self->steps, vp_sandbox_n_steps);
  vp_steps_unwind_async (self->steps, on_undone, task);
}

static void
on_left_destroyed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandbox *self = g_task_get_source_object (task);
  g_autoptr (GError) error = NULL;

  if (vp_virt_destroy_finish (VP_VIRT (source), result, &error) || vp_error_is (error, VP_ERROR_NOT_FOUND))
    self->machine.domain_left = FALSE;
  else
    vp_warning (self->id, NULL, "domain not destroyed: %s", error->message);
  g_task_return_boolean (task, TRUE);
}

void
vp_sandbox_recover_async (VpSandbox *self, VpRecord *record, VpSandboxLife life, GAsyncReadyCallback callback,
                          gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  Adoption *adoption = g_new0 (Adoption, 1);
  gboolean asked = g_strcmp0 (record->exit_reason, "stopped") == 0;
  gboolean by_guest = g_strcmp0 (record->exit_reason, "guest-shutdown") == 0;

  adoption->record = record;
  g_task_set_task_data (task, adoption, adoption_free);
  restore_config (self);
  /* which of the two it is libvirt knows best */
  if (runs (self) && life != VP_SANDBOX_GONE)
    self->state = life == VP_SANDBOX_ASLEEP ? VP_SANDBOX_PAUSED : VP_SANDBOX_READY;
  if (self->state == VP_SANDBOX_READY)
    vp_sandbox_heartbeat_start (self);
  for (guint i = 0; i < self->containers->len; i++)
    vp_container_set_sandbox_state (self->containers->pdata[i], self->state);
  if (!runs (self) || life == VP_SANDBOX_GONE)
    reconnect_containers (self); /* for the hooks of their ends */
  switch (self->state)
    {
    case VP_SANDBOX_READY:
    case VP_SANDBOX_PAUSED:
      if (life != VP_SANDBOX_GONE)
        {
          adopt (self, task);
          return;
        }
      vp_notice (self->id, NULL, "its virtual machine ended while no daemon ran");
      vp_sandbox_set_state (self, VP_SANDBOX_STOPPING);
      undo_all (self, VP_SANDBOX_LOST, "lost", task);
      return;
    case VP_SANDBOX_STARTING:
      vp_notice (self->id, NULL, "its start was under way when the last daemon ended, it is undone");
      undo_all (self, VP_SANDBOX_FAILED, "start-failed", task);
      return;
    case VP_SANDBOX_STOPPING:
      vp_notice (self->id, NULL, "its end was under way when the last daemon ended, it is finished");
      undo_all (self, asked || by_guest ? VP_SANDBOX_STOPPED : VP_SANDBOX_LOST,
                asked ? "stopped" : (by_guest ? "guest-shutdown" : "lost"), task);
      return;
    default:
      if (life != VP_SANDBOX_GONE)
        {
          self->machine.domain_left = TRUE;
          vp_virt_destroy_async (self->services->virt, self->domain_name, NULL, on_left_destroyed, task);
          return;
        }
      g_task_return_boolean (task, TRUE);
      g_object_unref (task);
    }
}

void
vp_sandbox_recover_finish (VpSandbox *self, GAsyncResult *result)
{
  (void) g_task_propagate_boolean (G_TASK (result), NULL);
}
