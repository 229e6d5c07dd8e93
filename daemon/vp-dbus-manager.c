/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-dbus.h"

#include <string.h>

#include "vp-check.h"
#include "vp-dbus-args.h"
#include "vp-dbus-job.h"
#include "vp-dbus-guard.h"
#include "vp-dbus-verbs.h"
#include "vp-error.h"

/* org.virtpod.Manager1 */

static void
on_created (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;
  GError *error = NULL;
  VpSandbox *sandbox = vp_manager_create_finish (VP_MANAGER (source), result, &error);
  g_autofree char *path = NULL;

  if (sandbox == NULL)
    {
      vp_dbus_fail (invocation, error);
      return;
    }
  path = vp_dbus_path_sandbox (vp_sandbox_get_id (sandbox));
  vp_dbus_manager1_complete_create_sandbox (NULL, invocation, NULL, path);
}

static gboolean
handle_create_sandbox (VpDBusManager1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fds, const char *id,
                       const char *bundle, GVariant *options, gpointer user_data)
{
  static const VpDbusOption table[]
      = { { "handler", "s" },        { "network", "s" },    { "labels", "a{ss}" },
          VP_DBUS_MOUNT_NS_OPTION, VP_DBUS_STREAM_OPTIONS, { NULL } };
  g_autoptr (GHashTable) labels = NULL;
  g_autoptr (VpMountNs) mount_ns = NULL;
  VpManagerCreate create = { .id = id, .bundle = bundle, .owner = vp_dbus_caller_uid (invocation) };
  GError *error = NULL;

  if (!vp_dbus_args_check (options, table, &error)
      || !vp_dbus_args_get_mount_ns (options, fds, create.owner, &mount_ns, &error)
      || (labels = vp_dbus_args_dup_labels (options, &error)) == NULL
      || (create.streams = vp_dbus_args_dup_streams (options, fds, &error)) == NULL)
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  create.labels = labels;
  create.mount_ns = mount_ns;
  (void) g_variant_lookup (options, "handler", "&s", &create.handler);
  (void) g_variant_lookup (options, "network", "&s", &create.network);
  vp_dbus_job_begin (invocation, "create-sandbox", VP_DBUS_JOB_OBJECT (NULL), NULL);
  vp_manager_create_async (user_data, &create, on_created, invocation);
  return TRUE;
}

static gboolean
handle_get_sandbox (VpDBusManager1 *skeleton, GDBusMethodInvocation *invocation, const char *id, gpointer user_data)
{
  GError *error = NULL;
  g_autofree char *path = NULL;

  if (vp_manager_find_sandbox (user_data, id, &error) == NULL)
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  path = vp_dbus_path_sandbox (id);
  vp_dbus_manager1_complete_get_sandbox (skeleton, invocation, path);
  return TRUE;
}

static gboolean
handle_get_container (VpDBusManager1 *skeleton, GDBusMethodInvocation *invocation, const char *id, gpointer user_data)
{
  GError *error = NULL;
  VpSandbox *sandbox = vp_manager_find_container (user_data, id, NULL, &error);
  g_autofree char *path = NULL;

  if (sandbox == NULL)
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  path = vp_dbus_path_container (vp_sandbox_get_id (sandbox), id);
  vp_dbus_manager1_complete_get_container (skeleton, invocation, path);
  return TRUE;
}

/* ---- lists ---- */

static gboolean
check_filter (GVariant *filter, const char *const *known, GError **error)
{
  GVariantIter iter;
  const char *key, *value;

  g_variant_iter_init (&iter, filter);
  while (g_variant_iter_next (&iter, "{&s&s}", &key, &value))
    if (!g_strv_contains (known, key) && !(g_strv_contains (known, "label:") && g_str_has_prefix (key, "label:")))
      {
        g_autofree char *shown = g_strescape (key, NULL);
        g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "filter \"%.80s\": is not known here", shown);
        return FALSE;
      }
  return TRUE;
}

static gboolean
filter_passes (GVariant *filter, const char *key, const char *have)
{
  const char *wanted = NULL;

  return !g_variant_lookup (filter, key, "&s", &wanted) || g_strcmp0 (wanted, have) == 0;
}

static gboolean
labels_pass (GVariant *filter, GHashTable *labels)
{
  GVariantIter iter;
  const char *key, *value;

  g_variant_iter_init (&iter, filter);
  while (g_variant_iter_next (&iter, "{&s&s}", &key, &value))
    if (g_str_has_prefix (key, "label:")
        && g_strcmp0 (g_hash_table_lookup (labels, key + strlen ("label:")), value) != 0)
      return FALSE;
  return TRUE;
}

static gboolean
handle_list_sandboxes (VpDBusManager1 *skeleton, GDBusMethodInvocation *invocation, GVariant *filter,
                       gpointer user_data)
{
  static const char *const known[] = { "id", "state", "handler", "label:", NULL };
  g_autoptr (GList) all = vp_manager_list (user_data);
  GVariantBuilder rows;
  GError *error = NULL;

  if (!check_filter (filter, known, &error))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a(sssto)"));
  for (GList *l = all; l != NULL; l = l->next)
    {
      const char *id = vp_sandbox_get_id (l->data);
      const char *state = vp_sandbox_state_to_string (vp_sandbox_get_state (l->data));
      const char *handler = vp_sandbox_get_handler (l->data);
      g_autofree char *path = vp_dbus_path_sandbox (id);

      if (filter_passes (filter, "id", id) && filter_passes (filter, "state", state)
          && filter_passes (filter, "handler", handler) && labels_pass (filter, vp_sandbox_get_labels (l->data)))
        g_variant_builder_add (&rows, "(sssto)", id, state, handler, (guint64) vp_sandbox_get_created_at (l->data),
                               path);
    }
  vp_dbus_manager1_complete_list_sandboxes (skeleton, invocation, g_variant_builder_end (&rows));
  return TRUE;
}

static void
add_container_row (GVariantBuilder *rows, GVariant *filter, VpSandbox *sandbox, VpContainer *container)
{
  const char *id = vp_container_get_id (container);
  const char *state = vp_container_state_to_string (vp_container_get_state (container));
  g_autofree char *path = vp_dbus_path_container (vp_sandbox_get_id (sandbox), id);

  if (filter_passes (filter, "id", id) && filter_passes (filter, "state", state)
      && filter_passes (filter, "sandbox", vp_sandbox_get_id (sandbox)))
    g_variant_builder_add (rows, "(ssssuto)", id, vp_sandbox_get_id (sandbox), state,
                           vp_spec_get_bundle (vp_container_get_spec (container)),
                           vp_dbus_container_pid (sandbox, container),
                           (guint64) vp_container_get_created_at (container), path);
}

static gboolean
handle_list_containers (VpDBusManager1 *skeleton, GDBusMethodInvocation *invocation, GVariant *filter,
                        gpointer user_data)
{
  static const char *const known[] = { "id", "state", "sandbox", NULL };
  g_autoptr (GList) all = vp_manager_list (user_data);
  GVariantBuilder rows;
  GError *error = NULL;

  if (!check_filter (filter, known, &error))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a(ssssuto)"));
  for (GList *l = all; l != NULL; l = l->next)
    {
      GPtrArray *containers = vp_sandbox_get_containers (l->data);

      for (guint i = 0; i < containers->len; i++)
        add_container_row (&rows, filter, l->data, containers->pdata[i]);
    }
  vp_dbus_manager1_complete_list_containers (skeleton, invocation, g_variant_builder_end (&rows));
  return TRUE;
}

static void
on_explained (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;
  GError *error = NULL;
  g_autofree char *text = vp_manager_explain_finish (VP_MANAGER (source), result, &error);

  if (text == NULL)
    vp_dbus_fail (invocation, error);
  else
    vp_dbus_manager1_complete_explain (NULL, invocation, text);
}

static gboolean
handle_explain (VpDBusManager1 *skeleton, GDBusMethodInvocation *invocation, const char *bundle, GVariant *options,
                gpointer user_data)
{
  static const VpDbusOption table[] = { { "id", "s" }, { "handler", "s" }, { "format", "s" }, { NULL } };
  const char *id = NULL, *handler = NULL, *format = "text";
  GError *error = NULL;

  if (!vp_dbus_args_check (options, table, &error))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  (void) g_variant_lookup (options, "id", "&s", &id);
  (void) g_variant_lookup (options, "handler", "&s", &handler);
  (void) g_variant_lookup (options, "format", "&s", &format);
  vp_manager_explain_async (user_data, bundle, id, handler, format, on_explained, invocation);
  return TRUE;
}

/* ---- configuration ---- */

static gboolean
handle_get_config (VpDBusManager1 *skeleton, GDBusMethodInvocation *invocation, const char *handler,
                   gpointer user_data)
{
  VpConfig *whole = vp_manager_get_services (user_data)->config;
  GError *error = NULL;
  g_autoptr (VpConfig) config = vp_config_for_handler (whole, handler[0] != '\0' ? handler : NULL, &error);
  GVariantBuilder rows;

  if (config == NULL)
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a(sss)"));
  for (int i = 0; i < VP_N_CONFIG_KEYS; i++)
    g_variant_builder_add (&rows, "(sss)", vp_config_key_name ((VpConfigKey) i),
                           vp_config_get_string (config, (VpConfigKey) i),
                           vp_config_get_source (config, (VpConfigKey) i));
  vp_dbus_manager1_complete_get_config (skeleton, invocation, g_variant_builder_end (&rows));
  return TRUE;
}

/* ---- the host ---- */

static void
on_checked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;
  g_autoptr (GPtrArray) found = vp_check_run_finish (result);
  GVariantBuilder rows;

  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a(ssss)"));
  for (guint i = 0; i < found->len; i++)
    {
      VpCheckRow *row = found->pdata[i];
      g_autofree char *text = vp_error_clean (g_strdup (row->found));

      g_variant_builder_add (&rows, "(ssss)", row->name, vp_check_status_to_string (row->status), text, row->hint);
    }
  vp_dbus_manager1_complete_check (NULL, invocation, g_variant_builder_end (&rows));
}

static gboolean
handle_check (VpDBusManager1 *skeleton, GDBusMethodInvocation *invocation, GVariant *options, gpointer user_data)
{
  static const VpDbusOption table[] = { { NULL } };
  GDBusConnection *connection = g_dbus_method_invocation_get_connection (invocation);
  gboolean bus = g_dbus_method_invocation_get_sender (invocation) != NULL;
  GError *error = NULL;

  if (!vp_dbus_args_check (options, table, &error))
    vp_dbus_fail (invocation, error);
  else
    vp_check_run_async (vp_manager_get_services (user_data), bus ? connection : NULL, on_checked, invocation);
  return TRUE;
}

/* ---- properties ---- */

static void
mirror_counts (VpManager *manager, gpointer user_data)
{
  VpDBusManager1 *skeleton = user_data;

  vp_dbus_manager1_set_nsandboxes (skeleton, vp_manager_get_n_sandboxes (manager));
  vp_dbus_manager1_set_ncontainers (skeleton, vp_manager_get_n_containers (manager));
}

static void
mirror_hypervisor (VpVirt *virt, gpointer user_data)
{
  VpDBusManager1 *skeleton = user_data;
  gboolean connected = vp_virt_get_state (virt) == VP_VIRT_CONNECTED;
  VpFacts *facts = connected ? vp_virt_get_facts (virt) : NULL;

  vp_dbus_manager1_set_hypervisor_uri (skeleton, vp_virt_get_uri (virt));
  vp_dbus_manager1_set_hypervisor_state (skeleton, vp_virt_state_to_string (vp_virt_get_state (virt)));
  vp_dbus_manager1_set_hypervisor_version (skeleton, facts != NULL ? vp_facts_get (facts)->hypervisor_version : 0);
  vp_dbus_manager1_set_libvirt_version (skeleton, facts != NULL ? vp_facts_get (facts)->libvirt_version : 0);
  vp_dbus_manager1_set_accelerator (skeleton, facts != NULL ? vp_facts_get_auto_accel (facts) : "");
}

VpDBusManager1 *
vp_dbus_manager_new (VpManager *manager)
{
  static const char *const features[] = { "copy", "pause", "update", "stats", "oom", "console", NULL };
  VpDBusManager1 *skeleton = vp_dbus_guard_new (VP_DBUS_TYPE_MANAGER1_SKELETON);
  VpVirt *virt = vp_manager_get_services (manager)->virt;

  vp_dbus_handle (skeleton, "handle-create-sandbox", handle_create_sandbox, manager);
  vp_dbus_handle (skeleton, "handle-get-sandbox", handle_get_sandbox, manager);
  vp_dbus_handle (skeleton, "handle-get-container", handle_get_container, manager);
  vp_dbus_handle (skeleton, "handle-list-sandboxes", handle_list_sandboxes, manager);
  vp_dbus_handle (skeleton, "handle-list-containers", handle_list_containers, manager);
  vp_dbus_handle (skeleton, "handle-explain", handle_explain, manager);
  vp_dbus_handle (skeleton, "handle-get-config", handle_get_config, manager);
  vp_dbus_handle (skeleton, "handle-check", handle_check, manager);

  vp_dbus_manager_add_verbs (skeleton, manager);
  vp_dbus_manager1_set_features (skeleton, features);
  vp_dbus_manager1_set_version (skeleton, PACKAGE_VERSION);
  vp_dbus_admin_bind (skeleton, manager);
  mirror_counts (manager, skeleton);
  mirror_hypervisor (virt, skeleton);
  g_signal_connect_object (manager, "changed", G_CALLBACK (mirror_counts), skeleton, 0);
  g_signal_connect_object (virt, "state-changed", G_CALLBACK (mirror_hypervisor), skeleton, 0);
  return skeleton;
}
