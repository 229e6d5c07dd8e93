/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-net-door.h"

#include <errno.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "vp-error.h"
#include "vp-fd.h"
#include "vp-net-ns.h"
#include "vp-net-steer.h"

#define BACKLOG 64
#define PAUSE_MS 1000 /* when there is no descriptor for one more */

enum
{
  IPV4,
  IPV6,
  N_FAMILIES
};

struct _VpNetDoor
{
  int listeners[N_FAMILIES]; /* -1: the namespace has no such family */
  int link;                  /* what steers connections to them, as long as it is open */
  guint sources[N_FAMILIES];
  guint pause;
  guint n_in, max;
  VpNetDoorFunc func;
  gpointer user_data;
};

/* ---- opening it, on a worker --------------------------------------------------------- */

static int
listen_on (const struct sockaddr *address, socklen_t size, int level, int freebind, GError **error)
{
  int on = 1;
  VP_AUTO_FD fd = socket (address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);

  /* the loopback device may not be up yet */
  if (fd < 0 || setsockopt (fd, level, freebind, &on, sizeof on) < 0 || bind (fd, address, size) < 0
      || listen (fd, BACKLOG) < 0)
    {
      vp_error_set_errno (error, errno, "listen in a network namespace");
      return -1;
    }
  return vp_fd_steal (&fd);
}

static gboolean
listen_in_namespace (gpointer data, GError **error)
{
  VpNetDoor *self = data;
  const struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  const struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

  self->listeners[IPV4]
      = listen_on ((const struct sockaddr *)&ipv4, sizeof ipv4, IPPROTO_IP, IP_FREEBIND, error);
  self->listeners[IPV6]
      = listen_on ((const struct sockaddr *)&ipv6, sizeof ipv6, IPPROTO_IPV6, IPV6_FREEBIND, NULL);
  return self->listeners[IPV4] >= 0;
}

VpNetDoor *
vp_net_door_open (const char *path, GError **error)
{
  g_autoptr (VpNetDoor) self = g_new0 (VpNetDoor, 1);
  VP_AUTO_FD namespace = -1;
  struct stat st;
  VpNetNsId id;

  self->listeners[IPV4] = self->listeners[IPV6] = self->link = -1;
  if (lstat (path, &st) == 0 && S_ISLNK (st.st_mode))
    {
      g_autofree char *shown = vp_error_shown (path);

      vp_error_set (error, VP_ERROR_INVALID_ARGUMENT, "network namespace \"%s\": nobody says when it is to go", shown);
      return NULL;
    }
  namespace = vp_net_ns_open (path, &id, error);
  if (namespace < 0 || !vp_net_ns_run (namespace, listen_in_namespace, self, error))
    return NULL;
  self->link = vp_net_steer_attach (namespace, self->listeners[IPV4], self->listeners[IPV6], error);
  return self->link < 0 ? NULL : g_steal_pointer (&self);
}

/* ---- serving, in the main loop --------------------------------------------------------- */

static void update (VpNetDoor *self);

static gboolean
on_paused (gpointer user_data)
{
  VpNetDoor *self = user_data;

  self->pause = 0;
  update (self);
  return G_SOURCE_REMOVE;
}

/* The port that was asked for. */
static guint16
port_of (int fd)
{
  union
  {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
  } address = { .any.sa_family = AF_UNSPEC };
  socklen_t size = sizeof address;

  if (getsockname (fd, &address.any, &size) < 0)
    return 0;
  return ntohs (address.any.sa_family == AF_INET6 ? address.ipv6.sin6_port : address.ipv4.sin_port);
}

static gboolean
on_visitor (int listener, GIOCondition condition, gpointer user_data)
{
  VpNetDoor *self = user_data;
  int fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  int on = 1;

  if (fd < 0)
    {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        {
          self->pause = g_timeout_add (PAUSE_MS, on_paused, self);
          update (self);
        }
      return G_SOURCE_CONTINUE;
    }
  (void)setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  self->n_in++;
  update (self);
  self->func (fd, port_of (fd), self->user_data);
  return G_SOURCE_CONTINUE;
}

/* Sources for who waits, or none as long as nobody can be let in. */
static void
update (VpNetDoor *self)
{
  gboolean open = self->pause == 0 && self->n_in < self->max;

  for (int i = 0; i < N_FAMILIES; i++)
    if (!open)
      g_clear_handle_id (&self->sources[i], g_source_remove);
    else if (self->sources[i] == 0 && self->listeners[i] >= 0)
      self->sources[i] = g_unix_fd_add (self->listeners[i], G_IO_IN, on_visitor, self);
}

void
vp_net_door_serve (VpNetDoor *self, guint max, VpNetDoorFunc func, gpointer user_data)
{
  self->max = max;
  self->func = func;
  self->user_data = user_data;
  update (self);
}

void
vp_net_door_left (VpNetDoor *self)
{
  self->n_in--;
  update (self);
}

void
vp_net_door_free (VpNetDoor *self)
{
  if (self == NULL)
    return;
  g_clear_handle_id (&self->pause, g_source_remove);
  for (int i = 0; i < N_FAMILIES; i++)
    g_clear_handle_id (&self->sources[i], g_source_remove);
  vp_fd_clear (&self->link); /* first: from now on who comes is refused */
  for (int i = 0; i < N_FAMILIES; i++)
    vp_fd_clear (&self->listeners[i]);
  g_free (self);
}

void
vp_net_door_break_off (int fd)
{
  const struct linger now = { .l_onoff = 1, .l_linger = 0 };

  (void)setsockopt (fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}
