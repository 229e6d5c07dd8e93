/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-bouncer.h"

/* Connections without a bus in between: those that come in by the daemon's
 * socket, whose caller the kernel names (SO_PEERCRED), and those that somebody
 * on the bus asked for. A small part of the bus's own interface is on each, so
 * that clients that believe to be on a bus (busctl --address=) work: the daemon
 * owns org.virtpod there, and every signal goes to the peer whether it asked or
 * not.
 *
 * A peer that does not read is disconnected, before what is kept for it grows.
 * Main thread. */
typedef struct _VpDbusPeers VpDbusPeers;

/* A connection begins, with nothing on it yet (FALSE: close it again), or has ended. */
typedef struct
{
  gboolean (*opened) (GDBusConnection *connection, gpointer user_data);
  void (*closed) (GDBusConnection *connection, gpointer user_data);
} VpDbusPeersFuncs;

/* @funcs is static. */
VpDbusPeers *vp_dbus_peers_new (VpBouncer *bouncer, const VpDbusPeersFuncs *funcs, gpointer user_data);
void vp_dbus_peers_free (VpDbusPeers *self); /* closes all; nobody is told */

/* Makes the socket at @path, for the daemon's user and group. Busy when another
 * process listens there; a socket nobody listens on is replaced. */
gboolean vp_dbus_peers_listen (VpDbusPeers *self, const char *path, GError **error);

/* The same with a listening socket of the service manager's. Takes @fd. */
void vp_dbus_peers_listen_fd (VpDbusPeers *self, int fd);

/* Opens a connection with the rights of @caller and returns the caller's end.
 * -1 and ResourceExhausted, or NotSupported when the daemon is not root. */
int vp_dbus_peers_open (VpDbusPeers *self, const VpCaller *caller, GError **error);
