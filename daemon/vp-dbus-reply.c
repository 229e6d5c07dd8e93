/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus-reply.h"

#include "vp-dbus-job.h"
#include "vp-error.h"
#include "vp-log.h"

void
vp_dbus_fail (GDBusMethodInvocation *invocation, GError *error)
{
  g_autoptr (GError) ours = vp_error_adopt (error, VP_ERROR_FAILED);

  ours->message = vp_error_clean (ours->message);
  vp_dbus_job_set_error (invocation, ours);
  vp_info (NULL, NULL, "%s.%s: %s", g_dbus_method_invocation_get_interface_name (invocation),
           g_dbus_method_invocation_get_method_name (invocation), ours->message);
  g_dbus_method_invocation_return_gerror (invocation, ours);
}

void
vp_dbus_reply_done (GDBusMethodInvocation *invocation, GError *error)
{
  if (error != NULL)
    vp_dbus_fail (invocation, error);
  else
    g_dbus_method_invocation_return_value (invocation, NULL);
}

void
vp_dbus_reply_exit (GDBusMethodInvocation *invocation, guint status, gint64 exited_at, GError *error)
{
  if (error != NULL)
    vp_dbus_fail (invocation, error);
  else
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(ut)", status, (guint64)exited_at));
}

static void
on_caller_vanished (GDBusConnection *connection, const char *name, gpointer user_data)
{
  g_cancellable_cancel (user_data);
}

static void
on_connection_closed (GDBusConnection *connection, gboolean vanished, GError *error, gpointer invocation)
{
  g_cancellable_cancel (g_object_get_data (invocation, "caller-cancellable"));
}

static void
unwatch_caller (gpointer id)
{
  g_bus_unwatch_name (GPOINTER_TO_UINT (id));
}

static gboolean
is_bus (GDBusConnection *connection)
{
  return (g_dbus_connection_get_flags (connection) & G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION) != 0;
}

GCancellable *
vp_dbus_watch_caller (GDBusMethodInvocation *invocation)
{
  GDBusConnection *connection = g_dbus_method_invocation_get_connection (invocation);
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  GCancellable *cancellable = g_object_get_data (G_OBJECT (invocation), "caller-cancellable");
  guint id;

  if (cancellable != NULL)
    return cancellable; /* watched already, when it was decided whether the caller may */
  cancellable = g_cancellable_new ();
  g_object_set_data_full (G_OBJECT (invocation), "caller-cancellable", cancellable, g_object_unref);
  if (!is_bus (connection))
    {
      g_signal_connect_object (connection, "closed", G_CALLBACK (on_connection_closed), invocation, 0);
      return cancellable;
    }
  id = g_bus_watch_name_on_connection (connection, sender, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL,
                                       on_caller_vanished, g_object_ref (cancellable), g_object_unref);
  g_object_set_data_full (G_OBJECT (invocation), "caller-watch", GUINT_TO_POINTER (id), unwatch_caller);
  return cancellable;
}

VP_DBUS_EXIT_CALLBACK (on_process_waited, VP_PROCESS, vp_process_wait_finish)

void
vp_dbus_wait_process (GDBusMethodInvocation *invocation, VpProcess *process)
{
  vp_process_wait_async (process, vp_dbus_watch_caller (invocation), on_process_waited, invocation);
}
