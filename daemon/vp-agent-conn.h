/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* One byte channel to one guest, cut into ttrpc frames.
 *
 * The other end is hostile: what arrives is assembled in memory that grows with
 * the bytes received and never with a length that was announced, at most
 * VP_AGENT_CONN_SLICE bytes are handled before other sources of the main loop
 * get their turn, what waits to be sent is bounded, and a peer that breaks the
 * protocol is cut off with an error that names what it did.
 *
 * Main thread only: sources go to the thread-default main context of the
 * thread that calls _open_async(). Reading and writing do not wait for each
 * other. Errors are of VP_ERROR. */
#define VP_TYPE_AGENT_CONN (vp_agent_conn_get_type ())
G_DECLARE_FINAL_TYPE (VpAgentConn, vp_agent_conn, VP, AGENT_CONN, GObject)

/* Most bytes handled per wake-up, most bytes that wait to be sent. */
#define VP_AGENT_CONN_SLICE (256u << 10)
#define VP_AGENT_CONN_MAX_QUEUE (5u << 20)

typedef enum {
  VP_CHANNEL_PLAIN, /* connection means a fresh peer: vsock, hybrid vsock, a Unix socket */
  VP_CHANNEL_SERIAL, /* virtio-serial: no connect in the guest, so a token handshake comes first */
} VpChannelKind;

/* The header of a response has arrived and nothing of its payload is kept yet.
 * TRUE: it is wanted. FALSE: its @len bytes are thrown away as they come. It may
 * end the connection. */
typedef gboolean (*VpAgentConnAdmitFunc) (VpAgentConn *self, guint32 stream, gsize len, gpointer user_data);

/* A whole response has arrived (a frame of another type ends the connection).
 * @payload is borrowed until the function returns. It may close the connection
 * and may drop its last reference. */
typedef void (*VpAgentConnFrameFunc) (VpAgentConn *self, guint32 stream, const guint8 *payload, gsize len,
                                      gpointer user_data);

/* @path: where to connect to, as vp-agent-address.h has it. Pure. */
VpAgentConn *vp_agent_conn_new (const char *path, VpChannelKind kind);

/* Over a connected stream socket; takes @fd and makes it non-blocking. _open
 * then only does the handshake (if @kind has one). */
VpAgentConn *vp_agent_conn_new_for_fd (int fd, VpChannelKind kind);

/* Speaks over @fd, a connection that an earlier process had to the same path,
 * takes it (-1: there is none) and makes it non-blocking. If its other end turns
 * out to be gone before the handshake is over, the path is connected to after
 * all. Before opening; not for VP_CHANNEL_PLAIN, where a conversation cannot
 * be begun anew. */
void vp_agent_conn_take_fd (VpAgentConn *self, int fd);

/* Who says which frames are wanted (NULL: all are), and who gets them; set it
 * before opening, once. */
void vp_agent_conn_set_frame_func (VpAgentConn *self, VpAgentConnAdmitFunc admit, VpAgentConnFrameFunc func,
                                   gpointer user_data);

/* Connects, again and again until the socket is there, and does the handshake.
 * Nothing is delivered and nothing can be sent before it has finished. Once per object.
 * @timeout_ms: for all of it; 0: no limit. Errors: TimedOut, Cancelled,
 * AgentUnavailable (the peer hung up), NotAuthorized and others of connect(2). */
void vp_agent_conn_open_async (VpAgentConn *self, guint timeout_ms, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_agent_conn_open_finish (VpAgentConn *self, GAsyncResult *result, GError **error);

/* Id for the next request; 0 when all of the connection's ids are used up. */
guint32 vp_agent_conn_next_stream (VpAgentConn *self);

/* Queues @len bytes (whole frames, header included, from malloc()) and takes
 * them in any case. Sends what the socket takes at once. AgentUnavailable when
 * not open, ResourceExhausted when the queue is full. */
gboolean vp_agent_conn_send (VpAgentConn *self, guint8 *frame, gsize len, GError **error);

/* Ends the connection and drops what is queued; no signal. Idempotent. */
void vp_agent_conn_close (VpAgentConn *self);

/* The same because of @error (borrowed); emits "closed" at once. For the layer
 * above when it finds a frame that breaks the protocol. */
void vp_agent_conn_fail (VpAgentConn *self, const GError *error);

gboolean vp_agent_conn_is_open (VpAgentConn *self);

/* Bytes since the connection was made, handshake included; bytes queued now. */
guint64 vp_agent_conn_get_bytes_in (VpAgentConn *self);
guint64 vp_agent_conn_get_bytes_out (VpAgentConn *self);
gsize vp_agent_conn_get_queued (VpAgentConn *self);

/* Borrowed; -1: there is none. */
int vp_agent_conn_get_fd (VpAgentConn *self);

/* Signal "closed" (const GError *error): an open connection has ended, not by
 * _close(). AgentUnavailable; the message says why. Emitted once. */
