/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include <string.h>

#include "vp-error.h"
#include "vp-failpoint.h"
#include "vp-log.h"

/* Every way in which a sandbox ends: asked to, by itself, deleted. */

/* of the console, with the trace that comes after the first line of a panic */
#define PANIC_TAIL 16384

static void
on_unwound (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;

  vp_steps_unwind_finish (self->steps, result);
  VP_FAILPOINT_ONLY ("sandbox.stop.undone");
  self->exit_reason = self->end.reason;
  for (guint i = 0; i < self->containers->len; i++)
    vp_container_lose (self->containers->pdata[i]);
  vp_sandbox_set_state (self, self->end.state);
  vp_waiters_answer (self->end.stop_waiters, NULL);
}

/* A guest that stands still cannot be asked; if it does not move it is destroyed. */
static void
on_resumed_to_end (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpSandbox *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!vp_virt_resume_finish (VP_VIRT (source), result, &error))
    {
      vp_warning (self->id, NULL, "not resumed for its end: %s", error->message);
      self->end.graceful = FALSE;
    }
  vp_steps_unwind_async (self->steps, on_unwound, self);
}

void
vp_sandbox_begin_end (VpSandbox *self)
{
  gboolean still = self->state == VP_SANDBOX_PAUSED;

  vp_sandbox_set_state (self, VP_SANDBOX_STOPPING);
  g_cancellable_cancel (self->end.cancellable);
  if (still && self->end.graceful)
    vp_virt_resume_async (self->services->virt, self->domain_name, NULL, on_resumed_to_end, g_object_ref (self));
  else
    vp_steps_unwind_async (self->steps, on_unwound, g_object_ref (self));
}

void
vp_sandbox_aim_at (VpSandbox *self, VpSandboxState state, const char *reason, gboolean graceful, guint grace_ms)
{
  guint64 grace
      = grace_ms != 0 ? grace_ms : vp_config_get_uint (self->config, VP_CONFIG_AGENT_STOP_TIMEOUT_MS);

  self->end.state = state;
  self->end.reason = reason;
  self->end.graceful = graceful;
  self->end.agreed = FALSE;
  self->end.deadline = g_get_monotonic_time () + (gint64) grace * 1000;
  g_clear_object (&self->end.asking);
  self->end.asking = g_cancellable_new ();
}

static void
give_up_start (VpSandbox *self, VpError code, const char *why)
{
  if (self->end.why == NULL)
    {
      self->end.code = (int) code;
      self->end.why = g_strdup (why);
    }
  g_cancellable_cancel (self->end.cancellable);
}

void
vp_sandbox_stop_async (VpSandbox *self, guint grace_ms, gboolean force, GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;

  if (!vp_sandbox_check_verb (self, VP_VERB_SANDBOX_STOP, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  switch (self->state)
    {
    case VP_SANDBOX_CREATED:
      self->exit_reason = "stopped";
      for (guint i = 0; i < self->containers->len; i++)
        vp_container_lose (self->containers->pdata[i]);
      vp_sandbox_set_state (self, VP_SANDBOX_STOPPED);
      g_task_return_boolean (task, TRUE);
      return;
    case VP_SANDBOX_STARTING:
      if (force)
        vp_sandbox_stop_asking (self);
      vp_sandbox_aim_at (self, VP_SANDBOX_STOPPED, "stopped", !force, grace_ms);
      vp_waiters_add (self->end.stop_waiters, g_steal_pointer (&task));
      give_up_start (self, VP_ERROR_CANCELLED, "it was stopped while it started");
      return;
    case VP_SANDBOX_READY:
    case VP_SANDBOX_PAUSED:
      vp_sandbox_aim_at (self, VP_SANDBOX_STOPPED, "stopped", !force, grace_ms);
      vp_waiters_add (self->end.stop_waiters, g_steal_pointer (&task));
      vp_sandbox_begin_end (self);
      return;
    case VP_SANDBOX_STOPPING:
      vp_waiters_add (self->end.stop_waiters, g_steal_pointer (&task));
      if (force)
        vp_sandbox_stop_asking (self);
      return;
    default:
      g_task_return_boolean (task, TRUE);
    }
}

gboolean
vp_sandbox_stop_finish (VpSandbox *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* A panic reboots the guest, which ends it as if it had been asked to: the
 * console has the difference. */
static gboolean
has_panicked (VpSandbox *self)
{
  g_autofree char *tail = NULL;

  if (self->machine.console == NULL)
    return FALSE;
  vp_console_stop (self->machine.console);
  tail = vp_console_dup_tail (self->machine.console, PANIC_TAIL);
  return strstr (tail, "Kernel panic - not syncing") != NULL;
}

void
vp_sandbox_domain_stopped (VpSandbox *self, const char *reason)
{
  gboolean panicked = g_str_equal (reason, "shutdown") && has_panicked (self);
  gboolean guest_did_it = g_str_equal (reason, "shutdown") && !panicked;
  gboolean agent_lost = g_str_equal (reason, "agent-lost");
  g_autofree char *why = agent_lost ? g_strdup ("its agent is gone")
                                    : g_strdup_printf ("its virtual machine ended (%s)", panicked ? "crashed" : reason);

  /* in a start that is being undone it is us who ended it */
  if ((self->state != VP_SANDBOX_STARTING || vp_steps_is_unwinding (self->steps)) && self->state != VP_SANDBOX_READY
      && self->state != VP_SANDBOX_PAUSED)
    return;
  vp_notice (self->id, NULL, "%s", why);
  vp_sandbox_aim_at (self, guest_did_it ? VP_SANDBOX_STOPPED : VP_SANDBOX_LOST,
                     guest_did_it ? "guest-shutdown" : (panicked || g_str_equal (reason, "crashed") ? "crashed" : "lost"),
                     FALSE, 0);
  if (self->state == VP_SANDBOX_STARTING)
    give_up_start (self, agent_lost ? VP_ERROR_AGENT_UNAVAILABLE : VP_ERROR_HYPERVISOR_FAILED, why);
  else
    vp_sandbox_begin_end (self);
}

/* ---- delete ---- */

static gboolean
forget (VpSandbox *self, GError **error)
{
  g_autoptr (GError) never_ran = NULL;

  if (!vp_store_remove (self->services->store, self->domain_name, error))
    return FALSE;
  self->deleted = TRUE;
  while (self->containers->len > 0)
    vp_sandbox_drop_container (self, self->containers->pdata[self->containers->len - 1]);
  vp_notice (self->id, NULL, "sandbox deleted");
  g_signal_emit_by_name (self, "deleted");
  never_ran = g_error_new (VP_ERROR, VP_ERROR_INVALID_STATE, "wait \"%s\": deleted before it ran", self->id);
  vp_waiters_answer (self->waiters, never_ran);
  return TRUE;
}

static void finish_delete (GTask *task);
static void on_one_ended (GObject *source, GAsyncResult *result, gpointer user_data);

/* The hooks for the ends of its containers, which the task keeps for that. Owns @task. */
static void
end_next (GTask *task)
{
  GPtrArray *ended = g_task_get_task_data (task);
  g_autoptr (VpContainer) container = NULL;

  if (ended->len == 0)
    {
      g_task_return_boolean (task, TRUE);
      g_object_unref (task);
      return;
    }
  container = g_ptr_array_steal_index (ended, ended->len - 1);
  vp_container_end_hooks_async (container, on_one_ended, task);
}

static void
on_one_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  vp_container_end_hooks_finish (VP_CONTAINER (source), result);
  end_next (user_data);
}

static void
on_left_destroyed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandbox *self = g_task_get_source_object (task);
  GError *error = NULL;

  if (!vp_virt_destroy_finish (VP_VIRT (source), result, &error) && !vp_error_is (error, VP_ERROR_NOT_FOUND))
    {
      g_prefix_error (&error, "delete sandbox \"%s\": ", self->id);
      g_task_return_error (task, error);
      return;
    }
  g_clear_error (&error);
  self->machine.domain_left = FALSE;
  finish_delete (task);
}

static gpointer
keep_container (gconstpointer container, gpointer data)
{
  return g_object_ref ((gpointer) container);
}

/* The last one first, as they are dropped. */
static void
keep_containers (GTask *task)
{
  VpSandbox *self = g_task_get_source_object (task);

  g_task_set_task_data (task, g_ptr_array_copy (self->containers, keep_container, NULL),
                        (GDestroyNotify) g_ptr_array_unref);
}

/* The record is what a domain is found again by: it stays as long as the domain may. */
static void
finish_delete (GTask *task)
{
  VpSandbox *self = g_task_get_source_object (task);
  GError *error = NULL;

  keep_containers (task);
  if (!vp_sandbox_check_verb (self, VP_VERB_SANDBOX_DELETE, &error))
    g_task_return_error (task, error);
  else if (self->machine.domain_left)
    vp_virt_destroy_async (self->services->virt, self->domain_name, NULL, on_left_destroyed, g_object_ref (task));
  else if (forget (self, &error))
    end_next (g_object_ref (task));
  else
    g_task_return_error (task, error);
}

static void
on_stopped_for_delete (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  (void) vp_sandbox_stop_finish (VP_SANDBOX (source), result, NULL);
  finish_delete (task);
}

void
vp_sandbox_delete_async (VpSandbox *self, gboolean force, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);

  if (force && self->state != VP_SANDBOX_CREATED)
    vp_sandbox_stop_async (self, 0, TRUE, on_stopped_for_delete, g_steal_pointer (&task));
  else
    finish_delete (task);
}

gboolean
vp_sandbox_delete_finish (VpSandbox *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
