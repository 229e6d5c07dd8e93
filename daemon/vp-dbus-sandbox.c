/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus.h"

#include "vp-dbus-args.h"
#include "vp-dbus-job.h"
#include "vp-dbus-guard.h"
#include "vp-dbus-verbs.h"
#include "vp-error.h"

/* org.virtpod.Sandbox1 */

#define MAX_STAGES 16

static guint
usec_to_ms (guint64 usec)
{
  return (guint) MIN (usec / 1000 + (usec % 1000 != 0), G_MAXINT / 2);
}

static guint
request_timeout (VpManager *manager)
{
  return (guint) vp_config_get_uint (vp_manager_get_services (manager)->config, VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS);
}

/* the manager, for the handlers that need more than the sandbox */
static VpManager *
manager_of (VpDBusSandbox1 *skeleton)
{
  return g_object_get_data (G_OBJECT (skeleton), "manager");
}

static void
begin_job (VpSandbox *sandbox, GDBusMethodInvocation *invocation, const char *operation, GCancellable *cancellable)
{
  g_autofree char *path = vp_dbus_path_sandbox (vp_sandbox_get_id (sandbox));

  vp_dbus_job_begin (invocation, operation, VP_DBUS_JOB_OBJECT (path), cancellable);
}

/* ---- start ---- */

static void
on_stage (VpSandbox *sandbox, gpointer invocation)
{
  VpSandboxStage stages[MAX_STAGES];
  gsize n = vp_sandbox_get_stages (sandbox, stages, MAX_STAGES);

  if (n > 0)
    vp_dbus_job_set_stage (invocation, stages[n - 1].name, (double) n / (double) vp_sandbox_get_n_stages (sandbox));
}

/* A start that is given up undoes what it did and fails with Cancelled. */
static void
on_start_cancelled (GCancellable *cancellable, gpointer sandbox)
{
  if (vp_sandbox_get_state (sandbox) == VP_SANDBOX_STARTING)
    vp_sandbox_stop_async (sandbox, 0, TRUE, NULL, NULL);
}

static void
begin_start_job (VpSandbox *sandbox, GDBusMethodInvocation *invocation)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  g_signal_connect_object (cancellable, "cancelled", G_CALLBACK (on_start_cancelled), sandbox, 0);
  g_signal_connect_object (sandbox, "changed", G_CALLBACK (on_stage), invocation, 0);
  begin_job (sandbox, invocation, "start", cancellable);
}

VP_DBUS_DONE_CALLBACK (on_started, VP_SANDBOX, vp_sandbox_start_finish)

static gboolean
handle_start (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, GVariant *options, gpointer user_data)
{
  static const VpDbusOption table[] = { { "timeout_usec", "t" }, { NULL } };
  guint64 timeout = 0;
  GError *error = NULL;

  if (!vp_dbus_args_check (options, table, &error))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  (void) g_variant_lookup (options, "timeout_usec", "t", &timeout);
  begin_start_job (user_data, invocation);
  vp_sandbox_start_async (user_data, usec_to_ms (timeout), on_started, invocation);
  return TRUE;
}

VP_DBUS_DONE_CALLBACK (on_stopped, VP_SANDBOX, vp_sandbox_stop_finish)

static const VpDbusOption force_option[] = { { "force", "b" }, { NULL } };

static gboolean
handle_stop (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, guint64 timeout, GVariant *options,
             gpointer user_data)
{
  GError *error = NULL;

  if (!vp_dbus_args_check (options, force_option, &error))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  begin_job (user_data, invocation, "stop", NULL);
  vp_sandbox_stop_async (user_data, usec_to_ms (timeout), vp_dbus_args_get_flag (options, "force"), on_stopped,
                         invocation);
  return TRUE;
}

VP_DBUS_DONE_CALLBACK (on_deleted, VP_SANDBOX, vp_sandbox_delete_finish)

static gboolean
handle_delete (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, GVariant *options, gpointer user_data)
{
  GError *error = NULL;

  if (!vp_dbus_args_check (options, force_option, &error))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  begin_job (user_data, invocation, "delete", NULL);
  vp_sandbox_delete_async (user_data, vp_dbus_args_get_flag (options, "force"), on_deleted, invocation);
  return TRUE;
}

VP_DBUS_EXIT_CALLBACK (on_waited, VP_SANDBOX, vp_sandbox_wait_finish)

static gboolean
handle_wait (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  vp_sandbox_wait_async (user_data, vp_dbus_watch_caller (invocation), on_waited, invocation);
  return TRUE;
}

/* ---- the guest ---- */

static void
on_version (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  g_autofree char *version = vp_agent_client_version_finish (VP_AGENT_CLIENT (source), result, &error);

  if (version != NULL)
    vp_dbus_sandbox1_complete_ping (NULL, user_data, version);
  else
    vp_dbus_fail (user_data, error);
}

static gboolean
handle_ping (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  GError *error = NULL;
  VpAgentClient *agent = vp_sandbox_get_agent (user_data, VP_VERB_SANDBOX_PING, &error);

  if (agent == NULL)
    vp_dbus_fail (invocation, error);
  else
    vp_agent_client_version_async (agent, request_timeout (manager_of (skeleton)), NULL, on_version, invocation);
  return TRUE;
}

static void
on_details (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  g_autoptr (VpGuestDetails) details
      = vp_agent_client_get_guest_details_finish (VP_AGENT_CLIENT (source), result, &error);
  GVariantDict dict;

  if (details == NULL)
    {
      vp_dbus_fail (user_data, error);
      return;
    }
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "agent-version", "s", details->version);
  g_variant_dict_insert (&dict, "init-daemon", "b", details->init_daemon);
  g_variant_dict_insert (&dict, "supports-seccomp", "b", details->supports_seccomp);
  g_variant_dict_insert (&dict, "mem-block-size-bytes", "t", details->mem_block_size);
  g_variant_dict_insert (&dict, "device-handlers", "^as", details->device_handlers);
  g_variant_dict_insert (&dict, "storage-handlers", "^as", details->storage_handlers);
  vp_dbus_sandbox1_complete_get_guest_details (NULL, user_data, g_variant_dict_end (&dict));
}

static gboolean
handle_get_guest_details (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  GError *error = NULL;
  VpAgentClient *agent = vp_sandbox_get_agent (user_data, VP_VERB_SANDBOX_DETAILS, &error);

  if (agent == NULL)
    vp_dbus_fail (invocation, error);
  else
    vp_agent_client_get_guest_details_async (agent, request_timeout (manager_of (skeleton)), NULL, on_details,
                                             invocation);
  return TRUE;
}

/* ---- containers ---- */

static void
on_container_created (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  VpContainer *container = vp_manager_create_container_finish (VP_MANAGER (source), result, &error);
  VpSandbox *sandbox;
  g_autofree char *path = NULL;

  if (container == NULL)
    {
      vp_dbus_fail (user_data, error);
      return;
    }
  sandbox = vp_manager_find_container (VP_MANAGER (source), vp_container_get_id (container), NULL, NULL);
  path = vp_dbus_path_container (vp_sandbox_get_id (sandbox), vp_container_get_id (container));
  vp_dbus_sandbox1_complete_create_container (NULL, user_data, NULL, path);
}

static gboolean
handle_create_container (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fds, const char *id,
                         const char *bundle, GVariant *options, gpointer user_data)
{
  static const VpDbusOption table[] = { VP_DBUS_MOUNT_NS_OPTION, VP_DBUS_STREAM_OPTIONS, { NULL } };
  g_autoptr (VpMountNs) mount_ns = NULL;
  VpStreams *streams = NULL;
  GError *error = NULL;

  if (!vp_dbus_args_check (options, table, &error)
      || !vp_dbus_args_get_mount_ns (options, fds, vp_dbus_caller_uid (invocation), &mount_ns, &error)
      || (streams = vp_dbus_args_dup_streams (options, fds, &error)) == NULL)
    vp_dbus_fail (invocation, error);
  else
    vp_manager_create_container_async (manager_of (skeleton), user_data, id, bundle, streams, mount_ns,
                                       on_container_created, invocation);
  return TRUE;
}

static gboolean
handle_list_containers (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  GPtrArray *containers = vp_sandbox_get_containers (user_data);
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();
  g_auto (GStrv) strv = NULL;

  for (guint i = 0; i < containers->len; i++)
    {
      g_autofree char *path
          = vp_dbus_path_container (vp_sandbox_get_id (user_data), vp_container_get_id (containers->pdata[i]));
      g_strv_builder_add (paths, path);
    }
  strv = g_strv_builder_end (paths);
  vp_dbus_sandbox1_complete_list_containers (skeleton, invocation, (const char *const *) strv);
  return TRUE;
}

/* ---- XML ---- */

static void
on_live_xml (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  g_autofree char *xml = vp_virt_dup_xml_finish (VP_VIRT (source), result, &error);

  if (xml != NULL)
    vp_dbus_sandbox1_complete_get_domain_xml (NULL, user_data, xml);
  else
    vp_dbus_fail (user_data, error);
}

static gboolean
handle_get_domain_xml (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, GVariant *options,
                       gpointer user_data)
{
  static const VpDbusOption table[] = { { "live", "b" }, { NULL } };
  VpSandbox *sandbox = user_data;
  GError *error = NULL;

  if (!vp_dbus_args_check (options, table, &error))
    vp_dbus_fail (invocation, error);
  else if (vp_dbus_args_get_flag (options, "live"))
    {
      if (!vp_sandbox_check_verb (sandbox, VP_VERB_SANDBOX_LIVE_XML, &error))
        vp_dbus_fail (invocation, error);
      else
        vp_virt_dup_xml_async (vp_manager_get_services (manager_of (skeleton))->virt,
                               vp_sandbox_get_domain_name (sandbox), NULL, on_live_xml, invocation);
    }
  else if (vp_sandbox_get_xml (sandbox) == NULL)
    vp_dbus_fail (invocation, g_error_new (VP_ERROR, VP_ERROR_INVALID_STATE,
                                           "XML of sandbox \"%s\": it is made when the sandbox starts",
                                           vp_sandbox_get_id (sandbox)));
  else
    vp_dbus_sandbox1_complete_get_domain_xml (skeleton, invocation, vp_sandbox_get_xml (sandbox));
  return TRUE;
}

/* ---- properties ---- */

static GVariant *
make_stages (VpSandbox *sandbox)
{
  VpSandboxStage stages[MAX_STAGES];
  gsize n = vp_sandbox_get_stages (sandbox, stages, MAX_STAGES);
  GVariantBuilder rows;

  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a(st)"));
  for (gsize i = 0; i < n; i++)
    g_variant_builder_add (&rows, "(st)", stages[i].name, (guint64) stages[i].usec);
  return g_variant_builder_end (&rows);
}

static GVariant *
make_labels (VpSandbox *sandbox)
{
  GVariantBuilder dict;
  GHashTableIter iter;
  gpointer key, value;

  g_variant_builder_init (&dict, G_VARIANT_TYPE ("a{ss}"));
  g_hash_table_iter_init (&iter, vp_sandbox_get_labels (sandbox));
  while (g_hash_table_iter_next (&iter, &key, &value))
    g_variant_builder_add (&dict, "{ss}", key, value);
  return g_variant_builder_end (&dict);
}

static void
mirror (VpSandbox *sandbox, gpointer user_data)
{
  VpDBusSandbox1 *skeleton = user_data;
  const VpPlan *plan = vp_sandbox_get_plan (sandbox);

  vp_dbus_sandbox1_set_state (skeleton, vp_sandbox_state_to_string (vp_sandbox_get_state (sandbox)));
  vp_dbus_sandbox1_set_hypervisor_pid (skeleton, (guint32) vp_sandbox_get_hypervisor_pid (sandbox));
  vp_dbus_sandbox1_set_started_at (skeleton, (guint64) vp_sandbox_get_started_at (sandbox));
  vp_dbus_sandbox1_set_exited_at (skeleton, (guint64) vp_sandbox_get_exited_at (sandbox));
  vp_dbus_sandbox1_set_exit_reason (skeleton, vp_sandbox_get_exit_reason (sandbox));
  vp_dbus_sandbox1_set_agent_state (skeleton, vp_sandbox_get_agent_state (sandbox));
  vp_dbus_sandbox1_set_accelerator (skeleton, plan != NULL ? vp_accel_to_string (plan->accel) : "");
  vp_dbus_sandbox1_set_vcpus (skeleton, plan != NULL ? plan->vcpus : 0);
  vp_dbus_sandbox1_set_memory_bytes (skeleton, plan != NULL ? plan->memory : 0);
  vp_dbus_sandbox1_set_start_stages (skeleton, make_stages (sandbox));
}

VpDBusSandbox1 *
vp_dbus_sandbox_new (VpManager *manager, VpSandbox *sandbox)
{
  VpDBusSandbox1 *skeleton = vp_dbus_guard_new (VP_DBUS_TYPE_SANDBOX1_SKELETON);

  g_object_set_data_full (G_OBJECT (skeleton), "manager", g_object_ref (manager), g_object_unref);
  vp_dbus_handle (skeleton, "handle-start", handle_start, sandbox);
  vp_dbus_handle (skeleton, "handle-stop", handle_stop, sandbox);
  vp_dbus_handle (skeleton, "handle-delete", handle_delete, sandbox);
  vp_dbus_handle (skeleton, "handle-wait", handle_wait, sandbox);
  vp_dbus_handle (skeleton, "handle-ping", handle_ping, sandbox);
  vp_dbus_handle (skeleton, "handle-create-container", handle_create_container, sandbox);
  vp_dbus_handle (skeleton, "handle-list-containers", handle_list_containers, sandbox);
  vp_dbus_handle (skeleton, "handle-get-domain-xml", handle_get_domain_xml, sandbox);
  vp_dbus_handle (skeleton, "handle-get-guest-details", handle_get_guest_details, sandbox);

  vp_dbus_sandbox_add_verbs (skeleton, manager, sandbox);
  vp_dbus_sandbox_add_network (skeleton, sandbox);
  vp_dbus_sandbox1_set_id (skeleton, vp_sandbox_get_id (sandbox));
  vp_dbus_sandbox1_set_handler (skeleton, vp_sandbox_get_handler (sandbox));
  vp_dbus_sandbox1_set_domain_name (skeleton, vp_sandbox_get_domain_name (sandbox));
  vp_dbus_sandbox1_set_domain_uuid (skeleton, vp_sandbox_get_uuid (sandbox));
  vp_dbus_sandbox1_set_created_at (skeleton, (guint64) vp_sandbox_get_created_at (sandbox));
  vp_dbus_sandbox1_set_labels (skeleton, make_labels (sandbox));
  mirror (sandbox, skeleton);
  g_signal_connect_object (sandbox, "changed", G_CALLBACK (mirror), skeleton, 0);
  return skeleton;
}
