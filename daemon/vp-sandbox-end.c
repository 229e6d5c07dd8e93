/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-source.h"

/* The end of the containers, when their sandbox ends. */

guint
vp_sandbox_grace_left_ms (VpSandbox *self)
{
  gint64 left = (self->end.deadline - g_get_monotonic_time ()) / 1000;

  return (guint) CLAMP (left, 1, G_MAXINT);
}

static void
on_all_exited (gpointer user_data)
{
  VpSandbox *self = user_data;

  for (guint i = 0; i < self->containers->len; i++)
    vp_container_lose (self->containers->pdata[i]);
  vp_step_done (self->steps, NULL);
}

/* Kills what runs and gives it until the grace is over to be seen to end, so
 * that statuses and output are the true ones; then whoever is left is lost. */
typedef struct
{
  VpSandbox *self; /* NULL: done, the rest only comes in */
  guint left;
  guint timer;
  GSource *hurry; /* the caller does not want to wait for the guest any more */
} Killing;

static void
killing_done (Killing *killing)
{
  g_autoptr (VpSandbox) self = killing->self;

  g_clear_handle_id (&killing->timer, g_source_remove);
  g_clear_pointer (&killing->hurry, vp_source_end);
  killing->self = NULL;
  on_all_exited (self);
}

static gboolean
on_kill_timeout (gpointer user_data)
{
  Killing *killing = user_data;

  killing->timer = 0;
  if (killing->self != NULL)
    killing_done (killing);
  return G_SOURCE_REMOVE;
}

static gboolean
on_hurry (GCancellable *cancellable, gpointer user_data)
{
  Killing *killing = user_data;

  if (killing->self != NULL)
    killing_done (killing);
  return G_SOURCE_REMOVE;
}

static void
on_one_exited (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Killing *killing = user_data;

  killing->left--;
  if (killing->left == 0 && killing->self != NULL)
    killing_done (killing);
  if (killing->left == 0)
    g_free (killing);
}

void
vp_sandbox_end_containers (VpSandbox *self)
{
  Killing *killing;

  if (!self->end.graceful || self->machine.agent == NULL)
    {
      on_all_exited (self);
      return;
    }
  killing = g_new0 (Killing, 1);
  killing->self = g_object_ref (self);
  killing->hurry = g_cancellable_source_new (self->end.asking);
  g_source_set_callback (killing->hurry, G_SOURCE_FUNC (on_hurry), killing, NULL);
  for (guint i = 0; i < self->containers->len; i++)
    {
      VpContainer *container = self->containers->pdata[i];
      VpProcess *init = vp_container_get_init (container);

      if (vp_container_get_state (container) != VP_CONTAINER_RUNNING
          && vp_container_get_state (container) != VP_CONTAINER_PAUSED)
        continue;
      killing->left++;
      vp_process_wait_async (init, NULL, on_one_exited, killing);
      vp_container_kill_async (container, 9, TRUE, NULL, NULL);
    }
  if (killing->left == 0)
    {
      killing_done (killing);
      g_free (killing);
      return;
    }
  killing->timer = g_timeout_add (vp_sandbox_grace_left_ms (self), on_kill_timeout, killing);
  g_source_attach (killing->hurry, NULL);
}

void
vp_sandbox_stop_asking (VpSandbox *self)
{
  self->end.graceful = FALSE;
  g_cancellable_cancel (self->end.asking);
}

void
vp_sandbox_all_prepared (VpSandbox *self)
{
  if (!self->ends_when_prepared)
    return;
  self->ends_when_prepared = FALSE;
  vp_sandbox_end_containers (self);
}
