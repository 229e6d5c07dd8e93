/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-frame.h"
#include "vp-sync.h"

/* The host's half of a channel as a state machine over bytes: stream ids, the
 * search for the agent's ack after a sync, reassembly of responses. The caller owns
 * the socket, the table of pending calls and the deadlines. One thread at a time. */
typedef struct
{
  VpFrameReader reader;
  VpSyncMatcher matcher;
  int syncing; /* everything is thrown away until the ack has come */
  uint32_t next_stream;
} VpTtrpcClient;

typedef enum
{
  VP_TTRPC_CLIENT_MORE = 0,     /* all bytes taken, nothing to do */
  VP_TTRPC_CLIENT_RESPONSE = 1, /* reader.header.stream and reader.payload hold a response */
  VP_TTRPC_CLIENT_SYNCED = 2,   /* the ack came: calls may be sent */
} VpTtrpcClientEvent;

void vp_ttrpc_client_init (VpTtrpcClient *c);
void vp_ttrpc_client_clear (VpTtrpcClient *c);

/* A new conversation on a serial channel: @out is to be sent as it is, and no
 * request before VP_TTRPC_CLIENT_SYNCED. Stream ids go on counting. */
void vp_ttrpc_client_start_sync (VpTtrpcClient *c, const uint8_t token[VP_SYNC_TOKEN],
                                 uint8_t out[VP_SYNC_SIZE]);

/* Odd and growing; 0 when the channel has used them all up. */
uint32_t vp_ttrpc_client_next_stream (VpTtrpcClient *c);

/* An event, or a negative errno after which the channel is of no use: -EMSGSIZE,
 * -EPROTO (also for a frame that is no response), -ENOMEM. Call again with the rest
 * (data + *consumed) until VP_TTRPC_CLIENT_MORE. */
int vp_ttrpc_client_feed (VpTtrpcClient *c, const uint8_t *data, size_t len, size_t *consumed);
