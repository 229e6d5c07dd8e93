/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-bouncer-polkit.h"

#include "vp-error.h"
#include "vp-names.h"

#define ALLOW_USER_INTERACTION 1u
#define TIMEOUT_MS 25000
#define INTERACTIVE_TIMEOUT_MS (5 * 60 * 1000) /* a person types a password, or has left */

static guint64 last_cancellation;

/* data of the task: the cancellation id, empty when the check is not interactive */
static void
on_checked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GDBusConnection *bus = G_DBUS_CONNECTION (source);
  const char *id = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (bus, result, &error);
  gboolean yes = FALSE, challenge = FALSE;

  if (reply != NULL)
    {
      g_variant_get (reply, "((bb@a{ss}))", &yes, &challenge, NULL);
      if (yes)
        g_task_return_boolean (task, TRUE);
      else
        g_task_return_new_error (task, VP_ERROR, VP_ERROR_NOT_AUTHORIZED, "%s",
                                 challenge ? "it needs authentication and the call does not allow to ask"
                                           : "polkit refuses it");
      return;
    }
  /* the prompt outlives the question unless it is withdrawn */
  if (id[0] != '\0')
    g_dbus_connection_call (bus, VP_POLKIT_NAME, VP_POLKIT_PATH, VP_POLKIT_IFACE, "CancelCheckAuthorization",
                            g_variant_new ("(s)", id), NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL,
                            NULL);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_task_return_new_error (task, VP_ERROR, VP_ERROR_CANCELLED, "the caller has gone");
      return;
    }
  g_dbus_error_strip_remote_error (error);
  g_task_return_new_error (task, VP_ERROR, VP_ERROR_NOT_AUTHORIZED, "polkit cannot be asked (%s)",
                           error->message);
}

void
vp_polkit_check_async (GDBusConnection *bus, const char *name, const char *action_id, gboolean interactive,
                       GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  char *id
      = interactive ? g_strdup_printf ("virtpod-%" G_GUINT64_FORMAT, ++last_cancellation) : g_strdup ("");
  GVariantBuilder subject;

  g_task_set_check_cancellable (task, FALSE); /* the reply says it, after the prompt was taken away */
  g_task_set_task_data (task, id, g_free);
  g_variant_builder_init (&subject, G_VARIANT_TYPE ("a{sv}"));
  g_variant_builder_add (&subject, "{sv}", "name", g_variant_new_string (name));
  g_dbus_connection_call (bus, VP_POLKIT_NAME, VP_POLKIT_PATH, VP_POLKIT_IFACE, "CheckAuthorization",
                          g_variant_new ("((sa{sv})sa{ss}us)", "system-bus-name", &subject, action_id, NULL,
                                         interactive ? ALLOW_USER_INTERACTION : 0u, id),
                          G_VARIANT_TYPE ("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE,
                          interactive ? INTERACTIVE_TIMEOUT_MS : TIMEOUT_MS, cancellable, on_checked, task);
}

gboolean
vp_polkit_check_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
