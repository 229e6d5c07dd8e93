/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-check-private.h"

#include <sys/resource.h>

#include "vp-driver.h"
#include "vp-net-steer.h"

#define POLKIT "org.freedesktop.PolicyKit1"

/* Everything the worker looks at besides the host. */
typedef struct
{
  VpCheck check;
  char *uri;
  char *reason;
  char *no_steering;
  GDBusConnection *connection;
} Question;

const char *
vp_check_status_to_string (VpCheckStatus status)
{
  static const char *const names[] = { "ok", "warning", "error" };

  return names[status];
}

void
vp_check_row_free (VpCheckRow *row)
{
  g_free (row->found);
  g_free (row->hint);
  g_free (row);
}

void
vp_check_add (VpCheck *self, const char *name, VpCheckStatus status, const char *hint, const char *format, ...)
{
  VpCheckRow *row = g_new0 (VpCheckRow, 1);
  va_list args;

  va_start (args, format);
  row->found = g_strdup_vprintf (format, args);
  va_end (args);
  row->name = name;
  row->status = status;
  row->hint = g_strdup (hint);
  g_ptr_array_add (self->rows, row);
}

/* "DRIVER:///…" and "DRIVER+unix:///…" have no host in them. */
gboolean
vp_check_is_local (VpCheck *self)
{
  g_autoptr (GUri) uri = g_uri_parse (self->uri, G_URI_FLAGS_NONE, NULL);
  const char *host = uri == NULL ? NULL : g_uri_get_host (uri);

  return host == NULL || *host == '\0' || g_str_equal (host, "localhost");
}

gboolean
vp_check_runs_guests (VpCheck *self)
{
  const VpDriver *driver = self->facts == NULL ? NULL : vp_driver_find (vp_facts_get (self->facts)->driver);

  return driver == NULL || driver->runs_guests;
}

char *
vp_check_path (VpCheck *self, const char *path)
{
  return g_strconcat (self->root, path, NULL);
}

char *
vp_check_read (VpCheck *self, const char *path)
{
  g_autofree char *there = vp_check_path (self, path);
  char *text = NULL;

  return g_file_get_contents (there, &text, NULL, NULL) ? text : NULL;
}

void
vp_check_everything (VpCheck *self)
{
  vp_check_libvirt (self);
  vp_check_guest_files (self);
  vp_check_state_dir (self);
  vp_check_cgroups (self);
  vp_check_devices (self);
  vp_check_memory (self);
  vp_check_daemon (self);
}

/* ---- in the daemon --------------------------------------------------------------- */

static void
question_free (gpointer data)
{
  Question *self = data;

  g_clear_pointer (&self->check.config, vp_config_unref);
  g_clear_pointer (&self->check.facts, vp_facts_unref);
  g_clear_pointer (&self->check.rows, g_ptr_array_unref);
  g_clear_object (&self->connection);
  g_free (self->uri);
  g_free (self->reason);
  g_free (self->no_steering);
  g_free (self);
}

static gboolean
ask_bus (GDBusConnection *connection, const char *method, GVariant *arguments, const char *type, GVariant **ret)
{
  *ret = g_dbus_connection_call_sync (connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                      "org.freedesktop.DBus", method, arguments, G_VARIANT_TYPE (type),
                                      G_DBUS_CALL_FLAGS_NONE, 5000, NULL, NULL);
  return *ret != NULL;
}

static int
look_for_polkit (GDBusConnection *connection)
{
  g_autoptr (GVariant) owned = NULL;
  g_autoptr (GVariant) startable = NULL;
  g_autofree const char **names = NULL;
  gboolean has_owner = FALSE;

  if (connection == NULL
      || !ask_bus (connection, "NameHasOwner", g_variant_new ("(s)", POLKIT), "(b)", &owned)
      || !ask_bus (connection, "ListActivatableNames", NULL, "(as)", &startable))
    return -1;
  g_variant_get (owned, "(b)", &has_owner);
  g_variant_get (startable, "(^a&s)", &names);
  return has_owner || g_strv_contains (names, POLKIT);
}

static void
check_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  Question *self = task_data;
  g_autoptr (GError) error = NULL;
  struct rlimit limit = { 0 };

  (void) getrlimit (RLIMIT_NOFILE, &limit);
  self->check.nofile = limit.rlim_cur;
  self->check.polkit = look_for_polkit (self->connection);
  if (!vp_net_steer_probe (&error))
    self->check.no_steering = self->no_steering = g_strdup (error->message);
  vp_check_everything (&self->check);
  g_task_return_pointer (task, g_steal_pointer (&self->check.rows), (GDestroyNotify) g_ptr_array_unref);
}

void
vp_check_run_async (const VpServices *services, GDBusConnection *connection, GAsyncReadyCallback callback,
                    gpointer user_data)
{
  Question *self = g_new0 (Question, 1);
  VpFacts *facts = vp_virt_get_facts (services->virt);
  const char *reason = vp_virt_get_reason (services->virt);
  gboolean connected = vp_virt_get_state (services->virt) == VP_VIRT_CONNECTED;

  self->uri = g_strdup (vp_virt_get_uri (services->virt));
  self->reason = connected ? NULL : g_strdup (reason != NULL ? reason : "not connected yet");
  self->connection = connection == NULL ? NULL : g_object_ref (connection);
  self->check = (VpCheck) {
    .root = "",
    .config = vp_config_ref (services->config),
    .facts = facts == NULL ? NULL : vp_facts_ref (facts),
    .uri = self->uri,
    .reason = self->reason,
    .rows = g_ptr_array_new_with_free_func ((GDestroyNotify) vp_check_row_free),
  };
  vp_worker_run_async (services->worker, NULL, vp_check_run_async, check_in_worker, self, question_free, NULL,
                       callback, user_data);
}

GPtrArray *
vp_check_run_finish (GAsyncResult *result)
{
  return g_task_propagate_pointer (G_TASK (result), NULL);
}
