/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-ttrpc-client.h"

#include <errno.h>
#include <string.h>

void
vp_ttrpc_client_init (VpTtrpcClient *c)
{
  memset (c, 0, sizeof *c);
  vp_frame_reader_init (&c->reader);
  c->next_stream = 1;
}

void
vp_ttrpc_client_clear (VpTtrpcClient *c)
{
  vp_frame_reader_clear (&c->reader);
}

void
vp_ttrpc_client_start_sync (VpTtrpcClient *c, const uint8_t token[VP_SYNC_TOKEN], uint8_t out[VP_SYNC_SIZE])
{
  vp_frame_reader_reset (&c->reader);
  vp_sync_matcher_init (&c->matcher, token);
  c->syncing = 1;
  vp_sync_make_request (token, out);
}

uint32_t
vp_ttrpc_client_next_stream (VpTtrpcClient *c)
{
  uint32_t stream = c->next_stream;

  if (stream != 0)
    c->next_stream = stream <= INT32_MAX - 2 ? stream + 2 : 0;
  return stream;
}

int
vp_ttrpc_client_feed (VpTtrpcClient *c, const uint8_t *data, size_t len, size_t *consumed)
{
  int rc;

  if (c->syncing)
    {
      if (!vp_sync_find_ack (&c->matcher, data, len, consumed))
        return VP_TTRPC_CLIENT_MORE;
      c->syncing = 0;
      return VP_TTRPC_CLIENT_SYNCED;
    }

  rc = vp_frame_reader_feed (&c->reader, data, len, consumed);
  if (rc <= 0)
    return rc;
  return c->reader.header.type == VP_FRAME_RESPONSE ? VP_TTRPC_CLIENT_RESPONSE : -EPROTO;
}
