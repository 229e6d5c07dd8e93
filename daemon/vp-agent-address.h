/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Where an agent is: the path of a Unix socket, absolute and of any length, or
 * "vsock:CID:PORT". Plain functions, any thread. */

/* Free with g_free (). */
char *vp_agent_address_for_vsock (guint32 cid, guint32 port);

/* FALSE: a path, or neither. */
gboolean vp_agent_address_is_vsock (const char *address, guint32 *ret_cid, guint32 *ret_port);

/* A non-blocking stream socket that connects to @address. 0: it has. -EINPROGRESS:
 * it will be writable when that is over, and SO_ERROR says how. In both cases
 * @ret_fd is the caller's. Else a negative errno; -EAFNOSUPPORT without vsock. */
int vp_agent_address_connect (const char *address, int *ret_fd);

/* Whether nobody listens there only for now, after that errno. */
gboolean vp_agent_address_is_worth_waiting (const char *address, int errsv);
