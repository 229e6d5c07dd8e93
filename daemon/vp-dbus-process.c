/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus.h"

#include "vp-dbus-guard.h"
#include "vp-error.h"
#include "vp-signal.h"

/* org.virtpod.Process1 */

static gboolean
handle_wait (VpDBusProcess1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  vp_dbus_wait_process (invocation, user_data);
  return TRUE;
}

VP_DBUS_DONE_CALLBACK (on_killed, VP_PROCESS, vp_process_kill_finish)

static gboolean
handle_kill (VpDBusProcess1 *skeleton, GDBusMethodInvocation *invocation, const char *text, gpointer user_data)
{
  GError *error = NULL;
  int signum;

  if (vp_signal_parse (text, &signum, &error))
    vp_process_kill_async (user_data, signum, FALSE, vp_container_get_request_timeout (), on_killed, invocation);
  else
    vp_dbus_fail (invocation, error);
  return TRUE;
}

VP_DBUS_DONE_CALLBACK (on_resized, VP_PROCESS, vp_process_resize_finish)

static gboolean
handle_resize_tty (VpDBusProcess1 *skeleton, GDBusMethodInvocation *invocation, guint16 columns, guint16 rows,
                   gpointer user_data)
{
  if (columns == 0 || rows == 0)
    vp_dbus_fail (invocation, g_error_new (VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                                           "size %u x %u: columns and rows are 1 or more", columns, rows));
  else
    vp_process_resize_async (user_data, columns, rows, vp_container_get_request_timeout (), on_resized, invocation);
  return TRUE;
}

VP_DBUS_DONE_CALLBACK (on_stdin_closed, VP_STDIO, vp_stdio_close_stdin_finish)

static gboolean
handle_close_stdin (VpDBusProcess1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  VpStdio *stdio = vp_process_get_stdio (user_data);
  GError *error = NULL;

  if (!vp_process_check_verb (user_data, VP_VERB_PROCESS_CLOSE_STDIN, &error))
    vp_dbus_fail (invocation, error);
  else if (stdio == NULL)
    vp_dbus_fail (invocation, g_error_new (VP_ERROR, VP_ERROR_INVALID_STATE,
                                           "close stdin: the container of the process is creating"));
  else
    vp_stdio_close_stdin_async (stdio, NULL, on_stdin_closed, invocation);
  return TRUE;
}

static VpContainer *
container_of (VpDBusProcess1 *skeleton)
{
  return g_object_get_data (G_OBJECT (skeleton), "container");
}

VP_DBUS_DONE_CALLBACK (on_started, VP_CONTAINER, vp_container_start_exec_finish)

static gboolean
handle_start (VpDBusProcess1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  vp_container_start_exec_async (container_of (skeleton), user_data, on_started, invocation);
  return TRUE;
}

static gboolean
handle_delete (VpDBusProcess1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  GError *error = NULL;

  (void) vp_container_delete_exec (container_of (skeleton), user_data, &error);
  vp_dbus_reply_done (invocation, error);
  return TRUE;
}

static void
mirror (VpProcess *process, gpointer user_data)
{
  VpDBusProcess1 *skeleton = user_data;
  VpSandbox *sandbox = g_object_get_data (G_OBJECT (skeleton), "sandbox");

  vp_dbus_process1_set_exit_status (skeleton, vp_process_get_exit_status (process));
  vp_dbus_process1_set_exited_at (skeleton, (guint64) vp_process_get_exited_at (process));
  vp_dbus_process1_set_pid (skeleton, vp_process_get_state (process) == VP_PROCESS_RUNNING
                                          ? (guint32) vp_sandbox_get_hypervisor_pid (sandbox)
                                          : 0);
  vp_dbus_process1_set_state (skeleton, vp_process_state_to_string (vp_process_get_state (process)));
}

VpDBusProcess1 *
vp_dbus_process_new (VpSandbox *sandbox, VpContainer *container, VpProcess *process)
{
  VpDBusProcess1 *skeleton = vp_dbus_guard_new (VP_DBUS_TYPE_PROCESS1_SKELETON);
  g_autofree char *path = vp_dbus_path_container (vp_sandbox_get_id (sandbox), vp_container_get_id (container));

  g_object_set_data_full (G_OBJECT (skeleton), "container", g_object_ref (container), g_object_unref);
  g_object_set_data_full (G_OBJECT (skeleton), "sandbox", g_object_ref (sandbox), g_object_unref);
  vp_dbus_handle (skeleton, "handle-wait", handle_wait, process);
  vp_dbus_handle (skeleton, "handle-kill", handle_kill, process);
  vp_dbus_handle (skeleton, "handle-resize-tty", handle_resize_tty, process);
  vp_dbus_handle (skeleton, "handle-close-stdin", handle_close_stdin, process);
  vp_dbus_handle (skeleton, "handle-start", handle_start, process);
  vp_dbus_handle (skeleton, "handle-delete", handle_delete, process);

  vp_dbus_process1_set_exec_id (skeleton, vp_process_get_exec_id (process));
  vp_dbus_process1_set_container (skeleton, path);
  vp_dbus_process1_set_terminal (skeleton, vp_process_get_terminal (process));
  mirror (process, skeleton);
  g_signal_connect_object (process, "changed", G_CALLBACK (mirror), skeleton, 0);
  return skeleton;
}
