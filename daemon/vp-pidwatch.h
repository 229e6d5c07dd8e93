/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <sys/types.h>

/* Tells when a process ends, within milliseconds and without polling (a pidfd
 * in the main loop). The process need not be a child. When it is one (by birth,
 * or adopted because the daemon is a child subreaper) it is reaped: by its pid
 * alone, so that nobody else's children are stolen.
 *
 * Signal "exited" (VpPidwatch *self): the process has ended and, when it was a
 * child, is gone from the process table. Emitted once, on the main context that
 * was the thread default when the watch was made. */

#define VP_TYPE_PIDWATCH (vp_pidwatch_get_type ())
G_DECLARE_FINAL_TYPE (VpPidwatch, vp_pidwatch, VP, PIDWATCH, GObject)

/* Starts to watch @pid. NotFound when there is no such process. A child that
 * has already ended but is not reaped yet counts as a process: "exited" follows
 * from the main loop. Dropping the last reference ends the watch silently. */
VpPidwatch *vp_pidwatch_open (pid_t pid, GError **error);

pid_t vp_pidwatch_get_pid (VpPidwatch *self);

/* TRUE once "exited" has been emitted. */
gboolean vp_pidwatch_has_exited (VpPidwatch *self);

/* How it ended as waitpid () tells it: TRUE and @ret_status when the process
 * was our child, FALSE when that is not known. */
gboolean vp_pidwatch_get_status (VpPidwatch *self, int *ret_status);

/* Sends @signum to exactly the watched process: the pid cannot have been
 * reused. NotFound when it has ended. */
gboolean vp_pidwatch_kill (VpPidwatch *self, int signum, GError **error);
