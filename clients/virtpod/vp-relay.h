/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "vp-detach.h"

/* Our standard streams given to a process in the guest. A stream that is a
 * file or a pipe is handed over as it is and costs nothing here. A terminal
 * never leaves this process (whoever reads it would take input away from the
 * shell, or leave it non-blocking): the daemon gets a pipe and the bytes are
 * copied in the main loop. */
typedef struct _VpRelay VpRelay;

typedef enum {
  VP_RELAY_STDIN = 1 << 0,   /* without it the process reads /dev/null */
  VP_RELAY_STDERR = 1 << 1,  /* without it the process has no stderr of its own (a terminal has none) */
  VP_RELAY_NOTHING = 1 << 2, /* all that are asked for are /dev/null */
} VpRelayFlags;

/* Opens what is needed; nothing moves yet. */
VpRelay *vp_relay_new (VpRelayFlags flags, GError **error);

/* The other way round: ends of a process's streams that the daemon gave, each -1
 * where there is none; a terminal's is both @input and @output. Taken. */
VpRelay *vp_relay_new_for_ends (int input, int output, int error_output);

/* Typed on a terminal in raw mode, @keys (kept until the free) are not sent but
 * call @detached, once, in the main loop. Before vp_relay_start(). */
void vp_relay_watch_keys (VpRelay *self, VpDetach *keys, GSourceFunc detached, gpointer user_data);

/* Puts the terminal back when vp_relay_start() changed it, and closes everything. */
void vp_relay_free (VpRelay *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpRelay, vp_relay_free)

/* Adds "stdin", "stdout", "stderr" handles to an a{sv} under construction and
 * their descriptors to @fds. */
gboolean vp_relay_add_options (VpRelay *self, GVariantBuilder *options, GUnixFDList *fds, GError **error);

/* The daemon has its ends: closes ours of them, so that its closing is seen as
 * end-of-file, and begins to copy. With @terminal, and stdin a terminal, that
 * one goes into raw mode. */
void vp_relay_start (VpRelay *self, gboolean terminal);

/* The descriptor of the user's terminal while it is in raw mode, else -1. */
int vp_relay_get_terminal (VpRelay *self);

/* The process has ended and the daemon has written all it wrote: shows what is
 * still in the pipes and puts the terminal back. */
void vp_relay_finish (VpRelay *self);
