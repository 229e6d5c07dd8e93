/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A serial channel (virtio-serial) has no connect: whoever opens it may find the
 * rest of an old conversation. The host therefore starts with a sync message, the
 * magic below and a random token; the agent drops what it was about to say and
 * answers with its own magic and the same token. ttrpc's first byte is always 0,
 * so 0xff where a frame may start cannot be anything else. */

#define VP_SYNC_TOKEN 16
#define VP_SYNC_SIZE (8 + VP_SYNC_TOKEN)

void vp_sync_make_request (const uint8_t token[VP_SYNC_TOKEN], uint8_t out[VP_SYNC_SIZE]);
void vp_sync_make_ack (const uint8_t token[VP_SYNC_TOKEN], uint8_t out[VP_SYNC_SIZE]);

/* Whether @data starts like a sync request: 1 yes, all VP_SYNC_SIZE bytes are
 * there (the token begins at data + 8); 0 so far, but more bytes are needed;
 * -1 it does not. */
int vp_sync_is_request (const uint8_t *data, size_t len);

/* Host side: looks for the ack of one token in a stream of anything. */
typedef struct
{
  uint8_t wanted[VP_SYNC_SIZE];
  size_t have; /* how many bytes of it were just seen */
} VpSyncMatcher;

void vp_sync_matcher_init (VpSyncMatcher *m, const uint8_t token[VP_SYNC_TOKEN]);
/* 1: the ack ends at data + *consumed and ttrpc starts there. 0: all of @data was
 * taken and thrown away, go on. Finds an ack split over any number of calls. */
int vp_sync_find_ack (VpSyncMatcher *m, const uint8_t *data, size_t len, size_t *consumed);
