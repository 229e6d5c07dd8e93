/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod run: a bundle from nothing to its exit status, and nothing left. */
#include "config.h"

#include <glib/gi18n.h>
#include <unistd.h>

#include "vp-command.h"
#include "vp-create.h"
#include "vp-error.h"
#include "vp-mount-option.h"
#include "vp-names.h"
#include "vp-oci-options.h"
#include "vp-progress.h"
#include "vp-relay.h"
#include "vp-signals.h"
#include "vp-standin.h"
#include "vp-tty.h"

static char *opt_bundle;
static char *opt_handler;
static char *opt_network;
static gboolean opt_detach;
static gboolean opt_keep;
static gboolean opt_timings;

static const GOptionEntry options[] = {
  { "bundle", 'b', 0, G_OPTION_ARG_FILENAME, &opt_bundle,
    N_("OCI bundle to run (default: the current directory)"), N_("DIR") },
  { "detach", 'd', 0, G_OPTION_ARG_NONE, &opt_detach,
    N_("Return when it runs; its output is kept for whoever attaches"), NULL },
  { "keep", 'k', 0, G_OPTION_ARG_NONE, &opt_keep, N_("Do not delete the container when it has ended"),
    NULL },
  { "handler", 'H', 0, G_OPTION_ARG_STRING, &opt_handler,
    N_("Runtime handler of the daemon's configuration"), N_("NAME") },
  { "network", 0, 0, G_OPTION_ARG_STRING, &opt_network,
    N_("Its network: user (without any set-up), none, or another network.model"), N_("MODEL") },
  { "timings", 0, 0, G_OPTION_ARG_NONE, &opt_timings,
    N_("Print on stderr how long each stage of the start took"), NULL },
  VP_OCI_OPTION_PID_FILE,
  VP_OCI_OPTION_CONSOLE_SOCKET,
  VP_OCI_OPTION_PRESERVE_FDS,
  VP_OCI_OPTIONS_WITHOUT_MEANING,
  { NULL },
};

typedef struct
{
  VpClient *client; /* borrowed */
  const char *id;
  VpRelay *relay; /* NULL: detached */
  VpSignals *signals;
  GCancellable *starting; /* cancelled by a signal that comes before there is a process to get it */
  int ended_by;           /* that signal */
  gboolean running;
  VpDBusSandbox1 *sandbox;
  VpDBusContainer1 *container;
  VpDBusProcess1 *process;
  GVariant *stages;
} Run;

static void
run_clear (Run *self)
{
  vp_signals_free (self->signals);
  vp_relay_free (self->relay);
  g_clear_object (&self->starting);
  g_clear_object (&self->sandbox);
  g_clear_object (&self->container);
  g_clear_object (&self->process);
  g_clear_pointer (&self->stages, g_variant_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static const char *
object_path (gpointer proxy)
{
  return g_dbus_proxy_get_object_path (G_DBUS_PROXY (proxy));
}

static void
on_signal (int signo, gpointer user_data)
{
  Run *self = user_data;
  const char *name = vp_signals_get_name (signo);
  int terminal = self->relay != NULL ? vp_relay_get_terminal (self->relay) : -1;

  if (name == NULL)
    {
      if (terminal >= 0 && signo == SIGCONT)
        (void) vp_tty_set_raw (terminal);
      if (terminal >= 0 && self->process != NULL)
        vp_tty_update_size (terminal, self->process);
    }
  else if (self->running)
    {
      /* it may have ended meanwhile: Wait tells */
      vp_dbus_container1_call_kill (self->container, name, vp_command_force_options (FALSE), NULL, NULL,
                                    NULL);
    }
  else if (vp_signals_ends (signo))
    {
      self->ended_by = signo;
      g_cancellable_cancel (self->starting);
    }
}

static gboolean
create (Run *self, GError **error)
{
  VpDBusManager1 *manager = vp_client_get_manager (self->client, error);
  g_autofree char *bundle = g_canonicalize_filename (opt_bundle != NULL ? opt_bundle : ".", NULL);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autofree char *sandbox = NULL;
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  if (manager == NULL)
    return FALSE;
  if (opt_handler != NULL)
    g_variant_builder_add (&builder, "{sv}", "handler", g_variant_new_string (opt_handler));
  if (opt_network != NULL)
    g_variant_builder_add (&builder, "{sv}", "network", g_variant_new_string (opt_network));
  if ((self->relay != NULL && !vp_relay_add_options (self->relay, &builder, fds, error))
      || !vp_mount_option_add (&builder, fds, error))
    return FALSE;

  /* not cancellable: whether there is something to undo must be known */
  vp_dbus_manager1_call_create_sandbox (manager, self->id, bundle, g_variant_builder_end (&builder), fds,
                                        NULL, vp_client_ready, &result);
  if (!vp_dbus_manager1_call_create_sandbox_finish (manager, &sandbox, NULL, vp_client_await (&result),
                                                    error))
    return FALSE;
  self->sandbox = vp_client_open_sandbox (self->client, sandbox, error);
  if (self->sandbox == NULL)
    return FALSE;
  self->container = vp_client_find_container (self->client, self->id, error);
  return self->container != NULL;
}

/* A sandbox that the bundle's annotations made it join runs already. */
static gboolean
start_sandbox (Run *self, GError **error)
{
  g_autoptr (GVariant) properties
      = vp_client_get_properties (self->client, object_path (self->sandbox), VP_IFACE_SANDBOX, error);
  g_autoptr (VpProgress) progress = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  const char *state = NULL;

  if (properties == NULL)
    return FALSE;
  if (!g_variant_lookup (properties, "State", "&s", &state) || !g_str_equal (state, "created"))
    return TRUE;

  progress = vp_progress_new (_("starting virtual machine..."));
  vp_dbus_sandbox1_call_start (self->sandbox, vp_command_force_options (FALSE), self->starting,
                               vp_client_ready, &result);
  return vp_dbus_sandbox1_call_start_finish (self->sandbox, vp_client_await (&result), error);
}

/* Finds out whether the container has a terminal, and gives it ours. */
static gboolean
connect_relay (Run *self, GError **error)
{
  g_autoptr (GVariant) properties
      = vp_client_get_properties (self->client, object_path (self->container), VP_IFACE_CONTAINER, error);
  g_autofree char *path = NULL;
  gboolean terminal = FALSE;

  if (properties == NULL)
    return FALSE;
  (void) g_variant_lookup (properties, "Terminal", "b", &terminal);
  if (terminal)
    {
      if (!vp_dbus_container1_call_get_process_sync (self->container, "", &path, self->starting, error))
        return FALSE;
      self->process = vp_client_open_process (self->client, path, error);
      if (self->process == NULL)
        return FALSE;
    }
  vp_relay_start (self->relay, terminal);
  return TRUE;
}

static gboolean
start_container (Run *self, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  gboolean sized = FALSE;
  int terminal = -1;

  if (self->relay != NULL)
    {
      if (!connect_relay (self, error))
        return FALSE;
      terminal = vp_relay_get_terminal (self->relay);
    }
  /* before the program can ask for it, if the guest's side is that far */
  if (terminal >= 0)
    sized = vp_tty_send_size (terminal, self->process);

  vp_dbus_container1_call_start (self->container, vp_command_force_options (FALSE), self->starting,
                                 vp_client_ready, &result);
  if (!vp_dbus_container1_call_start_finish (self->container, NULL, vp_client_await (&result), error))
    return FALSE;
  self->running = TRUE;
  if (terminal >= 0 && !sized)
    (void) vp_tty_send_size (terminal, self->process);
  return TRUE;
}

static void
remember_stages (Run *self)
{
  g_autoptr (GVariant) properties = NULL;

  if (!opt_timings)
    return;
  properties = vp_client_get_properties (self->client, object_path (self->sandbox), VP_IFACE_SANDBOX, NULL);
  if (properties != NULL)
    self->stages = g_variant_lookup_value (properties, "StartStages", G_VARIANT_TYPE ("a(st)"));
}

static void
print_stages (Run *self)
{
  GVariantIter iter;
  const char *name;
  guint64 usec, total = 0;

  if (self->stages == NULL)
    return;
  g_variant_iter_init (&iter, self->stages);
  while (g_variant_iter_next (&iter, "(&st)", &name, &usec))
    {
      g_printerr ("%-24s %10.1f ms\n", name, (double) usec / 1000);
      total += usec;
    }
  g_printerr ("%-24s %10.1f ms\n", _("total"), (double) total / 1000);
}

/* Nothing stays: the container goes, and with it the sandbox it was alone in. */
static gboolean
delete_container (Run *self, gboolean force, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (self->container == NULL)
    return TRUE;
  vp_dbus_container1_call_delete (self->container, vp_command_force_options (force), NULL, vp_client_ready,
                                  &result);
  return vp_dbus_container1_call_delete_finish (self->container, NULL, NULL, vp_client_await (&result),
                                                error);
}

static int
give_up (const VpCommand *command, Run *self, const GError *error)
{
  g_autoptr (GError) undo_error = NULL;

  if (self->relay != NULL)
    vp_relay_finish (self->relay);
  if (!vp_client_error_is_lost (error) && !delete_container (self, TRUE, &undo_error)
      && !vp_error_is (undo_error, VP_ERROR_NOT_FOUND))
    (void) vp_command_fail (command, self->id, undo_error);
  if (self->ended_by != 0)
    {
      g_printerr (_("virtpod: %s %s: interrupted by SIG%s\n"), command->name, self->id,
                  vp_signals_get_name (self->ended_by));
      return VP_EXIT_SIGNAL + self->ended_by;
    }
  return vp_command_fail (command, self->id, error);
}

/* From here on signals are the container's. */
static int
attend (const VpCommand *command, Run *self)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  guint status = 0;

  vp_dbus_container1_call_wait (self->container, NULL, vp_client_ready, &result);
  if (!vp_dbus_container1_call_wait_finish (self->container, &status, NULL, vp_client_await (&result),
                                            &error))
    return give_up (command, self, error);

  vp_relay_finish (self->relay);
  print_stages (self);
  if (!opt_keep && !delete_container (self, FALSE, &error) && !vp_error_is (error, VP_ERROR_NOT_FOUND))
    (void) vp_command_fail (command, self->id, error);
  return (int) status;
}

/* As other OCI runtimes have it: what was started has our streams and, for the
 * caller to wait for, a process of its own. */
static int
create_and_start (const VpCommand *command, VpClient *client, const char *id)
{
  const VpCreate what = { .bundle = opt_bundle,
                          .handler = opt_handler,
                          .pid_file = vp_oci_options.pid_file,
                          .console_socket = vp_oci_options.console_socket };
  g_autoptr (GError) error = NULL;
  g_autoptr (VpDBusContainer1) container = vp_create (client, id, &what, &error);

  if (container == NULL)
    return vp_command_fail (command, id, error);
  if (vp_dbus_container1_call_start_sync (container, vp_command_force_options (FALSE), NULL, NULL, &error))
    return 0;
  (void) vp_dbus_container1_call_delete_sync (container, vp_command_force_options (TRUE), NULL, NULL, NULL, NULL);
  return vp_command_fail (command, id, error);
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_auto (Run) self = { .client = client, .id = args[0] };
  g_autoptr (GError) error = NULL;

  if (vp_oci_options_check () != NULL)
    return vp_command_usage (command, vp_oci_options_check ());
  if (vp_oci_options.console_socket != NULL && !opt_detach)
    return vp_command_usage (command, _("--console-socket needs --detach"));
  if (opt_detach && (vp_oci_options.pid_file != NULL || vp_oci_options.console_socket != NULL))
    return create_and_start (command, client, self.id);

  vp_signals_block ();
  self.starting = g_cancellable_new ();
  self.signals = vp_signals_new (on_signal, &self, &error);
  if (self.signals == NULL)
    return vp_command_fail (command, self.id, error);
  if (!opt_detach)
    {
      self.relay = vp_relay_new (VP_RELAY_STDIN | VP_RELAY_STDERR, &error);
      if (self.relay == NULL)
        return vp_command_fail (command, self.id, error);
    }

  /* attached, it is this process that passes signals on and ends as the container does */
  if (!create (&self, &error) || !start_sandbox (&self, &error)
      || (vp_oci_options.pid_file != NULL && !vp_standin_write_pid (vp_oci_options.pid_file, getpid (), &error))
      || !start_container (&self, &error))
    return give_up (command, &self, error);
  remember_stages (&self);
  if (!opt_detach)
    return attend (command, &self);

  print_stages (&self);
  g_print ("%s\n", self.id);
  return 0;
}

const VpCommand vp_cmd_run = {
  .name = "run",
  .arguments = N_("ID"),
  .summary = N_("Run the container of an OCI bundle and delete it when it has ended"),
  .min_args = 1,
  .max_args = 1,
  .failure = VP_EXIT_OWN,
  .options = options,
  .run = run,
};
