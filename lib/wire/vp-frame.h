/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* ttrpc framing: ten bytes of header (big endian length of the payload, big
 * endian stream id, type, flags), then the payload. Pure; no sockets, no
 * threads of its own, any thread may use its own reader. */

#define VP_FRAME_HEADER 10
#define VP_FRAME_MAX (4u << 20) /* largest payload, in bytes */

typedef enum
{
  VP_FRAME_REQUEST = 1,
  VP_FRAME_RESPONSE = 2,
  VP_FRAME_DATA = 3,
} VpFrameType;

typedef struct
{
  uint32_t length; /* bytes of payload */
  uint32_t stream;
  uint8_t type;
  uint8_t flags;
} VpFrameHeader;

void vp_frame_encode (const VpFrameHeader *h, uint8_t out[VP_FRAME_HEADER]);

/* 0, or -EMSGSIZE for a payload over VP_FRAME_MAX, -EPROTO for an unknown type.
 * @h is filled in every case. */
int vp_frame_decode (const uint8_t in[VP_FRAME_HEADER], VpFrameHeader *h);

/* Asked once for each frame when its header is there and nothing of its payload
 * has been kept. 1: wanted. 0: not wanted; its bytes are thrown away as they come,
 * and the reader says nothing of it. A negative errno: feeding fails with it. */
typedef int (*VpFrameAdmitFunc) (const VpFrameHeader *h, void *data);

/* Reassembles frames out of pieces of a byte stream. All members but admit and
 * admit_data (NULL: every frame is wanted) are to be read only, and
 * header/payload only after vp_frame_reader_feed() returned 1. */
typedef struct
{
  VpFrameAdmitFunc admit;
  void *admit_data;
  VpFrameHeader header;
  uint8_t *payload; /* owned by the reader, header.length bytes */
  uint8_t head[VP_FRAME_HEADER];
  size_t head_have;
  size_t have;
  size_t allocated;
  int complete;
  int unwanted;
} VpFrameReader;

void vp_frame_reader_init (VpFrameReader *r);
/* gives the memory back; the reader can be used again as after _init, with the same admit */
void vp_frame_reader_clear (VpFrameReader *r);
/* forgets a half frame: the next byte is the first of a header */
void vp_frame_reader_reset (VpFrameReader *r);
/* whether the next byte is the first of a header */
int vp_frame_reader_at_boundary (const VpFrameReader *r);

/* Takes bytes from @data, at most up to the end of one frame, and says in
 * @consumed how many. 1: a whole frame is there, valid until the next call with
 * this reader; call again with what is left. 0: all was taken, more is needed.
 * Whatever else is negative: what admit said.
 * -EMSGSIZE, -EPROTO: the stream is not ttrpc (any more). -ENOMEM. After an error
 * only reset or clear make sense.
 * Memory grows with the bytes that came, never with the announced length. */
int vp_frame_reader_feed (VpFrameReader *r, const uint8_t *data, size_t len, size_t *consumed);
