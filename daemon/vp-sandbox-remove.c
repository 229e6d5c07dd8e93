/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-error.h"
#include "vp-log.h"

/* One container less. The sandbox goes with the last one, whichever it is: engines
 * delete a pod's own container first and the others by their ids afterwards. */

gboolean
vp_sandbox_is_last (VpSandbox *self, VpContainer *container)
{
  return self->containers->len == 1 && self->containers->pdata[0] == container;
}

static void
on_sandbox_deleted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (vp_sandbox_delete_finish (VP_SANDBOX (source), result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_removed_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  vp_container_end_hooks_finish (VP_CONTAINER (source), result);
  g_task_return_boolean (task, TRUE);
}

/* It is out of the guest and the share. Takes @task. */
static void
part (VpSandbox *self, VpContainer *container, GTask *task)
{
  /* the others may have gone meanwhile */
  if (vp_sandbox_is_last (self, container))
    {
      vp_sandbox_delete_async (self, TRUE, on_sandbox_deleted, task);
      return;
    }
  vp_sandbox_drop_container (self, container);
  vp_container_end_hooks_async (container, on_removed_ended, task);
}

/* The end of the sandbox has taken the container out of the guest and the share. */
static void
on_stopped_for_remove (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (vp_sandbox_stop_finish (VP_SANDBOX (source), result, &error))
    part (VP_SANDBOX (source), g_task_get_task_data (task), g_object_ref (task));
  else
    g_task_return_error (task, error);
}

static void
on_discarded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;

  vp_container_discard_finish (VP_CONTAINER (source), result);
  part (g_task_get_source_object (task), VP_CONTAINER (source), task);
}

static gboolean
check_remove (VpSandbox *self, VpContainer *container, gboolean force, GError **error)
{
  const char *id = vp_container_get_id (container);
  VpContainerState state = vp_container_get_state (container);

  if (!g_ptr_array_find (self->containers, container, NULL))
    g_set_error (error, VP_ERROR, VP_ERROR_NOT_FOUND, "delete container \"%s\": it was deleted", id);
  else if (!force && (state == VP_CONTAINER_RUNNING || state == VP_CONTAINER_PAUSED))
    return vp_container_check_verb (container, VP_VERB_CONTAINER_DELETE, error);
  else if (vp_sandbox_is_last (self, container))
    return TRUE;
  /* it says what machine there will be */
  else if (self->state == VP_SANDBOX_CREATED && g_str_equal (id, self->id))
    g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE,
                 "delete container \"%s\": it is its sandbox's own, which has not run, and %u others are left", id,
                 self->containers->len - 1);
  else if (self->state == VP_SANDBOX_STARTING)
    g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE, "delete container \"%s\": its sandbox is starting", id);
  else
    return vp_container_check_settled (container, VP_VERB_CONTAINER_DELETE, error);
  return FALSE;
}

void
vp_sandbox_remove_container_async (VpSandbox *self, VpContainer *container, gboolean force,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  gboolean runs = self->state == VP_SANDBOX_READY || self->state == VP_SANDBOX_PAUSED;
  GError *error = NULL;

  g_task_set_task_data (task, g_object_ref (container), g_object_unref);
  if (!check_remove (self, container, force, &error))
    g_task_return_error (task, error);
  else if (vp_sandbox_is_last (self, container))
    vp_sandbox_delete_async (self, TRUE, on_sandbox_deleted, g_steal_pointer (&task));
  else if (self->state == VP_SANDBOX_STOPPING)
    vp_sandbox_stop_async (self, 0, force, on_stopped_for_remove, g_steal_pointer (&task));
  else
    vp_container_discard_async (container, !runs, on_discarded, g_steal_pointer (&task));
}

gboolean
vp_sandbox_remove_container_finish (VpSandbox *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
