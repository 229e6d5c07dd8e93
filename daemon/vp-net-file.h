/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Tells when the file that a network namespace is kept by is removed: that is how whoever
 * made one says that it is to go. All of them share one inotify descriptor. Main thread only. */
typedef struct _VpNetFile VpNetFile;

/* Makes the descriptor before the first file needs it. One that cannot be had is asked for again then. */
void vp_net_file_start (void);

/* Called once, from the main loop. */
typedef void (*VpNetFileFunc) (gpointer user_data);

/* From now on; whether the file is there is not asked. NULL on failure: NotFound (there is not even
 * a directory), ResourceExhausted. */
VpNetFile *vp_net_file_watch (const char *path, VpNetFileFunc gone, gpointer user_data, GError **error);

/* Accepts NULL; may be called from the function. */
void vp_net_file_free (VpNetFile *self);
