/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus-peer.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixconnection.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "vp-dbus-peer-bus.h"
#include "vp-error.h"
#include "vp-fd.h"
#include "vp-log.h"

#define HANDSHAKE_SECONDS 10
#define CHECK_SECONDS 10  /* a peer reads something in this time, or it is gone */
#define ACCEPT_PAUSE_MS 1000 /* out of descriptors */
#define MAX_GROUPS 1024

struct _VpDbusPeers
{
  VpBouncer *bouncer;
  const VpDbusPeersFuncs *funcs;
  gpointer user_data;
  char *path; /* to be removed at the end; NULL: the service manager's */
  int fd;
  guint source; /* of the listening socket, or the pause */
  guint check;
  guint last_number;
  char *guid;
  GDBusAuthObserver *observer;
  GList *peers; /* of Peer */
};

typedef struct
{
  VpDbusPeers *self; /* NULL when that went during the handshake */
  GSocket *socket;
  GDBusConnection *connection; /* NULL during the handshake */
  GCancellable *cancellable;   /* of the handshake */
  guint timer;                 /* of the handshake */
  VpCaller *caller;            /* until the connection has it */
  guint32 uid;
  VpDbusPeerTraffic *traffic;
  gint seen_messages; /* of it, at the last look */
  guint32 seen_serial;
} Peer;

static gboolean accept_one (int listener, GIOCondition condition, gpointer user_data);

/* ---- one peer ---- */

static void
peer_free (Peer *peer)
{
  if (peer->timer != 0)
    g_source_remove (peer->timer);
  g_clear_object (&peer->connection);
  g_clear_object (&peer->socket);
  g_clear_object (&peer->cancellable);
  vp_caller_free (peer->caller);
  g_atomic_rc_box_release (peer->traffic);
  g_free (peer);
}

static void
forget (Peer *peer)
{
  VpDbusPeers *self = peer->self;

  self->peers = g_list_remove (self->peers, peer);
  vp_bouncer_remove_connection (self->bouncer, peer->uid);
  if (self->peers == NULL)
    g_clear_handle_id (&self->check, g_source_remove);
  peer_free (peer);
}

static void
on_closed (GDBusConnection *connection, gboolean vanished, GError *error, gpointer user_data)
{
  Peer *peer = user_data;

  g_signal_handlers_disconnect_by_data (connection, peer);
  peer->self->funcs->closed (connection, peer->self->user_data);
  vp_debug (NULL, NULL, "private connection of uid %u has ended", peer->uid);
  forget (peer);
}

/* ---- peers that do not read ---- */

static gboolean
is_flushing (const Peer *peer)
{
  return g_object_get_data (G_OBJECT (peer->connection), "flushing") != NULL;
}

static void
on_flushed (GObject *connection, GAsyncResult *result, gpointer user_data)
{
  g_object_set_data (connection, "flushing", NULL);
  (void) g_dbus_connection_flush_finish (G_DBUS_CONNECTION (connection), result, NULL);
}

/* Whether anything may have been sent since the last look. */
static gboolean
was_busy (Peer *peer)
{
  guint32 serial = g_dbus_connection_get_last_serial (peer->connection); /* of this thread: answers and signals */
  gint messages = g_atomic_int_get (&peer->traffic->n_messages);         /* what GDBus answers by itself */
  gboolean busy = serial != peer->seen_serial || messages != peer->seen_messages;

  peer->seen_serial = serial;
  peer->seen_messages = messages;
  return busy;
}

/* What was sent in one turn and is not written in the next is not read. To
 * close the connection would wait for it, so its socket is shut down. */
static gboolean
check_peers (gpointer user_data)
{
  VpDbusPeers *self = user_data;

  for (GList *l = self->peers; l != NULL; l = l->next)
    {
      Peer *peer = l->data;

      if (peer->connection == NULL)
        continue; /* the handshake has a limit of its own */
      if (is_flushing (peer))
        {
          vp_notice (NULL, NULL, "private connection of uid %u: it does not read, closed", peer->uid);
          (void) g_socket_shutdown (peer->socket, TRUE, TRUE, NULL);
        }
      else if (was_busy (peer))
        {
          g_object_set_data (G_OBJECT (peer->connection), "flushing", peer->socket);
          g_dbus_connection_flush (peer->connection, NULL, on_flushed, NULL);
        }
    }
  return G_SOURCE_CONTINUE;
}

/* ---- the handshake ---- */

static gboolean
on_handshake_timeout (gpointer user_data)
{
  Peer *peer = user_data;

  peer->timer = 0;
  g_cancellable_cancel (peer->cancellable);
  return G_SOURCE_REMOVE;
}

static gboolean
open_connection (Peer *peer, GDBusConnection *connection, GError **error)
{
  VpDbusPeers *self = peer->self;

  if (!vp_dbus_peer_bus_export (connection, ++self->last_number, peer->traffic, error))
    return FALSE;
  vp_callers_attach (connection, g_steal_pointer (&peer->caller));
  if (!self->funcs->opened (connection, self->user_data))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_FAILED, "objects not exported");
      return FALSE;
    }
  g_set_object (&peer->connection, connection);
  g_signal_connect (connection, "closed", G_CALLBACK (on_closed), peer);
  g_dbus_connection_start_message_processing (connection);
  if (g_dbus_connection_is_closed (connection))
    on_closed (connection, TRUE, NULL, peer);
  return TRUE;
}

static void
on_handshake (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Peer *peer = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) connection = g_dbus_connection_new_finish (result, &error);

  if (peer->self == NULL)
    {
      if (connection != NULL)
        g_dbus_connection_close (connection, NULL, NULL, NULL);
      peer_free (peer);
      return;
    }
  g_clear_handle_id (&peer->timer, g_source_remove);
  if (connection != NULL && open_connection (peer, connection, &error))
    return;
  vp_info (NULL, NULL, "private connection of uid %u: %s", peer->uid, error->message);
  if (connection != NULL)
    g_dbus_connection_close (connection, NULL, NULL, NULL);
  forget (peer);
}

/* Takes @fd and @caller. */
static void
begin (VpDbusPeers *self, int fd, VpCaller *caller)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocketConnection) stream = NULL;
  Peer *peer;

  if (!vp_bouncer_add_connection (self->bouncer, caller->uid, &error))
    {
      vp_info (NULL, NULL, "private connection: %s", error->message);
      vp_caller_free (caller);
      (void) close (fd);
      return;
    }
  peer = g_new0 (Peer, 1);
  peer->self = self;
  peer->caller = caller;
  peer->uid = caller->uid;
  peer->traffic = g_atomic_rc_box_new0 (VpDbusPeerTraffic);
  self->peers = g_list_prepend (self->peers, peer);
  socket = g_socket_new_from_fd (fd, &error);
  if (socket == NULL)
    {
      vp_warning (NULL, NULL, "private connection: %s", error->message);
      (void) close (fd);
      forget (peer);
      return;
    }
  peer->socket = g_object_ref (socket);
  peer->cancellable = g_cancellable_new ();
  peer->timer = g_timeout_add_seconds (HANDSHAKE_SECONDS, on_handshake_timeout, peer);
  if (self->check == 0)
    self->check = g_timeout_add_seconds (CHECK_SECONDS, check_peers, self);
  stream = g_socket_connection_factory_create_connection (socket);
  g_dbus_connection_new (G_IO_STREAM (stream), self->guid,
                         G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER
                             | G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                         self->observer, peer->cancellable, on_handshake, peer);
}

/* On a thread of GIO's: EXTERNAL, that is what the kernel says, and nothing else. */
static gboolean
allow_mechanism (GDBusAuthObserver *observer, const char *mechanism, gpointer user_data)
{
  return strcmp (mechanism, "EXTERNAL") == 0;
}

/* ---- the listening socket ---- */

static VpCaller *
caller_of (VpDbusPeers *self, int fd)
{
  gid_t groups[MAX_GROUPS + 1];
  socklen_t len = MAX_GROUPS * sizeof *groups;
  struct ucred creds;
  socklen_t creds_len = sizeof creds;
  gsize n = 0;

  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &creds, &creds_len) < 0)
    return NULL;
  if (getsockopt (fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == 0)
    n = len / sizeof *groups;
  groups[n++] = creds.gid;
  return vp_bouncer_make_caller (self->bouncer, creds.uid, groups, n);
}

static gboolean
resume_accepting (gpointer user_data)
{
  VpDbusPeers *self = user_data;

  self->source = g_unix_fd_add (self->fd, G_IO_IN, accept_one, self);
  return G_SOURCE_REMOVE;
}

static gboolean
accept_one (int listener, GIOCondition condition, gpointer user_data)
{
  VpDbusPeers *self = user_data;
  VpCaller *caller;
  int fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

  if (fd >= 0)
    {
      caller = caller_of (self, fd);
      if (caller != NULL)
        begin (self, fd, caller);
      else
        (void) close (fd);
      return G_SOURCE_CONTINUE;
    }
  if (errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != ENOBUFS)
    return G_SOURCE_CONTINUE;
  vp_warning (NULL, NULL, "private connections: %s, again in a second", g_strerror (errno));
  self->source = g_timeout_add (ACCEPT_PAUSE_MS, resume_accepting, self);
  return G_SOURCE_REMOVE;
}

void
vp_dbus_peers_listen_fd (VpDbusPeers *self, int fd)
{
  (void) fcntl (fd, F_SETFL, O_NONBLOCK);
  self->fd = fd;
  self->source = g_unix_fd_add (fd, G_IO_IN, accept_one, self);
}

/* What an earlier daemon left may go; a socket that somebody serves, or what is none, may not. */
static gboolean
make_way (const char *path, const struct sockaddr_un *address, GError **error)
{
  VP_AUTO_FD fd = -1;
  struct stat st;

  if (lstat (path, &st) < 0)
    return errno == ENOENT || vp_error_set_errno (error, errno, "socket %s", path);
  if (!S_ISSOCK (st.st_mode))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS, "socket %s: is something else", path);
      return FALSE;
    }
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0 && connect (fd, (const struct sockaddr *) address, sizeof *address) == 0)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_BUSY, "socket %s: another process serves it", path);
      return FALSE;
    }
  return unlink (path) == 0 || vp_error_set_errno (error, errno, "socket %s", path);
}

gboolean
vp_dbus_peers_listen (VpDbusPeers *self, const char *path, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  guint32 group = vp_bouncer_get_group (self->bouncer);
  mode_t mode = group == G_MAXUINT32 ? 0600 : 0660;
  VP_AUTO_FD fd = -1;
  mode_t mask;
  int result;

  if (g_strlcpy (address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED, "socket %s: the path is too long", path);
      return FALSE;
    }
  if (!make_way (path, &address, error))
    return FALSE;
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return vp_error_set_errno (error, errno, "socket %s", path);
  mask = umask (0177); /* nobody gets in before it has its group */
  result = bind (fd, (const struct sockaddr *) &address, sizeof address);
  (void) umask (mask);
  if (result < 0)
    return vp_error_set_errno (error, errno, "socket %s", path);
  self->path = g_strdup (path);
  if ((group != G_MAXUINT32 && geteuid () == 0 && lchown (path, (uid_t) -1, group) < 0) || chmod (path, mode) < 0
      || listen (fd, SOMAXCONN) < 0)
    return vp_error_set_errno (error, errno, "socket %s", path);
  vp_dbus_peers_listen_fd (self, vp_fd_steal (&fd));
  return TRUE;
}

/* ---- connections that are asked for ---- */

/* A pair whose ends belong to @uid, as the handshake wants it: the client says
 * who it is, and the kernel must say the same. The call without a wrapper of
 * libc's changes this thread alone. */
static int
make_pair (guint32 uid, int fds[2])
{
  gboolean other = uid != geteuid ();
  int result, errsv;

  if (other && syscall (SYS_setresuid, (uid_t) -1, (uid_t) uid, (uid_t) -1) < 0)
    return -1;
  result = socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);
  errsv = errno;
  if (other && syscall (SYS_setresuid, (uid_t) -1, (uid_t) 0, (uid_t) -1) < 0)
    g_error ("the way back to uid 0 is closed: %s", g_strerror (errno));
  errno = errsv;
  return result;
}

int
vp_dbus_peers_open (VpDbusPeers *self, const VpCaller *caller, GError **error)
{
  int fds[2];

  if (caller->uid != geteuid () && geteuid () != 0)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED, "private connection: the daemon is not root");
      return -1;
    }
  if (!vp_bouncer_add_connection (self->bouncer, caller->uid, error))
    return -1;
  vp_bouncer_remove_connection (self->bouncer, caller->uid); /* begin () counts it */
  if (make_pair (caller->uid, fds) < 0)
    {
      vp_error_set_errno (error, errno, "private connection");
      return -1;
    }
  begin (self, fds[0], vp_caller_copy (caller));
  return fds[1];
}

/* ---- all of them ---- */

VpDbusPeers *
vp_dbus_peers_new (VpBouncer *bouncer, const VpDbusPeersFuncs *funcs, gpointer user_data)
{
  VpDbusPeers *self = g_new0 (VpDbusPeers, 1);

  self->bouncer = g_object_ref (bouncer);
  self->funcs = funcs;
  self->user_data = user_data;
  self->fd = -1;
  self->guid = g_dbus_generate_guid ();
  self->observer = g_dbus_auth_observer_new ();
  g_signal_connect (self->observer, "allow-mechanism", G_CALLBACK (allow_mechanism), NULL);
  return self;
}

void
vp_dbus_peers_free (VpDbusPeers *self)
{
  if (self == NULL)
    return;
  for (GList *l = self->peers; l != NULL; l = l->next)
    {
      Peer *peer = l->data;

      vp_bouncer_remove_connection (self->bouncer, peer->uid);
      peer->self = NULL;
      if (peer->connection == NULL)
        {
          g_cancellable_cancel (peer->cancellable); /* on_handshake () frees it */
          continue;
        }
      g_signal_handlers_disconnect_by_data (peer->connection, peer);
      g_dbus_connection_close (peer->connection, NULL, NULL, NULL);
      peer_free (peer);
    }
  g_list_free (self->peers);
  g_clear_handle_id (&self->source, g_source_remove);
  g_clear_handle_id (&self->check, g_source_remove);
  vp_fd_clear (&self->fd);
  if (self->path != NULL)
    (void) unlink (self->path);
  g_free (self->path);
  g_free (self->guid);
  g_object_unref (self->observer);
  g_object_unref (self->bouncer);
  g_free (self);
}
