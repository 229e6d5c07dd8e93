/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus.h"

#include <unistd.h>

#include "vp-dbus-args.h"
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

static void
on_killed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;

  (void) vp_container_kill_finish (VP_CONTAINER (source), result, &error);
  vp_dbus_reply_done (user_data, error);
}

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

/* ---- exec and attach ---- */

static void
on_exec (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpContainer *container = VP_CONTAINER (source);
  VpSandbox *sandbox = g_object_get_data (G_OBJECT (user_data), "sandbox");
  GError *error = NULL;
  VpProcess *process = vp_container_exec_finish (container, result, &error);
  g_autofree char *path = NULL;

  if (process == NULL)
    {
      vp_dbus_fail (user_data, error);
      return;
    }
  path = vp_dbus_path_process (vp_sandbox_get_id (sandbox), vp_container_get_id (container),
                               vp_process_get_exec_id (process));
  vp_dbus_container1_complete_exec (NULL, user_data, NULL, path);
}

static gboolean
handle_exec (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fds, const char *exec_id,
             const char *const *args, GVariant *options, gpointer user_data)
{
  static const VpDbusOption table[]
      = { { "env", "as" }, { "cwd", "s" }, { "user", "s" }, { "terminal", "b" }, VP_DBUS_STREAM_OPTIONS, { NULL } };
  g_autofree const char **env = NULL;
  VpSpecExec exec = { .args = args };
  VpStreams *streams = NULL;
  GError *error = NULL;

  if (args[0] == NULL || *args[0] == '\0')
    g_set_error (&error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "args: the program to run is missing");
  if (error != NULL || !vp_dbus_args_check (options, table, &error)
      || (streams = vp_dbus_args_dup_streams (options, fds, &error)) == NULL)
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  (void) g_variant_lookup (options, "env", "^a&s", &env);
  (void) g_variant_lookup (options, "cwd", "&s", &exec.cwd);
  (void) g_variant_lookup (options, "user", "&s", &exec.user);
  exec.env = env;
  exec.terminal = vp_dbus_args_get_flag (options, "terminal");
  g_object_set_data_full (G_OBJECT (invocation), "sandbox", g_object_ref (sandbox_of (skeleton)), g_object_unref);
  vp_container_exec_async (user_data, exec_id, &exec, streams, on_exec, invocation);
  return TRUE;
}

static guint
wanted_streams (GVariant *options)
{
  guint which = 0;

  for (int i = 0; i < VP_N_STREAMS; i++)
    if (vp_dbus_args_get_flag (options, vp_stream_name (i)))
      which |= 1u << i;
  return which;
}

static gboolean
handle_attach (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *in_fds, GVariant *options,
               gpointer user_data)
{
  static const VpDbusOption table[] = { { "stdin", "b" }, { "stdout", "b" }, { "stderr", "b" }, { NULL } };
  VpProcess *init = vp_container_get_init (user_data);
  VpStdio *stdio = vp_process_get_stdio (init);
  g_autoptr (GUnixFDList) out_fds = g_unix_fd_list_new ();
  int ends[VP_STDIO_N_STREAMS] = { -1, -1, -1 };
  GVariantBuilder dict;
  GError *error = NULL;

  if (!vp_dbus_args_check (options, table, &error) || !vp_container_check_verb (user_data, VP_VERB_CONTAINER_ATTACH, &error)
      || (stdio == NULL
              ? (g_set_error (&error, VP_ERROR, VP_ERROR_INVALID_STATE, "attach container \"%s\": it never ran",
                              vp_container_get_id (user_data)),
                 TRUE)
              : !vp_stdio_attach (stdio, wanted_streams (options), ends, &error)))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  g_variant_builder_init (&dict, G_VARIANT_TYPE ("a{sh}"));
  for (int i = 0; i < VP_STDIO_N_STREAMS; i++)
    {
      const char *name = vp_process_get_terminal (init) ? "terminal" : vp_stream_name (i);
      int index;

      if (ends[i] < 0)
        continue;
      index = g_unix_fd_list_append (out_fds, ends[i], NULL); /* duplicates it */
      (void) close (ends[i]);
      if (index >= 0)
        g_variant_builder_add (&dict, "{sh}", name, index);
    }
  vp_dbus_container1_complete_attach (skeleton, invocation, out_fds, g_variant_builder_end (&dict));
  return TRUE;
}

/* ---- looking ---- */

guint32
vp_dbus_container_pid (VpSandbox *sandbox, VpContainer *container)
{
  VpContainerState state = vp_container_get_state (container);

  return state == VP_CONTAINER_CREATED || state == VP_CONTAINER_RUNNING || state == VP_CONTAINER_PAUSED
             ? (guint32) vp_sandbox_get_hypervisor_pid (sandbox)
             : 0;
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
  };
  g_autofree char *json = vp_oci_state_to_json (&state);

  vp_dbus_container1_complete_get_state (skeleton, invocation, json);
  return TRUE;
}

static gboolean
handle_get_process (VpDBusContainer1 *skeleton, GDBusMethodInvocation *invocation, const char *exec_id,
                    gpointer user_data)
{
  g_autofree char *path = NULL;
  VpProcess *process;
  GError *error = NULL;

  if ((*exec_id != '\0' && !vp_id_check (exec_id, "exec id", &error)))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  process = vp_container_find_process (user_data, exec_id);
  /* one that the guest is being asked for has no object yet */
  if (process == NULL || (*exec_id != '\0' && vp_process_get_state (process) == VP_PROCESS_CREATED))
    {
      vp_dbus_fail (invocation, g_error_new (VP_ERROR, VP_ERROR_NOT_FOUND,
                                             "exec id \"%s\": container \"%s\" has no such process", exec_id,
                                             vp_container_get_id (user_data)));
      return TRUE;
    }
  path = vp_dbus_path_process (vp_sandbox_get_id (sandbox_of (skeleton)), vp_container_get_id (user_data), exec_id);
  vp_dbus_container1_complete_get_process (skeleton, invocation, path);
  return TRUE;
}

/* ---- properties ---- */

static void
mirror (VpContainer *container, gpointer user_data)
{
  VpDBusContainer1 *skeleton = user_data;
  VpProcess *init = vp_container_get_init (container);

  vp_dbus_container1_set_exit_status (skeleton, vp_process_get_exit_status (init));
  vp_dbus_container1_set_exited_at (skeleton, (guint64) vp_process_get_exited_at (init));
  vp_dbus_container1_set_started_at (skeleton, (guint64) vp_container_get_started_at (container));
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
  VpDBusContainer1 *skeleton = vp_dbus_container1_skeleton_new ();
  g_autofree char *sandbox_path = vp_dbus_path_sandbox (vp_sandbox_get_id (sandbox));

  g_object_set_data_full (G_OBJECT (skeleton), "sandbox", g_object_ref (sandbox), g_object_unref);
  vp_dbus_handle (skeleton, "handle-start", handle_start, container);
  vp_dbus_handle (skeleton, "handle-kill", handle_kill, container);
  vp_dbus_handle (skeleton, "handle-wait", handle_wait, container);
  vp_dbus_handle (skeleton, "handle-delete", handle_delete, container);
  vp_dbus_handle (skeleton, "handle-exec", handle_exec, container);
  vp_dbus_handle (skeleton, "handle-attach", handle_attach, container);
  vp_dbus_handle (skeleton, "handle-get-state", handle_get_state, container);
  vp_dbus_handle (skeleton, "handle-get-process", handle_get_process, container);

  vp_dbus_container1_set_id (skeleton, vp_container_get_id (container));
  vp_dbus_container1_set_sandbox (skeleton, sandbox_path);
  vp_dbus_container1_set_bundle (skeleton, vp_spec_get_bundle (vp_container_get_spec (container)));
  vp_dbus_container1_set_terminal (skeleton, vp_spec_get_terminal (vp_container_get_spec (container)));
  vp_dbus_container1_set_created_at (skeleton, (guint64) vp_container_get_created_at (container));
  mirror (container, skeleton);
  g_signal_connect_object (container, "changed", G_CALLBACK (mirror), skeleton, 0);
  g_signal_connect_object (container, "exited", G_CALLBACK (on_exited), skeleton, 0);
  return skeleton;
}
