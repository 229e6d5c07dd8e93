/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-agent-conn.h"
#include "vp-error.h"
#include "vp-ttrpc-client.h"

/* Between the files of VpAgentConn. */

/* the first pause between tries to connect */
#define RETRY_MIN_MS 10

typedef enum {
  STATE_NEW,
  STATE_CONNECTING,
  STATE_SYNCING,
  STATE_OPEN,
  STATE_CLOSED,
} State;

typedef struct
{
  guint8 *data; /* from malloc() */
  gsize len;
  gsize sent;
} Chunk;

struct _VpAgentConn
{
  GObject parent_instance;

  char *path;
  VpChannelKind kind;
  State state;
  int fd; /* -1: none */
  gboolean inherited; /* an earlier process had it */
  GMainContext *context;

  GSource *readable;
  GSource *writable; /* only while something is queued */
  GSource *timer; /* next try to connect, next sync */
  GSource *deadline;
  GSource *cancelled;
  GTask *opening;
  guint retry_ms;
  guint n_syncs;

  VpTtrpcClient wire;
  gboolean in_feed;
  GQueue queue; /* of Chunk */
  gsize queued;
  guint64 bytes_in;
  guint64 bytes_out;

  VpAgentConnAdmitFunc admit;
  VpAgentConnFrameFunc func;
  gpointer func_data;
};

/* Takes @source, which runs @callback with @self on the connection's context. */
GSource *vp_agent_conn_attach (VpAgentConn *self, GSource *source, GSourceFunc callback, const char *name);

/* Ends it, opening or open, and tells whom it concerns. The first takes @error,
 * the second makes one, "agent channel: " and the text. */
void vp_agent_conn_end_with (VpAgentConn *self, GError *error);
void vp_agent_conn_end_with_code (VpAgentConn *self, VpError code, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Takes @data, from malloc(). */
void vp_agent_conn_enqueue (VpAgentConn *self, guint8 *data, gsize len);

/* The socket is there: bytes are read from it from now on. */
void vp_agent_conn_start_reading (VpAgentConn *self);

/* The socket, what waits for it and what waits to be sent. */
void vp_agent_conn_drop_socket (VpAgentConn *self);

/* vp-agent-conn-open.c: frames may come and go. */
void vp_agent_conn_opened (VpAgentConn *self);

/* The same: the socket is of no use, the path is tried. */
void vp_agent_conn_start_over (VpAgentConn *self);
