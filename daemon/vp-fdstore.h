/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Descriptors that outlive the daemon: the service manager keeps a duplicate of
 * each under a name and hands all of them to the next daemon (sd_notify(3),
 * FDSTORE=1; sd_listen_fds(3)). Without a service manager, or when it keeps
 * none (FileDescriptorStoreMax=), everything here does nothing and finds nothing.
 * Main thread. */

/* A name that fits (at most 255 characters, no ":"), the same for equal arguments. */
char *vp_fdstore_dup_name (const char *sandbox, const char *container, const char *exec, const char *stream);

/* Finds what an earlier daemon had kept ($LISTEN_FDS, $LISTEN_FDNAMES). Once, at
 * the start. Descriptors that do not have a name of ours (sockets to listen on)
 * stay where they are. */
void vp_fdstore_receive (void);

/* The descriptor of that name, with close-on-exec; the caller's. -1: there is none. */
int vp_fdstore_take (const char *name);

/* Has a duplicate of @fd (borrowed) kept; replaces the one of the same name. */
void vp_fdstore_put (const char *name, int fd);
void vp_fdstore_remove (const char *name);

/* Drops what was received and nobody took. */
void vp_fdstore_drop_rest (void);
