/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Keeps what a guest writes to its console in a file of bounded size.
 *
 * The hypervisor listens on a Unix socket (one client at a time); the console
 * connects to it, reads in the main loop with low priority and a bounded amount
 * a turn, and appends to LOG. At half of the allowed size LOG becomes LOG.1
 * (replacing the former one) and a new LOG is started, so both together never
 * exceed the bound and always hold the newest part. A guest that floods its
 * console is slowed down by the full socket; it cannot fill the disk or starve
 * the daemon. Bytes are kept as they came: whoever prints them must think of
 * escape sequences (vp_console_dup_tail () does).
 *
 * Main thread only. */

#define VP_TYPE_CONSOLE (vp_console_get_type ())
G_DECLARE_FINAL_TYPE (VpConsole, vp_console, VP, CONSOLE, GObject)

/* The smallest bound that makes sense; smaller ones are raised to it. */
#define VP_CONSOLE_MIN_BYTES 8192

/* @socket_path: where the hypervisor listens. The log is @log_name (one path
 * element) in @directory; LOG and LOG.1 are opened there without following
 * symlinks. @max_bytes bounds both files together. No I/O. */
VpConsole *vp_console_new (const char *socket_path, const char *directory, const char *log_name,
                           guint64 max_bytes);

/* Connects and starts to read; a log that is there already (the daemon was
 * restarted) is continued. Fails with NotFound when the socket is not there,
 * NotSupported when the path is too long for a socket address and with what
 * opening the log says; nothing runs then. */
void vp_console_start_async (VpConsole *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data);
gboolean vp_console_start_finish (VpConsole *self, GAsyncResult *result, GError **error);

/* Takes what the socket still holds (at most 64 KiB), then closes it and the
 * log. Harmless when not started. Dropping the last reference does the same. */
void vp_console_stop (VpConsole *self);

/* TRUE from a successful start until stop or until the hypervisor closes. */
gboolean vp_console_is_running (VpConsole *self);

/* Bytes read from the guest since start. */
guint64 vp_console_get_n_bytes (VpConsole *self);

/* The last lines of the log, at most @max bytes (@max <= 64 KiB), made fit for an
 * error message: control characters and what is not UTF-8 become '.' or go (CR,
 * escape sequences), newlines stay, leading half lines and blank ends are cut.
 * "" when there is nothing. Works before start and after stop. Never NULL. */
char *vp_console_dup_tail (VpConsole *self, gsize max);

/* A descriptor to read, for the caller: at most the @tail last bytes of the log
 * as they came, and with @follow what the guest writes from then on until the
 * console ends (see vp-console-reader.h for a reader that is slow). -1 and an
 * error: ResourceExhausted (descriptors, or 16 follow already). Works before
 * start and after stop; there is nothing to follow then. */
int vp_console_open (VpConsole *self, gboolean follow, guint64 tail, GError **error);
