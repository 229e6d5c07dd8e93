/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-net-watch.h"

#include <errno.h>
#include <glib-unix.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-fd.h"

/* What sets a network up makes a dozen changes within moments; it is to be done
 * when somebody looks. One that goes on and on is looked at all the same. */
#define SETTLE_MS 300
#define SETTLE_MAX_MS 3000
#define MAX_READS 64 /* a turn of the main loop */

#define GROUP(group) (1u << ((group)-1))

static gboolean
open_in_namespace (gpointer data, GError **error)
{
  struct sockaddr_nl address = { .nl_family = AF_NETLINK };
  VP_AUTO_FD fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

  address.nl_groups = GROUP (RTNLGRP_LINK) | GROUP (RTNLGRP_IPV4_IFADDR) | GROUP (RTNLGRP_IPV6_IFADDR)
                      | GROUP (RTNLGRP_IPV4_ROUTE) | GROUP (RTNLGRP_IPV6_ROUTE);
  if (fd < 0 || bind (fd, (struct sockaddr *)&address, sizeof address) < 0)
    return vp_error_set_errno (error, errno, "watch a network namespace");
  *(int *)data = vp_fd_steal (&fd);
  return TRUE;
}

int
vp_net_watch_open (const char *path, GError **error)
{
  VpNetNsId id;
  VP_AUTO_FD namespace = vp_net_ns_open (path, &id, error);
  int fd = -1;

  if (namespace < 0 || !vp_net_ns_run (namespace, open_in_namespace, &fd, error))
    return -1;
  return fd;
}

struct _VpNetWatch
{
  int fd;
  guint source;
  guint timer;
  gint64 since; /* the first change that nobody has been told of; monotonic µs, 0: none */
  VpNetWatchFunc func;
  gpointer user_data;
};

static gboolean
on_settled (gpointer user_data)
{
  VpNetWatch *self = user_data;

  self->timer = 0;
  self->since = 0;
  self->func (self->user_data);
  return G_SOURCE_REMOVE;
}

static gboolean
on_change (int fd, GIOCondition condition, gpointer user_data)
{
  VpNetWatch *self = user_data;
  gint64 now = g_get_monotonic_time ();
  gint64 left;
  char message[8192];

  /* what it says does not matter; messages that were lost are changes as well */
  for (guint i = 0; i < MAX_READS; i++)
    if (recv (fd, message, sizeof message, 0) < 0 && errno != ENOBUFS)
      break;
  if (self->since == 0)
    self->since = now;
  left = (self->since - now) / 1000 + SETTLE_MAX_MS;
  g_clear_handle_id (&self->timer, g_source_remove);
  self->timer = g_timeout_add ((guint)CLAMP (left, 0, SETTLE_MS), on_settled, self);
  return G_SOURCE_CONTINUE;
}

VpNetWatch *
vp_net_watch_new (int fd, VpNetWatchFunc func, gpointer user_data)
{
  VpNetWatch *self = g_new0 (VpNetWatch, 1);

  self->fd = fd;
  self->func = func;
  self->user_data = user_data;
  self->source = g_unix_fd_add (fd, G_IO_IN, on_change, self);
  return self;
}

void
vp_net_watch_free (VpNetWatch *self)
{
  if (self == NULL)
    return;
  g_clear_handle_id (&self->source, g_source_remove);
  g_clear_handle_id (&self->timer, g_source_remove);
  vp_fd_clear (&self->fd);
  g_free (self);
}
