/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus.h"

#include <gio/gunixfdlist.h>
#include <unistd.h>

#include "vp-dbus-args.h"
#include "vp-error.h"

/* What of org.virtpod.Manager1 is about the daemon itself. */

/* ---- Drain ---- */

/* Its invocation waits for the last sandbox to go, or for the end of the draining. */
static void
on_count (VpManager *manager, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;

  if (vp_manager_get_draining (manager) && vp_manager_get_n_sandboxes (manager) > 0)
    return;
  g_signal_handlers_disconnect_by_data (manager, invocation);
  if (vp_manager_get_draining (manager))
    vp_dbus_reply_done (invocation, NULL);
  else
    vp_dbus_fail (invocation,
                  g_error_new (VP_ERROR, VP_ERROR_CANCELLED, "drain: new sandboxes are taken again"));
}

static void
on_caller_gone (GCancellable *cancellable, gpointer user_data)
{
  GDBusMethodInvocation *invocation = user_data;
  VpManager *manager = g_object_get_data (G_OBJECT (invocation), "manager");

  if (g_signal_handlers_disconnect_by_data (manager, invocation) > 0)
    vp_dbus_fail (invocation, g_error_new (VP_ERROR, VP_ERROR_CANCELLED, "drain: the caller has gone"));
}

static void
wait_for_last (VpManager *manager, GDBusMethodInvocation *invocation)
{
  GCancellable *cancellable = vp_dbus_watch_caller (invocation);

  g_object_set_data_full (G_OBJECT (invocation), "manager", g_object_ref (manager), g_object_unref);
  g_signal_connect (manager, "changed", G_CALLBACK (on_count), invocation);
  g_signal_connect_object (cancellable, "cancelled", G_CALLBACK (on_caller_gone), invocation, 0);
  on_count (manager, invocation);
}

static gboolean
handle_drain (VpDBusManager1 *skeleton, GDBusMethodInvocation *invocation, GVariant *options,
              gpointer user_data)
{
  static const VpDbusOption table[] = { { "off", "b" }, { "wait", "b" }, { NULL } };
  gboolean off;
  GError *error = NULL;

  if (!vp_dbus_args_check (options, table, &error))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  off = vp_dbus_args_get_flag (options, "off");
  if (off && vp_dbus_args_get_flag (options, "wait"))
    {
      vp_dbus_fail (invocation, g_error_new (VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                                             "option \"wait\": there is nothing to wait for with \"off\""));
      return TRUE;
    }
  vp_manager_set_draining (user_data, !off);
  if (vp_dbus_args_get_flag (options, "wait"))
    wait_for_last (user_data, invocation);
  else
    vp_dbus_manager1_complete_drain (skeleton, invocation);
  return TRUE;
}

/* ---- Reload ---- */

static gboolean
handle_reload (VpDBusManager1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  GError *error = NULL;

  (void) vp_dbus_server_reload (vp_dbus_server_of (invocation), &error);
  vp_dbus_reply_done (invocation, error);
  return TRUE;
}

/* ---- OpenPrivateConnection ---- */

static gboolean
handle_open_private_connection (VpDBusManager1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fds,
                                GVariant *options, gpointer user_data)
{
  static const VpDbusOption none[] = { { NULL } };
  g_autoptr (GUnixFDList) list = NULL;
  GError *error = NULL;
  int fd;

  if (!vp_dbus_args_check (options, none, &error)
      || (fd = vp_dbus_server_open_private (vp_dbus_server_of (invocation), invocation, &error)) < 0)
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  list = g_unix_fd_list_new_from_array (&fd, 1);
  vp_dbus_manager1_complete_open_private_connection (skeleton, invocation, list, g_variant_new_handle (0));
  return TRUE;
}

static void
mirror (VpManager *manager, gpointer skeleton)
{
  vp_dbus_manager1_set_draining (skeleton, vp_manager_get_draining (manager));
  vp_dbus_manager1_set_runtime_handlers (skeleton, vp_manager_get_handlers (manager));
}

void
vp_dbus_admin_bind (VpDBusManager1 *skeleton, VpManager *manager)
{
  vp_dbus_handle (skeleton, "handle-drain", handle_drain, manager);
  vp_dbus_handle (skeleton, "handle-reload", handle_reload, manager);
  vp_dbus_handle (skeleton, "handle-open-private-connection", handle_open_private_connection, manager);
  mirror (manager, skeleton);
  g_signal_connect_object (manager, "changed", G_CALLBACK (mirror), skeleton, 0);
}
