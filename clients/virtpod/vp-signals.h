/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The signals a user sends to "virtpod run" and means for the container. They
 * are blocked and read from a descriptor, so that each arrives in the main loop
 * as an event and none ends the program while the terminal is in raw mode. */
typedef struct _VpSignals VpSignals;

/* Called in the main loop, never in a signal handler. SIGWINCH and SIGCONT
 * come here as well: they are about the terminal. */
typedef void (*VpSignalFunc) (int signo, gpointer user_data);

/* Blocks the signals for good. Must come before the first thread (the bus
 * connection starts one): threads inherit the mask. */
void vp_signals_block (void);

/* Delivers to @func from now on, what is pending first. NULL and @error when
 * there is no descriptor for it. */
VpSignals *vp_signals_new (VpSignalFunc func, gpointer user_data, GError **error);
void vp_signals_free (VpSignals *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpSignals, vp_signals_free)

/* "INT" for SIGINT; NULL when it is not one to forward. Static. */
const char *vp_signals_get_name (int signo);

/* Whether the signal asks to end (INT, TERM, HUP, QUIT). */
gboolean vp_signals_ends (int signo);
