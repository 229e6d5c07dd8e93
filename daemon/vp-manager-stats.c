/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-manager.h"

#include "vp-error.h"

/* What many sandboxes use: all guests are asked at the same time. */

typedef struct
{
  GPtrArray *rows; /* of VpManagerStats */
  guint left;
} Gather;

void
vp_manager_stats_free (VpManagerStats *self)
{
  g_clear_pointer (&self->stats, g_variant_unref);
  g_clear_pointer (&self->containers, g_variant_unref);
  g_clear_error (&self->error);
  g_clear_object (&self->sandbox);
  g_free (self);
}

static void
gather_free (gpointer data)
{
  Gather *gather = data;

  g_clear_pointer (&gather->rows, g_ptr_array_unref);
  g_free (gather);
}

static void
one_less (GTask *task)
{
  Gather *gather = g_task_get_task_data (task);

  if (--gather->left == 0)
    g_task_return_pointer (task, g_steal_pointer (&gather->rows), (GDestroyNotify) g_ptr_array_unref);
}

static void
on_stats (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Gather *gather = g_task_get_task_data (task);
  VpManagerStats *row = g_new0 (VpManagerStats, 1);

  row->sandbox = g_object_ref (VP_SANDBOX (source));
  row->stats = vp_sandbox_stats_finish (row->sandbox, result, &row->containers, &row->error);
  g_ptr_array_add (gather->rows, row);
  one_less (task);
}

void
vp_manager_stats_async (VpManager *self, const char *const *ids, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  Gather *gather = g_new0 (Gather, 1);
  g_autoptr (GList) wanted = NULL;
  GError *error = NULL;

  gather->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) vp_manager_stats_free);
  gather->left = 1; /* ours, until all are asked */
  g_task_set_task_data (task, gather, gather_free);
  if (ids == NULL)
    wanted = vp_manager_list (self);
  for (; ids != NULL && *ids != NULL; ids++)
    {
      VpSandbox *sandbox = vp_manager_find_sandbox (self, *ids, &error);

      if (sandbox == NULL)
        {
          g_task_return_error (task, error);
          return;
        }
      wanted = g_list_prepend (wanted, sandbox);
    }
  for (GList *l = wanted; l != NULL; l = l->next)
    if (vp_sandbox_get_state (l->data) == VP_SANDBOX_READY)
      {
        gather->left++;
        vp_sandbox_stats_async (l->data, on_stats, g_object_ref (task));
      }
  one_less (task);
}

GPtrArray *
vp_manager_stats_finish (VpManager *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
