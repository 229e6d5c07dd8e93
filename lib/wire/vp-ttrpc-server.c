/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-ttrpc-server.h"

#include <errno.h>
#include <string.h>

void
vp_ttrpc_server_init (VpTtrpcServer *s)
{
  memset (s, 0, sizeof *s);
  vp_frame_reader_init (&s->reader);
}

void
vp_ttrpc_server_clear (VpTtrpcServer *s)
{
  vp_frame_reader_clear (&s->reader);
}

void
vp_ttrpc_server_reset (VpTtrpcServer *s)
{
  vp_frame_reader_reset (&s->reader);
  s->sync_have = 0;
  s->lost = 0;
}

/* 1: the sync message is complete. 0: more is needed. -1: it was none after all. */
static int
collect_sync (VpTtrpcServer *s, const uint8_t *data, size_t len, size_t *consumed)
{
  size_t n = VP_SYNC_SIZE - s->sync_have;
  int rc;

  n = n < len ? n : len;
  memcpy (s->sync + s->sync_have, data, n);
  s->sync_have += n;
  *consumed = n;
  rc = vp_sync_is_request (s->sync, s->sync_have);
  if (rc > 0)
    vp_ttrpc_server_reset (s);
  return rc;
}

/* In a lost stream a sync can begin anywhere; only its first byte tells. */
static int
feed_lost (VpTtrpcServer *s, const uint8_t *data, size_t len, size_t *consumed)
{
  size_t skipped = 0;

  while (skipped < len)
    {
      const uint8_t *magic = s->sync_have > 0 ? data + skipped : memchr (data + skipped, 0xff, len - skipped);
      size_t used;
      int rc;

      if (magic == NULL)
        break;
      skipped = (size_t) (magic - data);
      rc = collect_sync (s, magic, len - skipped, &used);
      *consumed = skipped + used;
      if (rc > 0)
        return VP_TTRPC_SERVER_SYNC;
      if (rc == 0)
        return VP_TTRPC_SERVER_MORE;
      /* none: look again behind the byte that looked like one */
      skipped += s->sync_have == used ? 1 : 0;
      s->sync_have = 0;
    }
  *consumed = len;
  return VP_TTRPC_SERVER_MORE;
}

int
vp_ttrpc_server_feed (VpTtrpcServer *s, const uint8_t *data, size_t len, int first, size_t *consumed)
{
  int rc;

  *consumed = 0;
  if (len == 0)
    return VP_TTRPC_SERVER_MORE;

  /* nothing may follow a sync before its ack, so inside a frame it is the whole read */
  if (first && len == VP_SYNC_SIZE && vp_sync_is_request (data, len) > 0)
    {
      vp_ttrpc_server_reset (s);
      memcpy (s->sync, data, len);
      *consumed = len;
      return VP_TTRPC_SERVER_SYNC;
    }
  if (s->lost)
    return feed_lost (s, data, len, consumed);

  if (s->sync_have > 0 || (vp_frame_reader_at_boundary (&s->reader) && data[0] == 0xff))
    {
      rc = collect_sync (s, data, len, consumed);
      if (rc >= 0)
        return rc > 0 ? VP_TTRPC_SERVER_SYNC : VP_TTRPC_SERVER_MORE;
      s->sync_have = 0;
      s->lost = 1;
      return -EPROTO;
    }

  rc = vp_frame_reader_feed (&s->reader, data, len, consumed);
  if (rc > 0 && s->reader.header.type != VP_FRAME_REQUEST)
    rc = -EPROTO;
  if (rc < 0)
    s->lost = 1;
  return rc;
}

void
vp_ttrpc_server_get_ack (const VpTtrpcServer *s, uint8_t out[VP_SYNC_SIZE])
{
  vp_sync_make_ack (s->sync + VP_SYNC_SIZE - VP_SYNC_TOKEN, out);
}
