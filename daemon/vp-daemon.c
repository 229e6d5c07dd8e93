/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-daemon.h"

#include <glib-unix.h>
#include <signal.h>

#include "vp-bouncer.h"
#include "vp-dbus.h"
#include "vp-driver.h"
#include "vp-error.h"
#include "vp-fdstore.h"
#include "vp-listen-fds.h"
#include "vp-log.h"
#include "vp-manager.h"
#include "vp-memory.h"
#include "vp-names.h"
#include "vp-net-file.h"
#include "vp-recovery.h"
#include "vp-sdnotify.h"

/* How many hooks of bundles may run at once; more wait. */
#define HOOK_THREADS 32

typedef struct
{
  const VpDaemonOptions *options;
  GMainLoop *loop;
  VpServices services;
  VpManager *manager;
  VpBouncer *bouncer;
  GDBusConnection *connection;
  VpDbusServer *server;
  GStrv leftovers; /* names an earlier daemon left; until they are put in order */
  gboolean recovering;
  guint name_id;
  guint watchdog;
  gboolean stopping;
  int status;
} Daemon;

static void
fail (Daemon *self, const char *what, const GError *error)
{
  vp_log (G_LOG_LEVEL_CRITICAL, NULL, NULL, "%s: %s", what, error != NULL ? error->message : "failed");
  self->status = 1;
  g_main_loop_quit (self->loop);
}

/* ---- the way down ---- */

static void
on_virt_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Daemon *self = user_data;

  vp_virt_close_finish (VP_VIRT (source), result);
  g_main_loop_quit (self->loop);
}

static void
on_shut_down (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Daemon *self = user_data;

  vp_manager_shutdown_finish (VP_MANAGER (source), result);
  vp_virt_close_async (self->services.virt, on_virt_closed, self);
}

static gboolean
on_signal (gpointer user_data)
{
  Daemon *self = user_data;

  if (self->stopping)
    return G_SOURCE_CONTINUE;
  self->stopping = TRUE;
  (void) vp_sdnotify (VP_SDNOTIFY_STOPPING);
  if (g_str_equal (vp_config_get_string (self->services.config, VP_CONFIG_DAEMON_ON_STOP), "delete"))
    {
      vp_notice (NULL, NULL, "going down, %u sandboxes to delete", vp_manager_get_n_sandboxes (self->manager));
      vp_manager_shutdown_async (self->manager, on_shut_down, self);
      return G_SOURCE_CONTINUE;
    }
  vp_notice (NULL, NULL, "going down, %u sandboxes go on", vp_manager_get_n_sandboxes (self->manager));
  vp_manager_close (self->manager);
  vp_virt_close_async (self->services.virt, on_virt_closed, self);
  return G_SOURCE_CONTINUE;
}

/* ---- another configuration ---- */

/* What is read once: a new value of these has to wait for the next start. */
static void
keep_what_stays (VpConfig *old, VpConfig *new)
{
  static const VpConfigKey keys[] = { VP_CONFIG_DAEMON_STATE_DIR, VP_CONFIG_DAEMON_SOCKET, VP_CONFIG_DAEMON_GROUP,
                                      VP_CONFIG_HYPERVISOR_URI };

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      const char *value = vp_config_get_string (old, keys[i]);

      if (g_str_equal (value, vp_config_get_string (new, keys[i])))
        continue;
      vp_warning (NULL, NULL, "%s: stays \"%s\" until the daemon is started again", vp_config_key_name (keys[i]),
                  value);
      (void) vp_config_override_from (new, keys[i], value, vp_config_get_source (old, keys[i]), NULL);
    }
}

static void
apply (Daemon *self)
{
  VpConfig *config = self->services.config;

  vp_virt_set_wait (self->services.virt, (guint) vp_config_get_uint (config, VP_CONFIG_HYPERVISOR_WAIT_MS));
  vp_container_set_request_timeout ((guint) vp_config_get_uint (config, VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS));
}

/* What is under way keeps what it has: configurations are never changed, only replaced. */
static gboolean
reload (gpointer user_data, GError **error)
{
  Daemon *self = user_data;
  VpConfig *config;
  guint64 now = (guint64) g_get_monotonic_time ();
  g_autofree char *reloading = g_strdup_printf (VP_SDNOTIFY_RELOADING "\nMONOTONIC_USEC=%" G_GUINT64_FORMAT, now);

  (void) vp_sdnotify (reloading);
  config = self->options->load (self->options->load_data, error);
  if (config != NULL)
    {
      keep_what_stays (self->services.config, config);
      (void) vp_log_set_level (vp_config_get_string (config, VP_CONFIG_DAEMON_LOG_LEVEL));
      vp_config_unref (self->services.config);
      self->services.config = config;
      apply (self);
      vp_bouncer_set_config (self->bouncer, config);
      vp_manager_config_changed (self->manager);
      vp_notice (NULL, NULL, "configuration read again");
    }
  (void) vp_sdnotify (VP_SDNOTIFY_READY);
  return config != NULL;
}

static gboolean
on_hangup (gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (!reload (user_data, &error))
    vp_log (G_LOG_LEVEL_CRITICAL, NULL, NULL, "configuration not read again: %s", error->message);
  return G_SOURCE_CONTINUE;
}

/* ---- the bus ---- */

static void
on_name_acquired (GDBusConnection *connection, const char *name, gpointer user_data)
{
  vp_notice (NULL, NULL, "serving %s", name);
  (void) vp_sdnotify (VP_SDNOTIFY_READY);
}

/* A name that is lost later (the bus restarts) is no reason to leave the
 * virtual machines alone; one that cannot be had at the start is. */
static void
on_name_lost (GDBusConnection *connection, const char *name, gpointer user_data)
{
  Daemon *self = user_data;
  g_autoptr (GError) error = g_error_new (VP_ERROR, VP_ERROR_BUSY, "another process has it, or the bus refuses it");

  if (connection == NULL || g_dbus_connection_is_closed (connection))
    vp_warning (NULL, NULL, "the bus is gone");
  else
    fail (self, name, error);
}

/* A socket of the service manager's has the name of its unit's FileDescriptorName=. */
static gboolean
listen_for_peers (Daemon *self, GError **error)
{
  const char *socket = vp_config_get_string (self->services.config, VP_CONFIG_DAEMON_SOCKET);
  int fd = vp_listen_fds_take (VP_FILE_SOCKET);
  g_autofree char *path
      = g_canonicalize_filename (socket, vp_config_get_string (self->services.config, VP_CONFIG_DAEMON_STATE_DIR));

  if (fd < 0 && socket[0] == '\0')
    return TRUE;
  return vp_dbus_server_listen (self->server, fd, path, error);
}

static void
serve (Daemon *self)
{
  g_autoptr (GError) error = NULL;

  self->server = vp_dbus_server_new (self->connection, self->manager, self->bouncer, &error);
  if (self->server == NULL)
    {
      fail (self, "D-Bus objects", error);
      return;
    }
  vp_dbus_server_set_reload (self->server, reload, self);
  if (!listen_for_peers (self, &error))
    {
      fail (self, "private connections", error);
      return;
    }
  vp_memory_settle ();
  self->name_id = g_bus_own_name_on_connection (self->connection, VP_BUS_NAME, G_BUS_NAME_OWNER_FLAGS_NONE,
                                                on_name_acquired, on_name_lost, self, NULL);
}

static GDBusConnection *
connect_bus (const VpDaemonOptions *options, GError **error)
{
  g_autofree char *address = NULL;

  switch (options->bus)
    {
    case VP_BUS_ADDRESS:
      address = g_strdup (options->address);
      break;
    case VP_BUS_SESSION:
      address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SESSION, NULL, error);
      break;
    default:
      address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, error);
    }
  if (address == NULL)
    return NULL;
  return g_dbus_connection_new_for_address_sync (
      address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL,
      NULL, error);
}

/* A sandbox or a container came or went, and with it what was read and built for that. */
static void
on_changed (VpManager *manager, gpointer user_data)
{
  vp_memory_settle ();
}

/* ---- libvirt ---- */

static void
on_recovered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Daemon *self = user_data;
  g_autoptr (GError) error = NULL;

  self->recovering = FALSE;
  if (vp_recovery_run_finish (result, NULL, NULL, &error))
    {
      g_clear_pointer (&self->leftovers, g_strfreev);
      vp_fdstore_drop_rest ();
    }
  else
    vp_warning (NULL, NULL, "what an earlier daemon left is looked at later: %s", error->message);
  if (self->server == NULL && !self->stopping)
    serve (self);
}

static void
recover (Daemon *self)
{
  if (self->leftovers == NULL || self->recovering || vp_virt_get_state (self->services.virt) != VP_VIRT_CONNECTED)
    return;
  self->recovering = TRUE;
  vp_recovery_run_async (self->manager, (const char *const *) self->leftovers, on_recovered, self);
}

static void
on_virt_state (VpVirt *virt, gpointer user_data)
{
  Daemon *self = user_data;

  vp_info (NULL, NULL, "libvirt at %s: %s", vp_virt_get_uri (virt),
           vp_virt_state_to_string (vp_virt_get_state (virt)));
  if (self->server != NULL)
    recover (self);
}

/* Without libvirt the daemon serves all the same and says HypervisorUnavailable. */
static void
on_virt_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Daemon *self = user_data;
  g_autoptr (GError) error = NULL;

  if (vp_virt_open_finish (VP_VIRT (source), result, &error))
    {
      const VpFactsInit *facts = vp_facts_get (vp_virt_get_facts (self->services.virt));

      const VpDriver *driver = vp_driver_find (facts->driver);

      if (driver != NULL && driver->runs_guests && !facts->kvm_usable && facts->kvm_reason != NULL)
        vp_warning (NULL, NULL, "no hardware virtualisation (%s): guests are emulated and slow", facts->kvm_reason);
      recover (self);
      return;
    }
  vp_warning (NULL, NULL, "%s; trying again", error->message);
  serve (self);
}

/* ---- start ---- */

static gboolean
on_watchdog (gpointer user_data)
{
  (void) vp_sdnotify (VP_SDNOTIFY_WATCHDOG);
  return G_SOURCE_CONTINUE;
}

static gboolean
set_up (Daemon *self, GError **error)
{
  g_autofree char *directories = NULL;
  VpConfig *config = self->options->config;
  guint64 watchdog_usec = vp_sdnotify_get_watchdog_usec ();

  self->services.config = vp_config_ref (config);
  self->services.store = vp_store_open (vp_config_get_string (config, VP_CONFIG_DAEMON_STATE_DIR), error);
  if (self->services.store == NULL)
    return FALSE;
  self->leftovers = vp_store_list (self->services.store, error);
  if (self->leftovers == NULL)
    return FALSE;
  self->connection = connect_bus (self->options, error);
  if (self->connection == NULL)
    return FALSE;

  self->services.worker = vp_worker_new ("host", VP_WORKER_THREADS);
  self->services.hooks = vp_worker_new ("hook", HOOK_THREADS);
  vp_net_file_start ();
  self->services.virt = vp_virt_new (vp_config_get_string (config, VP_CONFIG_HYPERVISOR_URI));
  directories = vp_store_dup_directory (self->services.store, "");
  vp_virt_set_directories (self->services.virt, directories);
  apply (self);
  self->manager = vp_manager_new (&self->services);
  g_signal_connect (self->manager, "changed", G_CALLBACK (on_changed), NULL);
  self->bouncer = vp_bouncer_new (self->connection, config);
  g_signal_connect (self->services.virt, "state-changed", G_CALLBACK (on_virt_state), self);
  if (watchdog_usec > 0)
    self->watchdog = g_timeout_add ((guint) (watchdog_usec / 1000), on_watchdog, NULL);
  return TRUE;
}

static gboolean
open_virt (gpointer user_data)
{
  Daemon *self = user_data;

  vp_virt_open_async (self->services.virt, NULL, on_virt_opened, self);
  return G_SOURCE_REMOVE;
}

static void
tear_down (Daemon *self)
{
  if (self->name_id != 0)
    g_bus_unown_name (self->name_id);
  if (self->watchdog != 0)
    g_source_remove (self->watchdog);
  vp_memory_stop ();
  if (self->services.virt != NULL)
    g_signal_handlers_disconnect_by_data (self->services.virt, self);
  g_clear_object (&self->server);
  if (self->connection != NULL)
    (void) g_dbus_connection_flush_sync (self->connection, NULL, NULL);
  g_clear_object (&self->connection);
  g_clear_object (&self->manager);
  g_clear_object (&self->bouncer);
  g_clear_object (&self->services.virt);
  g_clear_pointer (&self->services.worker, vp_worker_unref);
  g_clear_pointer (&self->services.hooks, vp_worker_unref);
  g_clear_object (&self->services.store);
  g_clear_pointer (&self->services.config, vp_config_unref);
  g_strfreev (self->leftovers);
  g_clear_pointer (&self->loop, g_main_loop_unref);
}

int
vp_daemon_run (const VpDaemonOptions *options)
{
  Daemon self = { .options = options };
  g_autoptr (GError) error = NULL;
  guint on_term, on_int, on_hup;

  signal (SIGPIPE, SIG_IGN);
  self.loop = g_main_loop_new (NULL, FALSE);
  if (!set_up (&self, &error))
    {
      vp_log (G_LOG_LEVEL_CRITICAL, NULL, NULL, "%s", error->message);
      tear_down (&self);
      return 1;
    }
  on_term = g_unix_signal_add (SIGTERM, on_signal, &self);
  on_int = g_unix_signal_add (SIGINT, on_signal, &self);
  on_hup = g_unix_signal_add (SIGHUP, on_hangup, &self);
  g_idle_add (open_virt, &self); /* libvirt needs the loop to run */
  g_main_loop_run (self.loop);
  g_source_remove (on_term);
  g_source_remove (on_int);
  g_source_remove (on_hup);
  tear_down (&self);
  return self.status;
}
