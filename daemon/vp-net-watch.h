/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-net-ns.h"

/* Says that the interfaces, addresses or routes of a network namespace have
 * changed. It is a socket in the namespace, which is kept alive by it, as a
 * container's process would keep it. */

/* The socket for a watch, -1 on failure. Blocks; not on the main thread. */
int vp_net_watch_open (const char *path, GError **error);

typedef struct _VpNetWatch VpNetWatch;

/* In the main loop. Changes that follow each other closely are one. */
typedef void (*VpNetWatchFunc) (gpointer user_data);

/* Takes @fd. */
VpNetWatch *vp_net_watch_new (int fd, VpNetWatchFunc func, gpointer user_data);
void vp_net_watch_free (VpNetWatch *self);
