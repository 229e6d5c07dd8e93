/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod attach: this terminal for a container that runs without one of somebody's. */
#include "config.h"

#include <glib/gi18n.h>
#include <unistd.h>

#include "vp-command.h"
#include "vp-fd.h"
#include "vp-names.h"
#include "vp-relay.h"
#include "vp-signals.h"
#include "vp-tty.h"

static gboolean opt_no_stdin;
static char *opt_keys;

static const GOptionEntry options[] = {
  { "no-stdin", 0, 0, G_OPTION_ARG_NONE, &opt_no_stdin, N_("Do not connect standard input"), NULL },
  { "detach-keys", 0, 0, G_OPTION_ARG_STRING, &opt_keys,
    N_("Keys that leave the container alone again (default: ctrl-p,ctrl-q; empty: none)"), N_("KEYS") },
  { NULL },
};

typedef struct
{
  VpRelay *relay;
  VpDetach *keys;
  VpSignals *signals;
  VpDBusContainer1 *container;
  VpDBusProcess1 *process;
  GCancellable *waiting; /* cancelled when the keys were typed */
} Attach;

static void
attach_clear (Attach *self)
{
  vp_signals_free (self->signals);
  vp_relay_free (self->relay);
  vp_detach_free (self->keys);
  g_clear_object (&self->container);
  g_clear_object (&self->process);
  g_clear_object (&self->waiting);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Attach, attach_clear)

static gboolean
on_detached (gpointer user_data)
{
  g_cancellable_cancel (((Attach *) user_data)->waiting);
  return G_SOURCE_REMOVE;
}

static void
on_signal (int signo, gpointer user_data)
{
  Attach *self = user_data;
  const char *name = vp_signals_get_name (signo);
  int terminal = self->relay != NULL ? vp_relay_get_terminal (self->relay) : -1;

  if (name != NULL)
    vp_dbus_container1_call_kill (self->container, name, vp_command_force_options (FALSE), NULL, NULL, NULL);
  else if (terminal >= 0)
    {
      if (signo == SIGCONT)
        (void) vp_tty_set_raw (terminal);
      vp_tty_update_size (terminal, self->process);
    }
}

/* -1 where the daemon gave none; FALSE when it said one and did not give it. */
static gboolean
take_end (GVariant *handles, const char *name, GUnixFDList *fds, int *ret, GError **error)
{
  g_autoptr (GVariant) handle = g_variant_lookup_value (handles, name, G_VARIANT_TYPE_HANDLE);

  *ret = -1;
  if (handle == NULL)
    return TRUE;
  *ret = vp_client_take_fd (fds, handle, error);
  return *ret >= 0;
}

static gboolean
make_relay (Attach *self, GVariant *handles, GUnixFDList *fds, gboolean *ret_terminal, GError **error)
{
  VP_AUTO_FD terminal = -1;
  VP_AUTO_FD input = -1;
  VP_AUTO_FD output = -1;
  VP_AUTO_FD error_output = -1;

  if (!take_end (handles, "terminal", fds, &terminal, error) || !take_end (handles, "stdin", fds, &input, error)
      || !take_end (handles, "stdout", fds, &output, error)
      || !take_end (handles, "stderr", fds, &error_output, error))
    return FALSE;
  *ret_terminal = terminal >= 0;
  if (terminal >= 0)
    {
      output = vp_fd_steal (&terminal);
      input = opt_no_stdin ? -1 : dup (output);
    }
  self->relay = vp_relay_new_for_ends (vp_fd_steal (&input), vp_fd_steal (&output), vp_fd_steal (&error_output));
  if (self->keys != NULL)
    vp_relay_watch_keys (self->relay, self->keys, on_detached, self);
  return TRUE;
}

static gboolean
attach (Attach *self, VpClient *client, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GVariant) handles = NULL;
  g_autofree char *path = NULL;
  gboolean terminal = FALSE;

  if (opt_no_stdin)
    g_variant_builder_add (&builder, "{sv}", "stdin", g_variant_new_boolean (FALSE));
  if (!vp_dbus_container1_call_get_process_sync (self->container, "", &path, NULL, error))
    return FALSE;
  self->process = vp_client_open_process (client, path, error);
  if (self->process == NULL
      || !vp_dbus_container1_call_attach_sync (self->container, g_variant_builder_end (&builder), NULL, &handles,
                                               &fds, NULL, error)
      || !make_relay (self, handles, fds, &terminal, error))
    return FALSE;
  vp_relay_start (self->relay, terminal);
  if (vp_relay_get_terminal (self->relay) >= 0)
    (void) vp_tty_send_size (vp_relay_get_terminal (self->relay), self->process);
  return TRUE;
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_auto (Attach) self = { 0 };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  guint status = 0;

  self.keys = vp_detach_new (opt_keys != NULL ? opt_keys : VP_DETACH_DEFAULT);
  if (self.keys == NULL)
    return vp_command_usage (command, _("--detach-keys must be keys such as a or ctrl-x, separated by commas"));
  vp_signals_block ();
  self.waiting = g_cancellable_new ();
  self.container = vp_client_find_container (client, args[0], &error);
  if (self.container != NULL)
    self.signals = vp_signals_new (on_signal, &self, &error);
  if (self.signals == NULL || !attach (&self, client, &error))
    return vp_command_fail (command, args[0], error);

  vp_dbus_container1_call_wait (self.container, self.waiting, vp_client_ready, &result);
  if (!vp_dbus_container1_call_wait_finish (self.container, &status, NULL, vp_client_await (&result), &error))
    {
      gboolean detached = g_cancellable_is_cancelled (self.waiting);

      vp_tty_restore ();
      if (!detached)
        return vp_command_fail (command, args[0], error);
      g_printerr (_("virtpod: attach %s: detached; it goes on running\n"), args[0]);
      return 0;
    }
  vp_relay_finish (self.relay);
  return (int) status;
}

const VpCommand vp_cmd_attach = {
  .name = "attach",
  .arguments = N_("ID"),
  .summary = N_("Connect this terminal to the streams of a container"),
  .min_args = 1,
  .max_args = 1,
  .failure = VP_EXIT_OWN,
  .options = options,
  .run = run,
};
