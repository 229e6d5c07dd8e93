/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-frame.h"
#include "vp-sync.h"

/* The agent's half of a channel as a state machine over bytes: reassembly of
 * requests, and on a serial channel the host's sync messages. The caller owns the
 * file descriptor and the output queue. One thread at a time. */
typedef struct
{
  VpFrameReader reader;
  uint8_t sync[VP_SYNC_SIZE]; /* a sync message on its way in */
  size_t sync_have;
  int lost; /* not ttrpc any more: wait for a sync */
} VpTtrpcServer;

typedef enum
{
  VP_TTRPC_SERVER_MORE = 0,    /* all bytes taken, nothing to do */
  VP_TTRPC_SERVER_REQUEST = 1, /* reader.header.stream and reader.payload hold a request */
  VP_TTRPC_SERVER_SYNC = 2,    /* drop all output, then send the ack made by _get_ack */
} VpTtrpcServerEvent;

void vp_ttrpc_server_init (VpTtrpcServer *s);
void vp_ttrpc_server_clear (VpTtrpcServer *s);
/* the host went away: forget half a frame */
void vp_ttrpc_server_reset (VpTtrpcServer *s);

/* @first: @data is the very start of what one read() returned, where a sync
 * message that is the whole of it is believed even inside a frame (the host that
 * should have finished the frame is gone).
 * An event, or a negative errno: -EMSGSIZE and -EPROTO mean that the stream is not
 * ttrpc; from then on everything is thrown away until a sync. Call again with the
 * rest (data + *consumed, not first) until VP_TTRPC_SERVER_MORE. */
int vp_ttrpc_server_feed (VpTtrpcServer *s, const uint8_t *data, size_t len, int first, size_t *consumed);

/* the answer to the sync that was just seen */
void vp_ttrpc_server_get_ack (const VpTtrpcServer *s, uint8_t out[VP_SYNC_SIZE]);
