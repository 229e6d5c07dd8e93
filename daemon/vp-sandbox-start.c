/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-error.h"
#include "vp-event.h"

typedef struct
{
  guint timer;
  VpSandbox *self; /* borrowed: the task holds it */
} StartTimer;

static void
start_timer_free (gpointer data)
{
  StartTimer *timer = data;

  if (timer->timer != 0)
    g_source_remove (timer->timer);
  g_free (timer);
}

static gboolean
on_start_timeout (gpointer user_data)
{
  StartTimer *timer = user_data;
  VpSandbox *self = timer->self;

  timer->timer = 0;
  if (self->end.why == NULL)
    {
      self->end.code = VP_ERROR_TIMED_OUT;
      self->end.why = g_strdup ("the time given for it is over");
    }
  g_cancellable_cancel (self->end.cancellable);
  return G_SOURCE_REMOVE;
}

/* A start that was given up failed for the reason it was given up for, not
 * because some step was cancelled. */
static GError *
explain_failure (VpSandbox *self, GError *error)
{
  if (self->end.why != NULL)
    {
      g_error_free (error);
      error = g_error_new (VP_ERROR, self->end.code, "%s", self->end.why);
    }
  g_prefix_error (&error, "start sandbox \"%s\": ", self->id);
  return vp_error_adopt (error, VP_ERROR_FAILED);
}

static void
on_steps_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandbox *self = g_task_get_source_object (task);
  GError *error = NULL;

  g_task_set_task_data (task, NULL, NULL);
  if (vp_steps_forward_finish (self->steps, result, &error))
    {
      vp_sandbox_set_state (self, VP_SANDBOX_READY);
      g_task_return_boolean (task, TRUE);
      if (self->end.why != NULL) /* it was asked to stop, or died, at the very last moment */
        vp_sandbox_begin_end (self);
      return;
    }
  error = explain_failure (self, error);
  vp_event (VP_EVENT_SANDBOX_FAILED, self->id, NULL, "%s", error->message);
  self->exit_reason = "start-failed";
  for (guint i = 0; i < self->containers->len; i++)
    vp_container_lose (self->containers->pdata[i]);
  vp_sandbox_set_state (self, VP_SANDBOX_FAILED);
  g_task_return_error (task, error);
  vp_waiters_answer (self->end.stop_waiters, NULL);
}

void
vp_sandbox_start_async (VpSandbox *self, guint timeout_ms, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;
  StartTimer *timer;

  if (!vp_sandbox_check_verb (self, VP_VERB_SANDBOX_START, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  g_clear_object (&self->end.cancellable);
  self->end.cancellable = g_cancellable_new ();
  g_clear_pointer (&self->end.why, g_free);
  self->end.graceful = FALSE;

  timer = g_new0 (StartTimer, 1);
  timer->self = self;
  timer->timer = timeout_ms == 0 ? 0 : g_timeout_add (timeout_ms, on_start_timeout, timer);
  g_task_set_task_data (task, timer, start_timer_free);
  vp_sandbox_set_state (self, VP_SANDBOX_STARTING);
  vp_steps_forward_async (self->steps, self->end.cancellable, on_steps_done, g_steal_pointer (&task));
}

gboolean
vp_sandbox_start_finish (VpSandbox *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
