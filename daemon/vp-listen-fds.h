/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Descriptors that the service manager passed: sockets to listen on, and what the
 * file descriptor store kept (sd_listen_fds_with_names(3)). Main thread. */

/* Reads and unsets $LISTEN_FDS, $LISTEN_PID and $LISTEN_FDNAMES. To be called at the
 * start, while there is no other thread. When they are meant for this process its
 * descriptors are closed on exec from now on. Returns how many there are. */
guint vp_listen_fds_receive (void);

/* The first descriptor of that name, given to the caller and not again; -1: none. */
int vp_listen_fds_take (const char *name);

/* The name (borrowed) of the first one that was not taken and whose name begins
 * with @prefix; NULL: none. */
const char *vp_listen_fds_find (const char *prefix);
