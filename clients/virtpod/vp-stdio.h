/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

/* Our standard streams given to a process in the guest. A stream that is a
 * file or a pipe is handed over as it is and costs nothing here. A terminal
 * never leaves this process (whoever reads it would take input away from the
 * shell, or leave it non-blocking): the daemon gets a pipe and the bytes are
 * copied in the main loop. */
typedef struct _VpStdio VpStdio;

typedef enum {
  VP_STDIO_STDIN = 1 << 0,   /* without it the process reads /dev/null */
  VP_STDIO_STDERR = 1 << 1,  /* without it the process has no stderr of its own (a terminal has none) */
  VP_STDIO_NOTHING = 1 << 2, /* all that are asked for are /dev/null */
} VpStdioFlags;

/* Opens what is needed; nothing moves yet. */
VpStdio *vp_stdio_new (VpStdioFlags flags, GError **error);

/* Puts the terminal back when vp_stdio_start() changed it, and closes everything. */
void vp_stdio_free (VpStdio *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpStdio, vp_stdio_free)

/* Adds "stdin", "stdout", "stderr" handles to an a{sv} under construction and
 * their descriptors to @fds. */
gboolean vp_stdio_add_options (VpStdio *self, GVariantBuilder *options, GUnixFDList *fds, GError **error);

/* The daemon has its ends: closes ours of them, so that its closing is seen as
 * end-of-file, and begins to copy. With @terminal, and stdin a terminal, that
 * one goes into raw mode. */
void vp_stdio_start (VpStdio *self, gboolean terminal);

/* The descriptor of the user's terminal while it is in raw mode, else -1. */
int vp_stdio_get_terminal (VpStdio *self);

/* The process has ended and the daemon has written all it wrote: shows what is
 * still in the pipes and puts the terminal back. */
void vp_stdio_finish (VpStdio *self);
