/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-waiters.h"

#include "vp-error.h"

struct _VpWaiters
{
  GPtrArray *waiters; /* Waiter */
};

typedef struct
{
  VpWaiters *list;
  GTask *task;
  GSource *cancelled; /* NULL: cannot be cancelled */
} Waiter;

static void
waiter_free (gpointer data)
{
  Waiter *waiter = data;

  if (waiter->cancelled != NULL)
    g_source_destroy (waiter->cancelled);
  g_clear_pointer (&waiter->cancelled, g_source_unref);
  g_object_unref (waiter->task);
  g_free (waiter);
}

VpWaiters *
vp_waiters_new (void)
{
  VpWaiters *self = g_new0 (VpWaiters, 1);

  self->waiters = g_ptr_array_new_with_free_func (waiter_free);
  return self;
}

void
vp_waiters_free (VpWaiters *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->waiters);
  g_free (self);
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  Waiter *waiter = user_data;
  g_autoptr (GTask) task = g_object_ref (waiter->task); /* it keeps the list's owner */

  g_ptr_array_remove_fast (waiter->list->waiters, waiter);
  g_task_return_new_error (task, VP_ERROR, VP_ERROR_CANCELLED, "wait: cancelled");
  return G_SOURCE_REMOVE;
}

void
vp_waiters_add (VpWaiters *self, GTask *task)
{
  GCancellable *cancellable = g_task_get_cancellable (task);
  Waiter *waiter = g_new0 (Waiter, 1);

  waiter->list = self;
  waiter->task = task;
  g_task_set_check_cancellable (task, FALSE);
  if (cancellable != NULL)
    {
      waiter->cancelled = g_cancellable_source_new (cancellable);
      g_source_set_callback (waiter->cancelled, G_SOURCE_FUNC (on_cancelled), waiter, NULL);
      g_source_attach (waiter->cancelled, g_task_get_context (task));
    }
  g_ptr_array_add (self->waiters, waiter);
}

guint
vp_waiters_get_n (VpWaiters *self)
{
  return self->waiters->len;
}

void
vp_waiters_answer (VpWaiters *self, const GError *error)
{
  /* an answer may make its receiver wait again, or drop the owner */
  g_autoptr (GPtrArray) waiters = g_steal_pointer (&self->waiters);

  self->waiters = g_ptr_array_new_with_free_func (waiter_free);
  for (guint i = 0; i < waiters->len; i++)
    {
      Waiter *waiter = waiters->pdata[i];

      if (waiter->cancelled != NULL)
        g_source_destroy (waiter->cancelled);
      if (error != NULL)
        g_task_return_error (waiter->task, g_error_copy (error));
      else
        g_task_return_boolean (waiter->task, TRUE);
    }
}
