/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Tap devices that outlive the descriptor they were made with: the hypervisor
 * opens one by its name, and it stays in its hands wherever the device is moved.
 *
 * Block; not on the main thread. They work in the namespace of the calling
 * thread. */

/* How the notes of all of them begin. */
#define VP_NET_TAP_NOTE "virtpod "

typedef struct
{
  const char *name;
  const char *note; /* its alias: what `ip link` shows people */
  guint mtu;        /* 0: as it comes */
  guint queues;     /* pairs; more than one makes a device with many */
} VpNetTap;

/* AlreadyExists when there is an interface of that name, whose ever it is. */
gboolean vp_net_tap_create (const VpNetTap *tap, GError **error);

/* What is not there is success; what is there and is no tap or macvtap device stays, and is InvalidArgument. */
gboolean vp_net_tap_remove (const char *name, GError **error);

/* Sets MTU and note of a device that is there. */
gboolean vp_net_tap_describe (const VpNetTap *tap, GError **error);

/* Into the namespace of descriptor @fd, as a device of the same name, which is down then. */
gboolean vp_net_tap_move (const char *name, int fd, GError **error);

/* Up, with the MTU it had; it gets no address of its own. */
gboolean vp_net_tap_bring_up (const char *name, guint mtu, GError **error);
