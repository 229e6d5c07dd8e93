/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-manager.h"

#include "vp-error.h"
#include "vp-log.h"

/* Deleting what has ended. Nothing is ended for it. */

typedef struct
{
  GPtrArray *rows; /* of VpManagerPruned */
  guint left;
} Prune;

void
vp_manager_pruned_free (VpManagerPruned *self)
{
  g_free (self->id);
  g_free (self);
}

static void
prune_free (gpointer data)
{
  Prune *prune = data;

  g_clear_pointer (&prune->rows, g_ptr_array_unref);
  g_free (prune);
}

static void
one_less (GTask *task)
{
  Prune *prune = g_task_get_task_data (task);

  if (--prune->left == 0)
    g_task_return_pointer (task, g_steal_pointer (&prune->rows), (GDestroyNotify) g_ptr_array_unref);
}

static void
add_row (GTask *task, gboolean is_sandbox, const char *id)
{
  Prune *prune = g_task_get_task_data (task);
  VpManagerPruned *row = g_new0 (VpManagerPruned, 1);

  row->is_sandbox = is_sandbox;
  row->id = g_strdup (id);
  g_ptr_array_add (prune->rows, row);
}

static void
on_sandbox_deleted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandbox *sandbox = VP_SANDBOX (source);
  g_autoptr (GError) error = NULL;

  if (vp_sandbox_delete_finish (sandbox, result, &error))
    add_row (task, TRUE, vp_sandbox_get_id (sandbox));
  else
    vp_warning (vp_sandbox_get_id (sandbox), NULL, "not pruned: %s", error->message);
  one_less (task);
}

typedef struct
{
  GTask *task;
  char *container_id;
} Removal;

static void
on_container_removed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Removal *removal = user_data;
  g_autoptr (GTask) task = removal->task;
  g_autofree char *id = removal->container_id;
  g_autoptr (GError) error = NULL;

  g_free (removal);
  if (vp_sandbox_remove_container_finish (VP_SANDBOX (source), result, &error))
    add_row (task, FALSE, id);
  else
    vp_warning (vp_sandbox_get_id (VP_SANDBOX (source)), id, "not pruned: %s", error->message);
  one_less (task);
}

static void
prune_containers (GTask *task, VpSandbox *sandbox, gint64 before, gboolean dry_run)
{
  Prune *prune = g_task_get_task_data (task);
  g_autoptr (GPtrArray) containers = g_ptr_array_new_with_free_func (g_object_unref);
  GPtrArray *all = vp_sandbox_get_containers (sandbox);

  for (guint i = 0; i < all->len; i++)
    g_ptr_array_add (containers, g_object_ref (all->pdata[i]));
  for (guint i = 0; i < containers->len; i++)
    {
      VpContainer *container = containers->pdata[i];
      Removal *removal;

      if (g_str_equal (vp_container_get_id (container), vp_sandbox_get_id (sandbox))
          || vp_container_get_state (container) != VP_CONTAINER_STOPPED
          || vp_process_get_exited_at (vp_container_get_init (container)) > before)
        continue;
      if (dry_run)
        {
          add_row (task, FALSE, vp_container_get_id (container));
          continue;
        }
      removal = g_new0 (Removal, 1);
      removal->task = g_object_ref (task);
      removal->container_id = g_strdup (vp_container_get_id (container));
      prune->left++;
      vp_sandbox_remove_container_async (sandbox, container, FALSE, on_container_removed, removal);
    }
}

void
vp_manager_prune_async (VpManager *self, guint64 older_than, gboolean dry_run, GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (GList) all = vp_manager_list (self);
  gint64 now = g_get_real_time ();
  gint64 before = older_than > (guint64) now ? 0 : now - (gint64) older_than;
  Prune *prune = g_new0 (Prune, 1);

  prune->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) vp_manager_pruned_free);
  prune->left = 1; /* ours, until all are asked */
  g_task_set_task_data (task, prune, prune_free);
  for (GList *l = all; l != NULL; l = l->next)
    {
      VpSandbox *sandbox = l->data;

      if (!vp_sandbox_state_is_end (vp_sandbox_get_state (sandbox)))
        prune_containers (task, sandbox, before, dry_run);
      else if (vp_sandbox_get_exited_at (sandbox) > before)
        continue;
      else if (dry_run)
        add_row (task, TRUE, vp_sandbox_get_id (sandbox));
      else
        {
          prune->left++;
          vp_sandbox_delete_async (sandbox, FALSE, on_sandbox_deleted, g_object_ref (task));
        }
    }
  one_less (task);
}

GPtrArray *
vp_manager_prune_finish (VpManager *self, GAsyncResult *result)
{
  return g_task_propagate_pointer (G_TASK (result), NULL);
}
