/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "vp-dbus-generated.h"

/* The user's terminal while a container's terminal is shown on it. There is
 * one in a process; its first settings come back on every way out: when asked,
 * at exit and when the program crashes. */

/* Raw mode on @fd; FALSE when it is not a terminal. A second call sets it
 * again, which is what a program that was stopped and continued must do. */
gboolean vp_tty_set_raw (int fd);

/* Back to the first settings; nothing when raw mode was never set. */
void vp_tty_restore (void);

/* Tells @process the size of the terminal on @fd. Waits for the answer; FALSE
 * when there is no size or @process does not take it. */
gboolean vp_tty_send_size (int fd, VpDBusProcess1 *process);

/* The same without waiting, for SIGWINCH. */
void vp_tty_update_size (int fd, VpDBusProcess1 *process);
