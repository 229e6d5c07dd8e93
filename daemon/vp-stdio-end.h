/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* The host's end of one stream in one direction, whatever is behind it, made
 * to look the same: an attempt that says "later" and calls back once.
 *
 * Never blocks the main loop: pipes and terminals are opened again so that
 * O_NONBLOCK is not set for whoever shares the descriptor, sockets are asked
 * per call, files go to a worker thread, and what cannot be opened again is
 * polled and moved in pieces that do not block. Main thread only. */
typedef struct _VpStdioEnd VpStdioEnd;

typedef void (*VpStdioEndFunc) (gpointer user_data);

/* Takes @fd in any case. @writable: we write to it. InvalidArgument when it is
 * not open in that direction or nothing to read or write. @what names it. */
VpStdioEnd *vp_stdio_end_new_for_fd (int fd, gboolean writable, const char *what, GError **error);

/* Opens what is at @path (absolute; must exist). A FIFO to write to is held
 * open for reading too until _linger(): its reader may come and go. */
VpStdioEnd *vp_stdio_end_new_for_path (const char *path, gboolean writable, const char *what, GError **error);

/* For a socket of our own that has another end for the other direction: when
 * this one is freed the peer reads end-of-file, though the other one lives. */
void vp_stdio_end_set_half (VpStdioEnd *self);

/* Accepts NULL; nothing is called back any more. */
void vp_stdio_end_free (VpStdioEnd *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpStdioEnd, vp_stdio_end_free)

/* Writes from @offset on. How many bytes went; -EAGAIN: @func is called when
 * to try again, with the same bytes; another -errno: it is over (EPIPE: no reader). */
gssize vp_stdio_end_write (VpStdioEnd *self, GBytes *data, gsize offset, VpStdioEndFunc func,
                           gpointer user_data);

/* How many bytes are in *ret_data, 0 at the end; -EAGAIN and -errno as above. */
gssize vp_stdio_end_read (VpStdioEnd *self, GBytes **ret_data, VpStdioEndFunc func, gpointer user_data);

/* Whether "later" means that data is on its way already (a file). */
gboolean vp_stdio_end_is_working (VpStdioEnd *self);

/* Calls @func once when the other side is gone, even if nothing is to be written. */
void vp_stdio_end_watch_hangup (VpStdioEnd *self, VpStdioEndFunc func, gpointer user_data);

/* To be called when all has been written. FALSE: it can be freed without
 * losing what was written. TRUE: a FIFO nobody has open for reading, whose content
 * would go with us; @func is called when it can be freed. */
gboolean vp_stdio_end_linger (VpStdioEnd *self, VpStdioEndFunc func, gpointer user_data);
