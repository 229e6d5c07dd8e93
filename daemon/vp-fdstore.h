/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Descriptors that outlive the daemon: the service manager keeps a duplicate of
 * each under a name (sd_notify(3), FDSTORE=1) and hands all of them to the next
 * daemon, where vp_listen_fds_take () finds them. Without a service manager, or
 * when it keeps none (FileDescriptorStoreMax=), everything here does nothing.
 * Main thread. */

/* A name that fits (at most 255 characters, no ":"), the same for equal arguments. */
char *vp_fdstore_dup_name (const char *sandbox, const char *container, const char *exec, const char *stream);

/* Has a duplicate of @fd (borrowed) kept; replaces the one of the same name. */
void vp_fdstore_put (const char *name, int fd);
void vp_fdstore_remove (const char *name);

/* Drops what was handed over and nobody took. */
void vp_fdstore_drop_rest (void);
