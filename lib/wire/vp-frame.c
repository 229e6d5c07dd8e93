/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ALLOCATION 4096
/* a buffer above this is not kept for the next frame */
#define KEEP_ALLOCATION (128u << 10)

static void
put_be32 (uint8_t *p, uint32_t v)
{
  p[0] = (uint8_t) (v >> 24);
  p[1] = (uint8_t) (v >> 16);
  p[2] = (uint8_t) (v >> 8);
  p[3] = (uint8_t) v;
}

static uint32_t
get_be32 (const uint8_t *p)
{
  return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
}

void
vp_frame_encode (const VpFrameHeader *h, uint8_t out[VP_FRAME_HEADER])
{
  put_be32 (out, h->length);
  put_be32 (out + 4, h->stream);
  out[8] = h->type;
  out[9] = h->flags;
}

int
vp_frame_decode (const uint8_t in[VP_FRAME_HEADER], VpFrameHeader *h)
{
  h->length = get_be32 (in);
  h->stream = get_be32 (in + 4);
  h->type = in[8];
  h->flags = in[9];

  if (h->length > VP_FRAME_MAX)
    return -EMSGSIZE;
  if (h->type < VP_FRAME_REQUEST || h->type > VP_FRAME_DATA)
    return -EPROTO;
  return 0;
}

void
vp_frame_reader_init (VpFrameReader *r)
{
  memset (r, 0, sizeof *r);
}

void
vp_frame_reader_clear (VpFrameReader *r)
{
  VpFrameAdmitFunc admit = r->admit;
  void *data = r->admit_data;

  free (r->payload);
  memset (r, 0, sizeof *r);
  r->admit = admit;
  r->admit_data = data;
}

void
vp_frame_reader_reset (VpFrameReader *r)
{
  r->head_have = 0;
  r->have = 0;
  r->complete = 0;
  r->unwanted = 0;
  if (r->allocated > KEEP_ALLOCATION)
    {
      free (r->payload);
      r->payload = NULL;
      r->allocated = 0;
    }
}

int
vp_frame_reader_at_boundary (const VpFrameReader *r)
{
  return r->complete || r->head_have == 0;
}

/* room for @more bytes after what is there; doubles, never above the frame */
static int
reserve (VpFrameReader *r, size_t more)
{
  size_t want = r->have + more;
  size_t size = r->allocated > 0 ? r->allocated : FIRST_ALLOCATION;
  uint8_t *grown;

  if (want <= r->allocated)
    return 0;
  while (size < want)
    size *= 2;
  grown = realloc (r->payload, size);
  if (grown == NULL)
    return -ENOMEM;
  r->payload = grown;
  r->allocated = size;
  return 0;
}

/* The header is there: what is to become of the frame. */
static int
decide (VpFrameReader *r)
{
  int rc = vp_frame_decode (r->head, &r->header);

  if (rc < 0 || r->admit == NULL)
    return rc;
  rc = r->admit (&r->header, r->admit_data);
  if (rc < 0)
    return rc;
  r->unwanted = rc == 0;
  return 0;
}

/* Takes bytes up to the end of one frame, wanted or not. */
static int
feed_one (VpFrameReader *r, const uint8_t *data, size_t len, size_t *consumed)
{
  size_t used = 0, n;
  int rc;

  *consumed = 0;
  if (r->complete)
    vp_frame_reader_reset (r);

  if (r->head_have < VP_FRAME_HEADER)
    {
      n = VP_FRAME_HEADER - r->head_have;
      n = n < len ? n : len;
      if (n > 0)
        memcpy (r->head + r->head_have, data, n);
      r->head_have += n;
      used = n;
      *consumed = used;
      if (r->head_have < VP_FRAME_HEADER)
        return 0;
      rc = decide (r);
      if (rc < 0)
        return rc;
    }

  n = r->header.length - r->have;
  n = n < len - used ? n : len - used;
  if (n > 0)
    {
      if (!r->unwanted)
        {
          rc = reserve (r, n);
          if (rc < 0)
            return rc;
          memcpy (r->payload + r->have, data + used, n);
        }
      r->have += n;
      *consumed = used + n;
    }
  r->complete = r->have == r->header.length;
  return r->complete;
}

int
vp_frame_reader_feed (VpFrameReader *r, const uint8_t *data, size_t len, size_t *consumed)
{
  size_t used, total = 0;
  int rc;

  do
    {
      rc = feed_one (r, data + total, len - total, &used);
      total += used;
    }
  while (rc > 0 && r->unwanted && total < len);
  *consumed = total;
  return rc > 0 && r->unwanted ? 0 : rc;
}
