/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Connections to any TCP port of the loopback addresses of a network namespace,
 * handed to a socket that listens there, whatever port that has. It is a program of
 * the kernel's (BPF, sk_lookup: Linux 5.9) that is attached to the namespace by a
 * descriptor: it goes with that, or with the namespace, which it does not keep alive.
 *
 * A connection comes to it before the kernel looks who listens on its port, and it
 * cannot ask: who listens on a loopback address is not reached there meanwhile.
 *
 * Blocks for a short time; any thread but the main one. */

/* The descriptor. The listening sockets are of TCP and in the namespace; @ipv6 -1: of
 * that family nothing is handed on. -1 and an error: NotSupported, the kernel cannot,
 * or this process may not. */
int vp_net_steer_attach (int namespace, int ipv4, int ipv6, GError **error);

/* Whether the kernel takes such a program; nothing is left of it. */
gboolean vp_net_steer_probe (GError **error);
