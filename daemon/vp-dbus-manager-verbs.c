/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus.h"

#include "vp-dbus-args.h"
#include "vp-dbus-job.h"
#include "vp-dbus-verbs.h"
#include "vp-error.h"

/* org.virtpod.Manager1: what is done with all of them */

/* ---- statistics ---- */

static void
add_containers (GVariantBuilder *dict, VpSandbox *sandbox, GVariant *containers)
{
  GVariantIter iter;
  const char *id;
  GVariant *stats;

  g_variant_iter_init (&iter, containers);
  while (g_variant_iter_next (&iter, "{&sv}", &id, &stats))
    {
      g_autoptr (GVariant) owned = stats;
      g_autofree char *path = vp_dbus_path_container (vp_sandbox_get_id (sandbox), id);

      g_variant_builder_add (dict, "{o@a{sv}}", path, owned);
    }
}

static GVariant *
make_failure (const GError *error)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "error", "s", error->message);
  return g_variant_dict_end (&dict);
}

static void
on_stats (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;
  gboolean with_containers = g_object_get_data (G_OBJECT (invocation), "containers") != NULL;
  GError *error = NULL;
  g_autoptr (GPtrArray) rows = vp_manager_stats_finish (VP_MANAGER (source), result, &error);
  GVariantBuilder dict;

  if (rows == NULL)
    {
      vp_dbus_fail (invocation, error);
      return;
    }
  g_variant_builder_init (&dict, G_VARIANT_TYPE ("a{oa{sv}}"));
  for (guint i = 0; i < rows->len; i++)
    {
      const VpManagerStats *row = rows->pdata[i];
      g_autofree char *path = vp_dbus_path_sandbox (vp_sandbox_get_id (row->sandbox));

      if (row->error != NULL)
        g_variant_builder_add (&dict, "{o@a{sv}}", path, make_failure (row->error));
      else
        g_variant_builder_add (&dict, "{o@a{sv}}", path, row->stats);
      if (with_containers && row->containers != NULL)
        add_containers (&dict, row->sandbox, row->containers);
    }
  vp_dbus_manager1_complete_get_stats (NULL, invocation, g_variant_builder_end (&dict));
}

static gboolean
handle_get_stats (VpDBusManager1 *skeleton, GDBusMethodInvocation *invocation, GVariant *options, gpointer user_data)
{
  static const VpDbusOption table[] = { { "sandboxes", "as" }, { "containers", "b" }, { NULL } };
  g_autofree const char **ids = NULL;
  GError *error = NULL;

  if (!vp_dbus_args_check (options, table, &error))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  (void) g_variant_lookup (options, "sandboxes", "^a&s", &ids);
  if (vp_dbus_args_get_flag (options, "containers"))
    g_object_set_data (G_OBJECT (invocation), "containers", invocation);
  vp_manager_stats_async (user_data, ids, on_stats, invocation);
  return TRUE;
}

/* ---- prune ---- */

static void
on_pruned (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GPtrArray) rows = vp_manager_prune_finish (VP_MANAGER (source), result);
  GVariantBuilder removed;

  g_variant_builder_init (&removed, G_VARIANT_TYPE ("a(ss)"));
  for (guint i = 0; i < rows->len; i++)
    {
      const VpManagerPruned *row = rows->pdata[i];

      g_variant_builder_add (&removed, "(ss)", row->is_sandbox ? "sandbox" : "container", row->id);
    }
  vp_dbus_manager1_complete_prune (NULL, user_data, g_variant_builder_end (&removed));
}

static gboolean
handle_prune (VpDBusManager1 *skeleton, GDBusMethodInvocation *invocation, GVariant *options, gpointer user_data)
{
  static const VpDbusOption table[] = { { "older-than-usec", "t" }, { "dry-run", "b" }, { NULL } };
  guint64 older_than = 0;
  GError *error = NULL;

  if (!vp_dbus_args_check (options, table, &error))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  (void) g_variant_lookup (options, "older-than-usec", "t", &older_than);
  vp_dbus_job_begin (invocation, "prune", VP_DBUS_JOB_OBJECT (NULL), NULL);
  vp_manager_prune_async (user_data, older_than, vp_dbus_args_get_flag (options, "dry-run"), on_pruned, invocation);
  return TRUE;
}

void
vp_dbus_manager_add_verbs (VpDBusManager1 *skeleton, VpManager *manager)
{
  vp_dbus_handle (skeleton, "handle-get-stats", handle_get_stats, manager);
  vp_dbus_handle (skeleton, "handle-prune", handle_prune, manager);
  vp_dbus_watch_events (skeleton, manager);
}
