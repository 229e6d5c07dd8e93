/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-recovery.h"

#include <fcntl.h>
#include <string.h>

#include "vp-cgroup.h"
#include "vp-error.h"
#include "vp-failpoint.h"
#include "vp-event.h"
#include "vp-fd.h"
#include "vp-host-mount.h"
#include "vp-log.h"
#include "vp-names.h"
#include "vp-net-leftover.h"
#include "vp-net-ns.h"
#include "vp-planner.h"
#include "vp-record.h"
#include "vp-spec.h"

#define SPEC_MAX_BYTES VP_JSON_MAX_BYTES

typedef struct
{
  VpManager *manager;
  const VpServices *services;
  char **names;
  GHashTable *domains; /* name -> VpVirtDomain, active ones; borrowed from list */
  GPtrArray *list;
  guint pending;
  guint restored;
  guint cleaned;
} Recovery;

static void
recovery_free (gpointer data)
{
  Recovery *recovery = data;

  g_clear_pointer (&recovery->domains, g_hash_table_unref);
  g_clear_pointer (&recovery->list, g_ptr_array_unref);
  g_strfreev (recovery->names);
  g_object_unref (recovery->manager);
  g_free (recovery);
}

/* One thing less to wait for. */
static void
settled (GTask *task)
{
  Recovery *recovery = g_task_get_task_data (task);

  if (--recovery->pending == 0)
    g_task_return_boolean (task, TRUE);
}

/* ---- directories nobody knows what to do with ---- */

typedef struct
{
  const VpServices *services;
  char *name;
} Leftover;

static void
leftover_free (gpointer data)
{
  Leftover *leftover = data;

  g_free (leftover->name);
  g_free (leftover);
}

/* Its containers' specs, as far as they are any. */
static GPtrArray *
load_specs (const char *directory)
{
  g_autofree char *specs = g_build_filename (directory, VP_DIR_SPECS, NULL);
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) vp_spec_unref);
  g_autoptr (GDir) dir = g_dir_open (specs, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (specs, name, NULL);
      VP_AUTO_FD fd = vp_fd_open (path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, "spec", NULL);
      gsize len = 0;
      g_autofree char *text = fd >= 0 ? vp_fd_read_all (fd, SPEC_MAX_BYTES, path, &len, NULL) : NULL;
      VpSpec *spec = text != NULL ? vp_spec_parse (text, len, "/", NULL) : NULL;

      if (spec != NULL)
        g_ptr_array_add (all, spec);
    }
  return all;
}

/* In the network namespaces that the specs name, and in our own. */
static gboolean
remove_taps (const char *directory, const GPtrArray *specs, GError **error)
{
  g_autofree char *name = g_path_get_basename (directory);

  for (guint i = 0; i < specs->len; i++)
    {
      const char *netns = vp_spec_get_namespace_path (specs->pdata[i], "network");

      if (netns != NULL && !vp_net_leftover_remove (name, netns, error))
        return FALSE;
    }
  return vp_net_leftover_remove (name, NULL, error);
}

/* Whether they were of our making is not known any more; if they are empty nobody misses them. */
static void
remove_cgroups (const char *directory, const GPtrArray *specs)
{
  g_autofree char *name = g_path_get_basename (directory);

  for (guint i = 0; i < specs->len; i++)
    {
      g_autofree char *path = vp_cgroup_from_cgroups_path (vp_spec_get_cgroups_path (specs->pdata[i]), NULL);
      g_autoptr (GError) error = NULL;

      if (path != NULL && !vp_cgroup_remove (path, NULL, 0, &error))
        vp_notice (name, NULL, "left where it is: %s", error->message);
    }
}

static void
remove_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  const char *directory = task_data;
  g_autofree char *share = vp_planner_dup_share_dir (directory);
  g_autofree char *netns = vp_planner_dup_netns (directory);
  g_autoptr (GPtrArray) specs = load_specs (directory);
  GError *error = NULL;

  remove_cgroups (directory, specs);
  if (remove_taps (directory, specs, &error) && vp_net_ns_remove (netns, &error)
      && vp_host_mount_share_remove (share, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_share_removed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Leftover *leftover = g_task_get_task_data (task);
  GError *error = NULL;

  VP_FAILPOINT_ONLY ("recovery.clean.between");
  if (g_task_propagate_boolean (G_TASK (result), &error)
      && vp_store_remove (leftover->services->store, leftover->name, &error))
    {
      vp_notice (leftover->name, NULL, "left behind by an earlier daemon, cleaned up");
      g_task_return_boolean (task, TRUE);
      return;
    }
  vp_warning (leftover->name, NULL, "left behind by an earlier daemon, not cleaned up: %s", error->message);
  g_task_return_error (task, error);
}

static void
clean_async (const VpServices *services, const char *name, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, callback, user_data);
  Leftover *leftover = g_new0 (Leftover, 1);

  leftover->services = services;
  leftover->name = g_strdup (name);
  g_task_set_task_data (task, leftover, leftover_free);
  vp_worker_run_async (services->worker, NULL, clean_async, remove_in_worker,
                       vp_store_dup_directory (services->store, name), g_free, NULL, on_share_removed, task);
}

static void
on_cleaned (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Recovery *recovery = g_task_get_task_data (task);

  if (g_task_propagate_boolean (G_TASK (result), NULL))
    recovery->cleaned++;
  settled (task);
}

/* ---- domains without a record ---- */

typedef struct
{
  VpManager *manager; /* weak */
  char *name;
  char *uuid;
  char *sandbox_id;
} Orphan;

static void
orphan_free (gpointer data)
{
  Orphan *orphan = data;

  g_clear_weak_pointer (&orphan->manager);
  g_free (orphan->name);
  g_free (orphan->uuid);
  g_free (orphan->sandbox_id);
  g_free (orphan);
}

static void
on_orphan_destroyed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Orphan *orphan = user_data;
  g_autoptr (GError) error = NULL;

  if (!vp_virt_destroy_finish (VP_VIRT (source), result, &error) && !vp_error_is (error, VP_ERROR_NOT_FOUND))
    vp_warning (orphan->sandbox_id, NULL, "domain \"%s\" without a record not destroyed: %s", orphan->name,
                error->message);
  else if (orphan->manager != NULL)
    {
      vp_notice (orphan->sandbox_id, NULL, "domain \"%s\" without a record destroyed", orphan->name);
      clean_async (vp_manager_get_services (orphan->manager), orphan->name, NULL, NULL);
    }
  orphan_free (orphan);
}

static gboolean
has_sandbox (VpManager *manager, const char *domain_name)
{
  g_autoptr (GList) all = vp_manager_list (manager);

  for (GList *l = all; l != NULL; l = l->next)
    if (g_str_equal (vp_sandbox_get_domain_name (l->data), domain_name))
      return TRUE;
  return FALSE;
}

static gboolean
on_orphan_grace_over (gpointer user_data)
{
  Orphan *orphan = user_data;

  if (orphan->manager == NULL || has_sandbox (orphan->manager, orphan->name))
    orphan_free (orphan);
  else
    vp_virt_destroy_async (vp_manager_get_services (orphan->manager)->virt, orphan->name, NULL, on_orphan_destroyed,
                           orphan);
  return G_SOURCE_REMOVE;
}

static void
on_orphan_xml (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Orphan *orphan = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *xml = vp_virt_dup_xml_finish (VP_VIRT (source), result, &error);
  g_autofree char *directory = NULL;
  const VpServices *services;
  guint64 grace;

  if (xml == NULL || orphan->manager == NULL)
    {
      if (xml == NULL && !vp_error_is (error, VP_ERROR_NOT_FOUND))
        vp_warning (orphan->sandbox_id, NULL, "domain \"%s\" without a record: %s", orphan->name, error->message);
      orphan_free (orphan);
      return;
    }
  services = vp_manager_get_services (orphan->manager);
  directory = vp_store_dup_directory (services->store, orphan->name);
  if (strstr (xml, directory) == NULL)
    {
      vp_info (orphan->sandbox_id, NULL, "domain \"%s\" is another daemon's", orphan->name);
      orphan_free (orphan);
      return;
    }
  grace = vp_config_get_uint (services->config, VP_CONFIG_DAEMON_ORPHAN_GRACE_MS);
  vp_warning (orphan->sandbox_id, NULL,
              "domain \"%s\" has no record: it is destroyed in %" G_GUINT64_FORMAT " s (daemon.orphan-grace-ms)",
              orphan->name, (grace + 999) / 1000);
  g_timeout_add ((guint) MIN (grace, G_MAXUINT), on_orphan_grace_over, orphan);
}

/* Nobody waits for what becomes of them. */
static void
watch_orphans (Recovery *recovery)
{
  GHashTableIter iter;
  VpVirtDomain *domain;

  g_hash_table_iter_init (&iter, recovery->domains);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &domain))
    {
      Orphan *orphan;

      if (domain->sandbox_id == NULL || has_sandbox (recovery->manager, domain->name))
        continue;
      orphan = g_new0 (Orphan, 1);
      g_set_weak_pointer (&orphan->manager, recovery->manager);
      orphan->name = g_strdup (domain->name);
      orphan->uuid = g_strdup (domain->uuid);
      orphan->sandbox_id = g_strdup (domain->sandbox_id);
      vp_virt_dup_xml_async (recovery->services->virt, orphan->name, NULL, on_orphan_xml, orphan);
    }
}

/* ---- records ---- */

static VpRecord *
load_record (Recovery *recovery, const char *name, GError **error)
{
  gsize len = 0;
  g_autofree char *json = vp_store_load (recovery->services->store, name, &len, error);
  g_autoptr (VpRecord) record = json != NULL ? vp_record_parse (json, len, name, error) : NULL;

  if (record != NULL && !g_str_equal (record->domain_name, name))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "record of \"%s\": is of domain \"%s\"", name,
                   record->domain_name);
      return NULL;
    }
  return g_steal_pointer (&record);
}

/* The handler may be gone from the configuration; the sandbox is not. */
static VpConfig *
config_of (Recovery *recovery, const VpRecord *record)
{
  g_autoptr (GError) error = NULL;
  VpConfig *config = vp_config_for_handler (recovery->services->config, record->handler, &error);

  if (config != NULL)
    return config;
  vp_warning (record->id, NULL, "%s", error->message);
  return vp_config_ref (recovery->services->config);
}

static VpSandbox *
restore (Recovery *recovery, const char *name, VpRecord **ret_record)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpRecord) record = load_record (recovery, name, &error);
  g_autoptr (VpSandbox) sandbox = NULL;
  g_autofree char *place = NULL;

  /* of one that was being created nobody was told */
  if (record != NULL && g_str_equal (record->state, "creating"))
    return NULL;
  if (record != NULL)
    {
      g_autoptr (VpConfig) config = config_of (recovery, record);

      sandbox = vp_sandbox_restore (recovery->services, record, config, &error);
    }
  if (sandbox != NULL)
    {
      *ret_record = g_steal_pointer (&record);
      return g_steal_pointer (&sandbox);
    }
  place = vp_store_quarantine (recovery->services->store, name, NULL);
  if (place != NULL)
    vp_event (VP_EVENT_RECORD_QUARANTINED, name, NULL, "record cannot be used, it is now %s: %s", place,
              error->message);
  else
    vp_notice (name, NULL, "%s", error->message);
  return NULL;
}

static void
on_recovered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  vp_sandbox_recover_finish (VP_SANDBOX (source), result);
  settled (task);
}

static void
recover_one (GTask *task, const char *name)
{
  Recovery *recovery = g_task_get_task_data (task);
  const VpVirtDomain *domain = g_hash_table_lookup (recovery->domains, name);
  VpRecord *record = NULL;
  VpSandbox *sandbox = restore (recovery, name, &record);

  if (sandbox != NULL)
    {
      VpSandboxLife life = VP_SANDBOX_GONE;

      if (domain != NULL && g_str_equal (domain->uuid, vp_sandbox_get_uuid (sandbox)))
        life = domain->paused ? VP_SANDBOX_ASLEEP : VP_SANDBOX_AWAKE;
      VP_FAILPOINT_ONLY ("recovery.restored");
      recovery->pending++;
      recovery->restored++;
      vp_manager_take (recovery->manager, sandbox);
      vp_sandbox_recover_async (sandbox, record, life, on_recovered, g_object_ref (task));
    }
  else if (domain == NULL)
    {
      VP_FAILPOINT_ONLY ("recovery.clean.before");
      recovery->pending++;
      clean_async (recovery->services, name, on_cleaned, g_object_ref (task));
    }
}

static void
on_listed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Recovery *recovery = g_task_get_task_data (task);
  GError *error = NULL;

  recovery->list = vp_virt_list_finish (VP_VIRT (source), result, &error);
  VP_FAILPOINT_ONLY ("recovery.listed");
  if (recovery->list == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  recovery->domains = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < recovery->list->len; i++)
    {
      VpVirtDomain *domain = recovery->list->pdata[i];

      if (domain->active)
        g_hash_table_replace (recovery->domains, domain->name, domain);
    }
  recovery->pending = 1;
  for (char **name = recovery->names; *name != NULL; name++)
    recover_one (task, *name);
  watch_orphans (recovery);
  settled (task);
}

void
vp_recovery_run_async (VpManager *manager, const char *const *names, GAsyncReadyCallback callback,
                       gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, callback, user_data);
  Recovery *recovery = g_new0 (Recovery, 1);

  recovery->manager = g_object_ref (manager);
  recovery->services = vp_manager_get_services (manager);
  recovery->names = g_strdupv ((char **) names);
  g_task_set_task_data (task, recovery, recovery_free);
  vp_virt_list_async (recovery->services->virt, NULL, on_listed, task);
}

gboolean
vp_recovery_run_finish (GAsyncResult *result, guint *ret_restored, guint *ret_cleaned, GError **error)
{
  const Recovery *recovery = g_task_get_task_data (G_TASK (result));

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return FALSE;
  if (ret_restored != NULL)
    *ret_restored = recovery->restored;
  if (ret_cleaned != NULL)
    *ret_cleaned = recovery->cleaned;
  return TRUE;
}
