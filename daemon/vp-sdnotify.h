/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The service manager's notification protocol: one datagram of KEY=VALUE lines
 * to the socket that $NOTIFY_SOCKET names (a path, or abstract with a leading
 * '@'). Messages: VP_SDNOTIFY_*, or any of sd_notify(3). */

#define VP_SDNOTIFY_READY "READY=1"
#define VP_SDNOTIFY_STOPPING "STOPPING=1"
#define VP_SDNOTIFY_RELOADING "RELOADING=1"
#define VP_SDNOTIFY_WATCHDOG "WATCHDOG=1"

/* Sends @state. TRUE when it was sent, FALSE when nobody asked for it
 * ($NOTIFY_SOCKET is not set) or it could not be sent: there is nothing a
 * daemon could do about that. Never blocks. */
gboolean vp_sdnotify (const char *state);

/* As above with a descriptor (borrowed), for FDSTORE=1. */
gboolean vp_sdnotify_with_fd (const char *state, int fd);

/* As above with "STATUS=text"; line breaks in @text become spaces. */
gboolean vp_sdnotify_status (const char *text);

/* How often WATCHDOG=1 is to be sent, in microseconds: half of $WATCHDOG_USEC
 * when $WATCHDOG_PID is this process or not set; 0: no watchdog. */
guint64 vp_sdnotify_get_watchdog_usec (void);

/* Whether an environment variable, such as $LISTEN_PID, has the pid of this process. */
gboolean vp_sdnotify_is_ours (const char *variable);
