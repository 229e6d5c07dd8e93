/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A door in a network namespace: whoever is in there and connects to a TCP port of its
 * loopback addresses is let in here, whatever the port.
 *
 * Its sockets keep the namespace alive, as a process in it would. Who deletes one removes
 * the file that it is kept by, so only such a namespace can have a door, and when the file
 * goes the door is to be closed. */
typedef struct _VpNetDoor VpNetDoor;

/* Makes one, that nobody serves yet, in the namespace at @path. NULL on failure: NotFound,
 * InvalidArgument (@path is no file that a namespace is kept by, such as /proc/PID/ns/net),
 * NotSupported (the kernel has nothing to make doors with). Blocks; not on the main thread. */
VpNetDoor *vp_net_door_open (const char *path, GError **error);

/* @fd: a stream socket, not blocking, of the callee; connected to @port. */
typedef void (*VpNetDoorFunc) (int fd, guint16 port, gpointer user_data);

/* From now on, in the main loop. At most @max are let in at a time; others wait
 * before the door, where the kernel has room for a few. */
void vp_net_door_serve (VpNetDoor *self, guint max, VpNetDoorFunc func, gpointer user_data);

/* One that was let in has gone. */
void vp_net_door_left (VpNetDoor *self);

/* Closes it for who waits before it. Accepts NULL. */
void vp_net_door_free (VpNetDoor *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpNetDoor, vp_net_door_free)

/* Has the other side find the connection reset when @fd is closed. */
void vp_net_door_break_off (int fd);
