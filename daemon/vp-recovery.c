/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-recovery.h"

#include "vp-error.h"
#include "vp-host-mount.h"
#include "vp-log.h"
#include "vp-planner.h"
#include "vp-record.h"

typedef struct
{
  const VpServices *services;
  GStrv names;
  guint next;
  guint cleaned;
} Recovery;

static void clean_next (GTask *task);

static void
recovery_free (gpointer data)
{
  Recovery *recovery = data;

  g_strfreev (recovery->names);
  g_free (recovery);
}

/* Who it was, for the log: the record knows the id. */
static char *
dup_id (Recovery *recovery, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpRecord) record = NULL;
  g_autofree char *json = NULL;
  gsize len = 0;

  json = vp_store_load (recovery->services->store, name, &len, &error);
  if (json != NULL)
    record = vp_record_parse (json, len, name, &error);
  if (record != NULL)
    return g_strdup (record->id);
  vp_warning (name, NULL, "record is not readable, cleaned up by its name: %s", error->message);
  return g_strdup (name);
}

static void
remove_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  GError *error = NULL;

  if (vp_host_mount_share_remove (task_data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_share_removed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Recovery *recovery = g_task_get_task_data (task);
  const char *name = recovery->names[recovery->next - 1];
  g_autofree char *id = dup_id (recovery, name);
  g_autoptr (GError) error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error) && vp_store_remove (recovery->services->store, name, &error))
    {
      vp_notice (id, NULL, "left behind by an earlier daemon, cleaned up");
      recovery->cleaned++;
    }
  else
    vp_warning (id, NULL, "left behind by an earlier daemon, not cleaned up: %s", error->message);
  clean_next (g_steal_pointer (&task));
}

static void
on_destroyed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Recovery *recovery = g_task_get_task_data (task);
  const char *name = recovery->names[recovery->next - 1];
  g_autofree char *directory = vp_store_dup_directory (recovery->services->store, name);
  g_autoptr (GError) error = NULL;

  if (!vp_virt_destroy_finish (VP_VIRT (source), result, &error) && !vp_error_is (error, VP_ERROR_NOT_FOUND))
    {
      vp_warning (name, NULL, "left behind by an earlier daemon, not cleaned up: %s", error->message);
      clean_next (g_steal_pointer (&task));
      return;
    }
  vp_worker_run_async (recovery->services->worker, NULL, clean_next, remove_in_worker,
                       vp_planner_dup_share_dir (directory), g_free, NULL, on_share_removed, g_steal_pointer (&task));
}

/* Takes @task. */
static void
clean_next (GTask *task)
{
  Recovery *recovery = g_task_get_task_data (task);
  const char *name = recovery->names[recovery->next];

  if (name == NULL)
    {
      g_task_return_int (task, (gssize) recovery->cleaned);
      g_object_unref (task);
      return;
    }
  recovery->next++;
  vp_virt_destroy_async (recovery->services->virt, name, NULL, on_destroyed, task);
}

void
vp_recovery_run_async (const VpServices *services, GStrv names, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, callback, user_data);
  Recovery *recovery = g_new0 (Recovery, 1);

  recovery->services = services;
  recovery->names = names;
  g_task_set_task_data (task, recovery, recovery_free);
  clean_next (task);
}

guint
vp_recovery_run_finish (GAsyncResult *result)
{
  gssize cleaned = g_task_propagate_int (G_TASK (result), NULL);

  return cleaned > 0 ? (guint) cleaned : 0;
}
