/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus.h"

#include "vp-dbus-args.h"
#include "vp-dbus-guard.h"
#include "vp-dbus-verbs.h"
#include "vp-error.h"
#include "vp-id.h"
#include "vp-oci-state.h"
#include "vp-signal.h"

/* org.virtpod.Container1 */

static VpSandbox *
sandbox_of (VpDBusContainer1 *skeleton)
{
  return g_object_get_data (G_OBJECT (skeleton), "sandbox");
}

static gboolean
check_no_options (GVariant *options, GError **error)
{
  static const VpDbusOption none[] = { { NULL } };

  return vp_dbus_args_check (options, none, error);
}

/* ---- start, kill, wait, delete ---- */

static void
on_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpSandbox *sandbox = g_object_get_data (G_OBJECT (user_data), "sandbox");
  GError *error = NULL;

  if (vp_container_start_finish (VP_CONTAINER (source), result, &error))
    vp_dbus_container1_complete_start (NULL, user_data, (guint32) vp_sandbox_get_hypervisor_pid (sandbox));
  else
    vp_dbus_fail (user_data, error);
}

static gboolean
handle_start (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, GVariant *options, gpointer user_data)
{
  GError *error = NULL;

  if (!check_no_options (options, &error))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  g_object_set_data_full (G_OBJECT (invocation), "sandbox", g_object_ref (sandbox_of (skeleton)), g_object_unref);
  vp_container_start_async (user_data, on_started, invocation);
  return TRUE;
}

VP_DBUS_DONE_CALLBACK (on_killed, VP_CONTAINER, vp_container_kill_finish)

static gboolean
handle_kill (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, const char *text, GVariant *options,
             gpointer user_data)
{
  static const VpDbusOption table[] = { { "all", "b" }, { NULL } };
  gboolean all;
  GError *error = NULL;
  int signum;

  if (!vp_signal_parse (text, &signum, &error) || !vp_dbus_args_check (options, table, &error))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  all = vp_dbus_args_get_flag (options, "all");
  if (all && signum != 9)
    {
      vp_dbus_fail (invocation, g_error_new (VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                                             "option \"all\": the agent can do that only with KILL"));
      return TRUE;
    }
  vp_container_kill_async (user_data, signum, all, on_killed, invocation);
  return TRUE;
}

static gboolean
handle_wait (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  vp_dbus_wait_process (invocation, vp_container_get_init (user_data));
  return TRUE;
}

static void
on_removed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpContainer *container = g_object_get_data (G_OBJECT (user_data), "container");
  VpProcess *init = vp_container_get_init (container);
  gboolean ran = vp_process_get_state (init) == VP_PROCESS_STOPPED;
  GError *error = NULL;

  (void) vp_sandbox_remove_container_finish (VP_SANDBOX (source), result, &error);
  vp_dbus_reply_exit (user_data, ran ? vp_process_get_exit_status (init) : 0, vp_process_get_exited_at (init), error);
}

static gboolean
handle_delete (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, GVariant *options, gpointer user_data)
{
  static const VpDbusOption table[] = { { "force", "b" }, { NULL } };
  GError *error = NULL;

  if (!vp_dbus_args_check (options, table, &error))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  g_object_set_data_full (G_OBJECT (invocation), "container", g_object_ref (user_data), g_object_unref);
  vp_sandbox_remove_container_async (sandbox_of (skeleton), user_data, vp_dbus_args_get_flag (options, "force"),
                                     on_removed, invocation);
  return TRUE;
}

/* ---- looking ---- */

guint32
vp_dbus_container_pid (VpSandbox *sandbox, VpContainer *container)
{
  VpContainerState state = vp_container_get_state (container);
  VpStandinWatch *standin = vp_process_get_standin (vp_container_get_init (container));

  if (state != VP_CONTAINER_CREATED && state != VP_CONTAINER_RUNNING && state != VP_CONTAINER_PAUSED)
    return 0;
  return (guint32) (standin != NULL ? vp_standin_watch_get_pid (standin) : vp_sandbox_get_hypervisor_pid (sandbox));
}

static gboolean
handle_get_state (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  VpSpec *spec = vp_container_get_spec (user_data);
  VpOciState state = {
    .id = vp_container_get_id (user_data),
    .status = vp_container_state_to_string (vp_container_get_state (user_data)),
    .pid = vp_dbus_container_pid (sandbox_of (skeleton), user_data),
    .bundle = vp_spec_get_bundle (spec),
    .spec = spec,
    .created_at = vp_container_get_created_at (user_data),
  };
  g_autofree char *json = vp_oci_state_to_json (&state);

  vp_dbus_container1_complete_get_state (skeleton, invocation, json);
  return TRUE;
}

/* ---- properties ---- */

GVariant *
vp_dbus_make_annotations (VpSpec *spec)
{
  VpJson *annotations = vp_spec_get_annotations (spec);
  GVariantBuilder dict;

  g_variant_builder_init (&dict, G_VARIANT_TYPE ("a{ss}"));
  for (guint i = 0; annotations != NULL && i < vp_json_get_n_items (annotations); i++)
    {
      VpJson *item = vp_json_get_item (annotations, i);

      g_variant_builder_add (&dict, "{ss}", vp_json_get_name (item), vp_json_get_string (item));
    }
  return g_variant_builder_end (&dict);
}

static void
mirror (VpContainer *container, gpointer user_data)
{
  VpDBusContainer1 *skeleton = user_data;
  VpProcess *init = vp_container_get_init (container);

  vp_dbus_container1_set_exit_status (skeleton, vp_process_get_exit_status (init));
  vp_dbus_container1_set_exited_at (skeleton, (guint64) vp_process_get_exited_at (init));
  vp_dbus_container1_set_started_at (skeleton, (guint64) vp_container_get_started_at (container));
  vp_dbus_container1_set_oom_killed (skeleton, vp_container_get_oom_killed (container));
  vp_dbus_container1_set_pid (skeleton, vp_dbus_container_pid (sandbox_of (skeleton), container));
  vp_dbus_container1_set_state (skeleton, vp_container_state_to_string (vp_container_get_state (container)));
}

static void
on_exited (VpContainer *container, VpProcess *process, gpointer user_data)
{
  vp_dbus_container1_emit_exited (user_data, vp_process_get_exec_id (process), vp_process_get_exit_status (process),
                                  (guint64) vp_process_get_exited_at (process));
}

VpDBusContainer1 *
vp_dbus_container_new (VpSandbox *sandbox, VpContainer *container)
{
  VpDBusContainer1 *skeleton = vp_dbus_guard_new (VP_DBUS_TYPE_CONTAINER1_SKELETON);
  g_autofree char *sandbox_path = vp_dbus_path_sandbox (vp_sandbox_get_id (sandbox));

  g_object_set_data_full (G_OBJECT (skeleton), "sandbox", g_object_ref (sandbox), g_object_unref);
  vp_dbus_handle (skeleton, "handle-start", handle_start, container);
  vp_dbus_handle (skeleton, "handle-kill", handle_kill, container);
  vp_dbus_handle (skeleton, "handle-wait", handle_wait, container);
  vp_dbus_handle (skeleton, "handle-delete", handle_delete, container);
  vp_dbus_handle (skeleton, "handle-get-state", handle_get_state, container);
  vp_dbus_container_add_exec (skeleton, container);
  vp_dbus_container_add_verbs (skeleton, container);

  vp_dbus_container1_set_id (skeleton, vp_container_get_id (container));
  vp_dbus_container1_set_sandbox (skeleton, sandbox_path);
  vp_dbus_container1_set_bundle (skeleton, vp_spec_get_bundle (vp_container_get_spec (container)));
  vp_dbus_container1_set_terminal (skeleton, vp_spec_get_terminal (vp_container_get_spec (container)));
  vp_dbus_container1_set_annotations (skeleton, vp_dbus_make_annotations (vp_container_get_spec (container)));
  vp_dbus_container1_set_created_at (skeleton, (guint64) vp_container_get_created_at (container));
  mirror (container, skeleton);
  g_signal_connect_object (container, "changed", G_CALLBACK (mirror), skeleton, 0);
  g_signal_connect_object (container, "exited", G_CALLBACK (on_exited), skeleton, 0);
  return skeleton;
}
