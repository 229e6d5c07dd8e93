/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod exec: a further process in a container that runs. */
#include "config.h"

#include <fcntl.h>
#include <glib/gi18n.h>

#include "vp-command.h"
#include "vp-error.h"
#include "vp-fd.h"
#include "vp-oci-options.h"
#include "vp-relay.h"
#include "vp-signals.h"
#include "vp-standin.h"
#include "vp-tty.h"

static gboolean opt_tty;
static gboolean opt_interactive;
static gboolean opt_detach;
static char **opt_env;
static char *opt_cwd;
static char *opt_user;
static char *opt_process;

/* as much as the daemon takes */
#define PROCESS_MAX (1u << 20)

static const GOptionEntry options[] = {
  { "tty", 't', 0, G_OPTION_ARG_NONE, &opt_tty, N_("Give the command a terminal"), NULL },
  { "interactive", 'i', 0, G_OPTION_ARG_NONE, &opt_interactive,
    N_("Connect stdin (default: the command reads nothing)"), NULL },
  { "env", 'e', 0, G_OPTION_ARG_STRING_ARRAY, &opt_env,
    N_("Set an environment variable, NAME=VALUE; may be repeated"), N_("VARIABLE") },
  { "cwd", 'w', 0, G_OPTION_ARG_STRING, &opt_cwd, N_("Working directory in the container"), N_("DIR") },
  { "user", 'u', 0, G_OPTION_ARG_STRING, &opt_user, N_("Numeric user, or user and group, UID[:GID]"),
    N_("USER") },
  { "detach", 'd', 0, G_OPTION_ARG_NONE, &opt_detach,
    N_("Return when the command runs; its output is dropped"), NULL },
  { "process", 'p', 0, G_OPTION_ARG_FILENAME, &opt_process,
    N_("Read the command, and all about it, from the OCI process object in FILE"), N_("FILE") },
  VP_OCI_OPTION_PID_FILE,
  VP_OCI_OPTION_CONSOLE_SOCKET,
  VP_OCI_OPTION_PRESERVE_FDS,
  VP_OCI_OPTIONS_WITHOUT_MEANING,
  { NULL },
};

typedef struct
{
  VpRelay *relay;     /* NULL: there is a stand-in */
  VpStandin *standin; /* NULL: there is a relay */
  VpSignals *signals;
  VpDBusContainer1 *container;
  VpDBusProcess1 *process;
  int early; /* a signal that came before there was a process to get it */
} Exec;

static void
exec_clear (Exec *self)
{
  vp_signals_free (self->signals);
  vp_relay_free (self->relay);
  vp_standin_free (self->standin);
  g_clear_object (&self->container);
  g_clear_object (&self->process);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Exec, exec_clear)

static void
on_signal (int signo, gpointer user_data)
{
  Exec *self = user_data;
  const char *name = vp_signals_get_name (signo);
  int terminal = vp_relay_get_terminal (self->relay);

  if (name == NULL)
    {
      if (terminal >= 0 && signo == SIGCONT)
        (void) vp_tty_set_raw (terminal);
      if (terminal >= 0 && self->process != NULL)
        vp_tty_update_size (terminal, self->process);
    }
  else if (self->process != NULL)
    vp_dbus_process1_call_kill (self->process, name, NULL, NULL, NULL);
  else
    self->early = signo;
}

static GVariant *
make_options (Exec *self, GUnixFDList *fds, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  if (opt_env != NULL)
    g_variant_builder_add (&builder, "{sv}", "env", g_variant_new_strv ((const char *const *) opt_env, -1));
  if (opt_cwd != NULL)
    g_variant_builder_add (&builder, "{sv}", "cwd", g_variant_new_string (opt_cwd));
  if (opt_user != NULL)
    g_variant_builder_add (&builder, "{sv}", "user", g_variant_new_string (opt_user));
  if (opt_tty && opt_process == NULL)
    g_variant_builder_add (&builder, "{sv}", "terminal", g_variant_new_boolean (TRUE));
  if (!(self->standin != NULL ? vp_standin_add_options (self->standin, &builder, fds, error)
                              : vp_relay_add_options (self->relay, &builder, fds, error)))
    return NULL;
  return g_variant_builder_end (&builder);
}

static char *
read_process (GError **error)
{
  VP_AUTO_FD fd = vp_fd_open (opt_process, O_RDONLY, "--process", error);
  g_autofree char *json = fd < 0 ? NULL : vp_fd_read_all (fd, PROCESS_MAX, opt_process, NULL, error);

  if (json == NULL || g_utf8_validate (json, -1, NULL))
    return g_steal_pointer (&json);
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, _("%s: is not UTF-8 text"), opt_process);
  return NULL;
}

static gboolean
call_exec (Exec *self, char **args, char **ret_path, GError **error)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autofree char *json = opt_process != NULL ? read_process (error) : NULL;
  GVariant *dict = opt_process != NULL && json == NULL ? NULL : make_options (self, fds, error);

  if (dict == NULL)
    return FALSE;
  if (json != NULL)
    {
      vp_dbus_container1_call_exec_process_spec (self->container, "", json, dict, fds, NULL, vp_client_ready, &result);
      return vp_dbus_container1_call_exec_process_spec_finish (self->container, ret_path, NULL,
                                                               vp_client_await (&result), error);
    }
  vp_dbus_container1_call_exec (self->container, "", (const char *const *) args, dict, fds, NULL, vp_client_ready,
                                &result);
  return vp_dbus_container1_call_exec_finish (self->container, ret_path, NULL, vp_client_await (&result), error);
}

static gboolean
start (Exec *self, VpClient *client, char **args, GError **error)
{
  g_autofree char *path = NULL;

  if (!call_exec (self, args, &path, error))
    return FALSE;
  if (self->standin != NULL)
    return vp_standin_attend (self->standin, client, path, NULL, vp_oci_options.pid_file, error);
  self->process = vp_client_open_process (client, path, error);
  return self->process != NULL;
}

static gboolean
attend (Exec *self, guint *ret_status, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  int terminal;

  vp_relay_start (self->relay, opt_tty);
  terminal = vp_relay_get_terminal (self->relay);
  if (terminal >= 0)
    (void) vp_tty_send_size (terminal, self->process);
  if (self->early != 0)
    on_signal (self->early, self);

  vp_dbus_process1_call_wait (self->process, NULL, vp_client_ready, &result);
  if (!vp_dbus_process1_call_wait_finish (self->process, ret_status, NULL, vp_client_await (&result), error))
    return FALSE;
  vp_relay_finish (self->relay);
  return TRUE;
}

/* A detached command's output goes where nobody reads it. */
static VpRelay *
new_relay (GError **error)
{
  VpRelayFlags flags = 0;

  if (opt_interactive || (opt_process != NULL && !opt_detach))
    flags |= VP_RELAY_STDIN;
  if (!opt_tty)
    flags |= VP_RELAY_STDERR;
  return vp_relay_new (flags | (opt_detach ? VP_RELAY_NOTHING : 0), error);
}

/* Detached by a container engine, which waits for the stand-in and has its streams. */
static gboolean
wants_standin (void)
{
  return opt_detach
         && (opt_process != NULL || vp_oci_options.pid_file != NULL || vp_oci_options.console_socket != NULL);
}

static gboolean
prepare (Exec *self, GError **error)
{
  if (wants_standin ())
    {
      self->standin = vp_standin_new (vp_oci_options.console_socket, error);
      return self->standin != NULL;
    }
  vp_signals_block ();
  self->relay = new_relay (error);
  if (self->relay == NULL)
    return FALSE;
  self->signals = vp_signals_new (on_signal, self, error);
  return self->signals != NULL;
}

/* What is wrong with the command line, or NULL. */
static const char *
check_options (char **words)
{
  if (vp_oci_options_check () != NULL)
    return vp_oci_options_check ();
  if (opt_detach && opt_interactive)
    return _("--detach and --interactive exclude each other");
  if (!opt_detach && (vp_oci_options.console_socket != NULL || vp_oci_options.pid_file != NULL))
    return _("--console-socket and --pid-file need --detach");
  if (opt_process == NULL && words[0] == NULL)
    return _("an argument is missing");
  if (opt_process != NULL && (words[0] != NULL || opt_env != NULL || opt_cwd != NULL || opt_user != NULL))
    return _("--process excludes a command and what is said about it");
  return NULL;
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_auto (Exec) self = { 0 };
  g_autoptr (GError) error = NULL;
  char **words = args + 1;
  const char *problem;
  guint status = 0;

  /* "exec ID -- COMMAND" is what users of other tools type */
  if (g_strcmp0 (words[0], "--") == 0)
    words++;
  problem = check_options (words);
  if (problem != NULL)
    return vp_command_usage (command, problem);

  if (!prepare (&self, &error))
    return vp_command_fail (command, args[0], error);
  self.container = vp_client_find_container (client, args[0], &error);
  if (self.container == NULL || !start (&self, client, words, &error))
    return vp_command_fail (command, args[0], error);

  if (opt_detach)
    return 0;
  if (!attend (&self, &status, &error))
    {
      vp_relay_finish (self.relay);
      return vp_command_fail (command, args[0], error);
    }
  return (int) status;
}

const VpCommand vp_cmd_exec = {
  .name = "exec",
  .arguments = N_("ID COMMAND [ARGUMENT...]"),
  .summary = N_("Run a command in a container"),
  .min_args = 1,
  .max_args = -1,
  .failure = VP_EXIT_OWN,
  .verbatim = TRUE,
  .needs_running = TRUE,
  .options = options,
  .run = run,
};
