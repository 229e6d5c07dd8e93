/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Network namespaces: which one a path names, making and removing one, and
 * doing something in it. A thread that enters one is started for that and ends
 * with it, so that no thread of ours that does something else is ever in a
 * foreign namespace.
 *
 * All functions block for a short time and may be called in any thread but the
 * main one. */

/* Which namespace it is, for as long as it exists. */
typedef struct
{
  guint64 dev;
  guint64 ino;
} VpNetNsId;

/* A descriptor of the network namespace at @path, -1 on failure: NotFound,
 * InvalidArgument when there is something else. Nothing else is ever opened for
 * reading: a path comes from a bundle and may name any file. */
int vp_net_ns_open (const char *path, VpNetNsId *ret_id, GError **error);

/* Whether it is the host's: that of the daemon or of the first process. */
gboolean vp_net_ns_is_host (const VpNetNsId *id);

/* Makes a new one and keeps it alive at @path. */
gboolean vp_net_ns_create (const char *path, GError **error);

/* Lets go of one that was made; what is not there is success. */
gboolean vp_net_ns_remove (const char *path, GError **error);

/* Runs in a thread that is in the namespace. FALSE with @error: as it likes. */
typedef gboolean (*VpNetNsFunc) (gpointer data, GError **error);

/* Waits for the thread. */
gboolean vp_net_ns_run (int fd, VpNetNsFunc func, gpointer data, GError **error);
