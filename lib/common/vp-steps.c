/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-steps.h"

#include "vp-error.h"
#include "vp-failpoint.h"

struct _VpSteps
{
  const VpStep *table;
  gsize n_steps;
  gpointer owner;
  gsize done;           /* steps [0, done) are in effect */
  gint64 *usec;
  gint64 started;
  gboolean unwinding;
  gboolean in_step;     /* a step's function has not called back yet */
  gboolean looping;     /* advance () is on the stack: a synchronous done does not recurse */
  GError *failure;      /* why a forward run turned round */
  GTask *task;
  GCancellable *cancellable;
};

VpSteps *
vp_steps_new (const VpStep *table, gsize n_steps, gpointer owner)
{
  VpSteps *self = g_new0 (VpSteps, 1);

  self->table = table;
  self->n_steps = n_steps;
  self->owner = owner;
  self->usec = g_new0 (gint64, n_steps);
  return self;
}

void
vp_steps_free (VpSteps *self)
{
  if (self == NULL)
    return;
  g_return_if_fail (self->task == NULL);
  g_clear_error (&self->failure);
  g_free (self->usec);
  g_free (self);
}

/* "step.NAME.run.before" and its kin; @what is the part after the name. */
static gboolean
pass (const VpStep *step, const char *what, GError **error)
{
#ifdef VP_FAILPOINTS
  g_autofree char *name = g_strdup_printf ("step.%s.%s", step->name, what);

  return VP_FAILPOINT (name, error);
#else
  return TRUE;
#endif
}

static void
finish (VpSteps *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);
  G_GNUC_UNUSED g_autoptr (GCancellable) keep = g_steal_pointer (&self->cancellable);
  GError *failure = g_steal_pointer (&self->failure);

  self->unwinding = FALSE;
  if (failure != NULL)
    g_task_return_error (task, failure);
  else
    g_task_return_boolean (task, TRUE);
}

/* One step further in the direction of the run; FALSE when the run is over. */
static gboolean
start_next (VpSteps *self)
{
  if (self->unwinding)
    {
      const VpStep *step;

      if (self->done == 0)
        return FALSE;
      step = &self->table[self->done - 1];
      self->in_step = TRUE;
      (void) pass (step, "undo.before", NULL);
      if (step->undo != NULL)
        step->undo (self->owner, self);
      else
        vp_step_done (self, NULL);
      return TRUE;
    }

  if (self->done == self->n_steps)
    return FALSE;
  if (g_cancellable_is_cancelled (self->cancellable))
    {
      g_set_error (&self->failure, VP_ERROR, VP_ERROR_CANCELLED, "cancelled before \"%s\"",
                   self->table[self->done].name);
      self->unwinding = TRUE;
      return TRUE;
    }
  if (!pass (&self->table[self->done], "run.before", &self->failure))
    {
      self->unwinding = TRUE;
      return TRUE;
    }
  self->in_step = TRUE;
  self->started = g_get_monotonic_time ();
  self->table[self->done].run (self->owner, self, self->cancellable);
  return TRUE;
}

static void
advance (VpSteps *self)
{
  gboolean more = TRUE;

  if (self->looping)
    return;
  self->looping = TRUE;
  while (more && !self->in_step)
    more = start_next (self);
  self->looping = FALSE;
  if (!more)
    finish (self);
}

void
vp_step_done (VpSteps *self, GError *error)
{
  g_return_if_fail (self->in_step);

  self->in_step = FALSE;
  if (self->unwinding)
    {
      g_clear_error (&error);
      self->done--;
      (void) pass (&self->table[self->done], "undo.after", NULL);
    }
  else if (error != NULL)
    {
      self->failure = error;
      self->unwinding = TRUE;
    }
  else
    {
      /* 0 is for one that did not run */
      self->usec[self->done] = MAX (g_get_monotonic_time () - self->started, 1);
      self->done++;
      if (!pass (&self->table[self->done - 1], "run.after", &self->failure))
        self->unwinding = TRUE;
    }
  advance (self);
}

void
vp_steps_forward_async (VpSteps *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (self->task == NULL);

  /* the task does not watch the cancellable: a cancelled run still unwinds before it returns */
  self->task = g_task_new (NULL, NULL, callback, user_data);
  g_task_set_source_tag (self->task, vp_steps_forward_async);
  g_set_object (&self->cancellable, cancellable);
  self->unwinding = FALSE;
  advance (self);
}

gboolean
vp_steps_forward_finish (VpSteps *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
vp_steps_unwind_async (VpSteps *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (self->task == NULL);

  self->task = g_task_new (NULL, NULL, callback, user_data);
  g_task_set_source_tag (self->task, vp_steps_unwind_async);
  self->unwinding = TRUE;
  advance (self);
}

void
vp_steps_unwind_finish (VpSteps *self, GAsyncResult *result)
{
  (void) g_task_propagate_boolean (G_TASK (result), NULL);
}

gsize
vp_steps_get_done (VpSteps *self)
{
  return self->done;
}

void
vp_steps_set_done (VpSteps *self, gsize n_done)
{
  g_return_if_fail (self->task == NULL && n_done <= self->n_steps);
  self->done = n_done;
}

gboolean
vp_steps_is_busy (VpSteps *self)
{
  return self->task != NULL;
}

gint64
vp_steps_get_usec (VpSteps *self, gsize index)
{
  return index < self->n_steps ? self->usec[index] : 0;
}

gboolean
vp_steps_is_unwinding (VpSteps *self)
{
  return self->task != NULL && self->unwinding;
}
