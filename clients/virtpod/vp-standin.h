/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-client.h"
#include "vp-standin-place.h"

/* virtpod-proxy, started for a process in a guest: a child of ours that container
 * engines take for that process, as none of the guest's has an id on the host.
 * It has our standard streams, or a terminal that is made for it, and lives as
 * long as the process does. */
typedef struct _VpStandin VpStandin;

/* Forks: must come before the first thread (the bus connection starts one).
 * @console_socket: NULL, or where the other side of a new terminal is to go. */
VpStandin *vp_standin_new (const char *console_socket, GError **error);

/* Unless it attends to a process by now, it ends. */
void vp_standin_free (VpStandin *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpStandin, vp_standin_free)

/* Adds its streams to an a{sv} under construction: by path what can be opened
 * again, so that a daemon that restarts finds it, else a handle in @fds. */
gboolean vp_standin_add_options (VpStandin *self, GVariantBuilder *options, GUnixFDList *fds, GError **error);

/* From now on it stands for the Process1 object at @path, in @place (NULL: here);
 * the terminal is handed out and @pid_file (NULL: none) written. */
gboolean vp_standin_attend (VpStandin *self, VpClient *client, const char *path, const VpStandinPlace *place,
                            const char *pid_file, GError **error);

/* The process id of @pid, alone, as a whole file or not at all. */
gboolean vp_standin_write_pid (const char *pid_file, GPid pid, GError **error);
