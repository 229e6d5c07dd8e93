/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "vp-agent-client.h"

/* The standard streams of one process: moves bytes between ends on the host
 * and the agent (ReadStdout, ReadStderr, WriteStdin, CloseStdin).
 *
 * Each stream is bound to a file descriptor, bound to a path, or to nothing.
 * Output bound to nothing is kept: the newest VP_STDIO_BUFFER bytes per stream,
 * until vp_stdio_attach() makes an end for it.
 *
 * One read per stream is under way at a time, and the next one is made only
 * when the data has gone to the host: a slow reader slows the process down and
 * costs no memory. When a bound reader goes away (EPIPE) what follows is read
 * and dropped, so that the process does not hang on a reader that never comes
 * back; an attached reader that goes away leaves a buffered stream behind.
 * A FIFO opened by path is different: it is held open for reading too, so a
 * reader may come late or come back, and until it does the process waits.
 *
 * File descriptors from callers keep their flags: they are shared with the
 * caller, so pipes and terminals are opened again (through /proc/self/fd) to
 * get non-blocking ones. Regular files are read and written in a worker thread.
 *
 * Main thread only. SIGPIPE is ignored from the first object on. Calls under way
 * keep the object alive: its owner ends it with vp_stdio_stop(), not by dropping it. */
#define VP_TYPE_STDIO (vp_stdio_get_type ())
G_DECLARE_FINAL_TYPE (VpStdio, vp_stdio, VP, STDIO, GObject)

typedef enum {
  VP_STDIO_STDIN,
  VP_STDIO_STDOUT,
  VP_STDIO_STDERR,
} VpStdioStream;
#define VP_STDIO_N_STREAMS 3
/* where vp_stdio_attach() puts the one end of a terminal */
#define VP_STDIO_TERMINAL VP_STDIO_STDIN

#define VP_STDIO_BUFFER (256u << 10) /* bytes kept per unattached stream */
#define VP_STDIO_GRACE_MS 2000 /* drain: longest time without progress */
#define VP_STDIO_DRAIN_MAX_MS 30000 /* drain: longest time at all */

/* @client is referenced. @exec_id is what the agent knows the process by. With
 * @terminal there is no stderr: everything comes through stdout. Pure. */
VpStdio *vp_stdio_new (VpAgentClient *client, const char *cid, const char *exec_id, gboolean terminal);

/* Names for the log lines of this object; may be NULL. */
void vp_stdio_set_log_names (VpStdio *self, const char *sandbox, const char *container);

/* Binds @stream to @fd: a pipe, FIFO, socket, terminal, file or device; before
 * _start. Takes @fd in any case. For a terminal one fd may be bound to both
 * directions: duplicate it. InvalidArgument: stderr of a terminal, a
 * directory, a descriptor not open in the needed direction; InvalidState: bound already. */
gboolean vp_stdio_bind_fd (VpStdio *self, VpStdioStream stream, int fd, GError **error);

/* Binds stdin and stdout to one stream socket, of which nobody else has this end:
 * each direction ends by itself, and the peer sees it. Takes @fd in any case. */
gboolean vp_stdio_bind_socket (VpStdio *self, int fd, GError **error);

/* Binds @stream to a FIFO, file or device that exists at the absolute @path.
 * Never blocks and never becomes a controlling terminal; files are appended
 * to. NotFound, InvalidArgument, NotAuthorized. */
gboolean vp_stdio_bind_path (VpStdio *self, VpStdioStream stream, const char *path, GError **error);

gboolean vp_stdio_is_bound (VpStdio *self, VpStdioStream stream);

/* Starts moving bytes. Call it when the process exists for the agent: before
 * StartContainer is fine, so no output is missed. */
void vp_stdio_start (VpStdio *self);

/* New ends for the streams of @which (a mask of 1 << VpStdioStream; 0: all
 * that are not bound) that are not bound. @ret_fds: -1 or a descriptor the
 * caller owns (close-on-exec, blocking); stdin is to be written, the others to be
 * read; a terminal has one socket for both directions in
 * [VP_STDIO_TERMINAL]. What was buffered comes first. When the other side
 * closes its ends the streams are unattached again: the end of an attached
 * stdin is not the end of the process's stdin, which
 * vp_stdio_close_stdin_async() is for. May be used after the process has ended
 * to get the rest of its output. InvalidState (nothing to attach to, stopped), Busy (attached already). */
gboolean vp_stdio_attach (VpStdio *self, guint which, int ret_fds[VP_STDIO_N_STREAMS], GError **error);

/* The process gets end-of-file after what can be read from the host's end now.
 * Closing twice is success. */
void vp_stdio_close_stdin_async (VpStdio *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data);
gboolean vp_stdio_close_stdin_finish (VpStdio *self, GAsyncResult *result, GError **error);

/* Finishes when stdout and stderr have ended and all of it has been written to
 * the host's ends (or kept): call it when the process has exited, to tell of the exit after
 * the output. Gives up when nothing has moved for VP_STDIO_GRACE_MS (nobody
 * reads, or a background process holds the stream open) or after
 * VP_STDIO_DRAIN_MAX_MS, and then returns FALSE with TimedOut; the streams go
 * on. Also stops reading the host's stdin. */
void vp_stdio_drain_async (VpStdio *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data);
gboolean vp_stdio_drain_finish (VpStdio *self, GAsyncResult *result, GError **error);

/* Ends everything and closes the host's ends; what was not written is lost. Idempotent. */
void vp_stdio_stop (VpStdio *self);

/* Bytes of @stream that went to the host (or came from it), and bytes lost:
 * pushed out of the buffer or without a reader. */
guint64 vp_stdio_get_bytes (VpStdio *self, VpStdioStream stream);
guint64 vp_stdio_get_dropped (VpStdio *self, VpStdioStream stream);
