/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Somebody who follows a guest's console: the writing end of a pipe with what
 * waits for the reader, which is bounded. A reader that does not read loses
 * the newest bytes and delays nobody. Main thread only. */
typedef struct _VpConsoleReader VpConsoleReader;

#define VP_CONSOLE_READER_MAX (1u << 20) /* bytes that wait */

/* Returns the reading end in @ret_fd, for the caller. @history (may be NULL)
 * comes first. NULL and ResourceExhausted when there is no pipe. */
VpConsoleReader *vp_console_reader_new (GBytes *history, int *ret_fd, GError **error);

/* What the guest wrote. FALSE: the reader has gone, free it. */
gboolean vp_console_reader_feed (VpConsoleReader *self, const char *data, gsize len);

/* The console has ended: what waits is still delivered, then comes end of file.
 * Frees @self, now or when that is done. */
void vp_console_reader_end (VpConsoleReader *self);

void vp_console_reader_free (VpConsoleReader *self);
