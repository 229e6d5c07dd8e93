/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod port-forward: ports of this host that lead to ports of a sandbox. */
#include "config.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vp-command.h"
#include "vp-error.h"
#include "vp-names.h"
#include "vp-pump.h"

/* What the daemon takes for one sandbox is 64. */
#define MAX_CONNECTIONS 32
#define MAX_PORTS 64

static char **opt_addresses;

static const GOptionEntry options[] = {
  { "address", 'a', 0, G_OPTION_ARG_STRING_ARRAY, &opt_addresses,
    N_("Address of this host to listen on; may be repeated (default: 127.0.0.1 and ::1)"), N_("ADDRESS") },
  { NULL },
};

static const char *const loopback[] = { "127.0.0.1", "::1", NULL };

typedef struct
{
  const VpCommand *command;
  const char *id;
  VpDBusSandbox1 *sandbox;
  GPtrArray *listeners; /* of Listener */
  guint n_connections;
  GCancellable *cancellable; /* of calls, when it ends */
  gboolean ended;
  int status;
} Forward;

typedef struct
{
  Forward *forward;
  GSocket *socket;
  guint source; /* 0: there are as many connections as there may be */
  guint16 port; /* in the guest */
} Listener;

typedef struct
{
  Forward *forward;
  int fd; /* of who connected; -1 once it is pumped */
  guint16 port;
} Connection;

static void
listener_free (gpointer data)
{
  Listener *self = data;

  g_clear_handle_id (&self->source, g_source_remove);
  g_clear_object (&self->socket);
  g_free (self);
}

/* ---- connections ---- */

static void listen_again (Forward *self);

static void
connection_done (Forward *self)
{
  self->n_connections--;
  listen_again (self);
}

static void
on_pumped (VpPump *pump, gpointer user_data)
{
  vp_pump_free (pump);
  connection_done (user_data);
}

static void
on_forwarded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Connection *connection = user_data;
  Forward *self = connection->forward;
  g_autoptr (GVariant) handle = NULL;
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GError) error = NULL;
  int fd = -1;

  if (vp_dbus_sandbox1_call_port_forward_finish (VP_DBUS_SANDBOX1 (source), &handle, &fds, result, &error))
    fd = vp_client_take_fd (fds, handle, &error);
  if (fd >= 0)
    {
      (void) vp_pump_new (connection->fd, fd, on_pumped, self);
      return;
    }
  (void) close (connection->fd);
  /* the next one may find somebody */
  if (!self->ended)
    {
      g_autofree char *text = vp_client_error_text (error);

      g_printerr (_("virtpod: port %u of %s: %s\n"), connection->port, self->id, text);
    }
  connection_done (self);
}

static gboolean
on_connection (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  Listener *listener = user_data;
  Forward *self = listener->forward;
  g_autoptr (GSocket) peer = g_socket_accept (socket, NULL, NULL);
  Connection *connection;
  int fd = peer != NULL ? dup (g_socket_get_fd (peer)) : -1;

  if (fd < 0)
    return G_SOURCE_CONTINUE;
  connection = g_new (Connection, 1);
  *connection = (Connection){ self, fd, listener->port };
  self->n_connections++;
  vp_dbus_sandbox1_call_port_forward (self->sandbox, listener->port, g_variant_new ("a{sv}", NULL), NULL,
                                      self->cancellable, on_forwarded, connection);
  if (self->n_connections < MAX_CONNECTIONS)
    return G_SOURCE_CONTINUE;
  /* the rest waits in the kernel */
  for (guint i = 0; i < self->listeners->len; i++)
    {
      Listener *other = self->listeners->pdata[i];

      if (other != listener)
        g_clear_handle_id (&other->source, g_source_remove);
    }
  listener->source = 0;
  return G_SOURCE_REMOVE;
}

static void
listen_again (Forward *self)
{
  for (guint i = 0; !self->ended && i < self->listeners->len; i++)
    {
      Listener *listener = self->listeners->pdata[i];
      g_autoptr (GSource) source = NULL;

      if (listener->source != 0)
        continue;
      source = g_socket_create_source (listener->socket, G_IO_IN, NULL);
      g_source_set_callback (source, G_SOURCE_FUNC (on_connection), listener, NULL);
      listener->source = g_source_attach (source, NULL);
    }
}

/* ---- listening ---- */

/* HOST:GUEST or PORT. */
static gboolean
parse_ports (const char *text, guint16 *ret_host, guint16 *ret_guest)
{
  const char *colon = strchr (text, ':');
  g_autofree char *first = colon != NULL ? g_strndup (text, (gsize) (colon - text)) : g_strdup (text);
  guint64 host, guest;

  if (!g_ascii_string_to_unsigned (first, 10, colon != NULL ? 0 : 1, G_MAXUINT16, &host, NULL)
      || !g_ascii_string_to_unsigned (colon != NULL ? colon + 1 : first, 10, 1, G_MAXUINT16, &guest, NULL))
    return FALSE;
  *ret_host = (guint16) host;
  *ret_guest = (guint16) guest;
  return TRUE;
}

/* *port 0: any, which it is then. */
static gboolean
listen_on (Forward *self, const char *text, guint16 *port, guint16 guest, GError **error)
{
  g_autoptr (GInetAddress) inet = g_inet_address_new_from_string (text);
  g_autoptr (GSocketAddress) address = inet != NULL ? g_inet_socket_address_new (inet, *port) : NULL;
  g_autoptr (GSocketAddress) local = NULL;
  g_autoptr (GSocket) socket = NULL;
  gboolean v6 = inet != NULL && g_inet_address_get_family (inet) == G_SOCKET_FAMILY_IPV6;
  Listener *listener;

  if (inet == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, _("\"%s\" is not an address"), text);
      return FALSE;
    }
  socket = g_socket_new (g_inet_address_get_family (inet), G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);
  if (socket != NULL && v6)
    (void) g_socket_set_option (socket, IPPROTO_IPV6, IPV6_V6ONLY, 1, NULL);
  if (socket == NULL || !g_socket_bind (socket, address, TRUE, error) || !g_socket_listen (socket, error)
      || (local = g_socket_get_local_address (socket, error)) == NULL)
    {
      g_prefix_error (error, v6 ? "[%s]:%u: " : "%s:%u: ", text, *port);
      return FALSE;
    }
  g_socket_set_blocking (socket, FALSE);
  *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (local));
  listener = g_new0 (Listener, 1);
  listener->forward = self;
  listener->port = guest;
  listener->socket = g_steal_pointer (&socket);
  g_ptr_array_add (self->listeners, listener);
  g_print (v6 ? _("[%s]:%u leads to port %u of %s\n") : _("%s:%u leads to port %u of %s\n"), text, *port, guest,
           self->id);
  return TRUE;
}

/* On the same port of each address. Of the two that nobody asked for one may be
 * missing where the host has only the other family. */
static gboolean
listen_on_all (Forward *self, guint16 port, guint16 guest, GError **error)
{
  const char *const *addresses = opt_addresses != NULL ? (const char *const *) opt_addresses : loopback;

  for (guint i = 0; addresses[i] != NULL; i++)
    {
      g_autoptr (GError) why = NULL;

      if (listen_on (self, addresses[i], &port, guest, &why))
        continue;
      if (opt_addresses == NULL && i > 0 && !g_error_matches (why, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
        continue;
      g_propagate_error (error, g_steal_pointer (&why));
      return FALSE;
    }
  return TRUE;
}

/* ---- the command ---- */

static void
end (Forward *self, int status)
{
  if (self->ended)
    return;
  self->ended = TRUE;
  self->status = status;
  g_cancellable_cancel (self->cancellable);
}

static gboolean
on_signal (gpointer user_data)
{
  end (user_data, 0);
  return G_SOURCE_CONTINUE;
}

static void
on_sandbox_stopped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Forward *self = user_data;
  g_autoptr (GError) error = NULL;

  if (vp_dbus_sandbox1_call_wait_finish (VP_DBUS_SANDBOX1 (source), NULL, NULL, result, &error))
    error = g_error_new (G_IO_ERROR, G_IO_ERROR_CLOSED, _("the sandbox has stopped"));
  if (!self->ended)
    end (self, vp_command_fail (self->command, self->id, error));
}

static gboolean
check_ready (Forward *self, VpClient *client, GError **error)
{
  const char *path = g_dbus_proxy_get_object_path (G_DBUS_PROXY (self->sandbox));
  g_autoptr (GVariant) properties = vp_client_get_properties (client, path, VP_IFACE_SANDBOX, error);
  const char *state = "";

  if (properties == NULL)
    return FALSE;
  (void) g_variant_lookup (properties, "State", "&s", &state);
  if (g_str_equal (state, "ready"))
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE, _("the sandbox is %s"), state);
  return FALSE;
}

static int
forward (Forward *self, int n_ports, char **ports)
{
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < n_ports; i++)
    {
      guint16 host, guest;

      (void) parse_ports (ports[i], &host, &guest); /* it was looked at */
      if (!listen_on_all (self, host, guest, &error))
        return vp_command_fail (self->command, self->id, error);
    }
  (void) fflush (stdout);
  (void) g_unix_signal_add (SIGINT, on_signal, self);
  (void) g_unix_signal_add (SIGTERM, on_signal, self);
  (void) g_unix_signal_add (SIGHUP, on_signal, self);
  vp_dbus_sandbox1_call_wait (self->sandbox, self->cancellable, on_sandbox_stopped, self);
  listen_again (self);
  while (!self->ended)
    g_main_context_iteration (NULL, TRUE);
  return self->status;
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  Forward self = { .command = command, .id = args[0] };
  g_autoptr (GError) error = NULL;
  int status;

  for (int i = 1; i < n_args; i++)
    {
      g_autofree char *message = g_strdup_printf (_("\"%s\" must be HOST:GUEST or PORT, 1 to 65535"), args[i]);
      guint16 host, guest;

      if (!parse_ports (args[i], &host, &guest))
        return vp_command_usage (command, message);
    }
  self.sandbox = vp_client_find_sandbox (client, args[0], &error);
  if (self.sandbox == NULL || !check_ready (&self, client, &error))
    {
      g_clear_object (&self.sandbox);
      return vp_command_fail (command, args[0], error);
    }
  self.listeners = g_ptr_array_new_with_free_func (listener_free);
  self.cancellable = g_cancellable_new ();
  status = forward (&self, n_args - 1, args + 1);
  g_ptr_array_unref (self.listeners);
  g_object_unref (self.cancellable);
  g_object_unref (self.sandbox);
  return status;
}

const VpCommand vp_cmd_port_forward = {
  .name = "port-forward",
  .arguments = N_("SANDBOX HOST:GUEST…"),
  .summary = N_("Lead ports of this host to ports of a sandbox"),
  .min_args = 2,
  .max_args = 1 + MAX_PORTS,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
