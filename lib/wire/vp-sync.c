/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sync.h"

#include <string.h>

static const uint8_t request_magic[8] = { 0xff, 'V', 'P', 'S', 'Y', 'N', 'C', 1 };
static const uint8_t ack_magic[8] = { 0xff, 'V', 'P', 'S', 'Y', 'A', 'K', 1 };

static void
make (const uint8_t magic[8], const uint8_t token[VP_SYNC_TOKEN], uint8_t out[VP_SYNC_SIZE])
{
  memcpy (out, magic, 8);
  memcpy (out + 8, token, VP_SYNC_TOKEN);
}

void
vp_sync_make_request (const uint8_t token[VP_SYNC_TOKEN], uint8_t out[VP_SYNC_SIZE])
{
  make (request_magic, token, out);
}

void
vp_sync_make_ack (const uint8_t token[VP_SYNC_TOKEN], uint8_t out[VP_SYNC_SIZE])
{
  make (ack_magic, token, out);
}

int
vp_sync_is_request (const uint8_t *data, size_t len)
{
  size_t n = len < sizeof request_magic ? len : sizeof request_magic;

  if (n > 0 && memcmp (data, request_magic, n) != 0)
    return -1;
  return len >= VP_SYNC_SIZE;
}

void
vp_sync_matcher_init (VpSyncMatcher *m, const uint8_t token[VP_SYNC_TOKEN])
{
  vp_sync_make_ack (token, m->wanted);
  m->have = 0;
}

/* The longest start of @wanted that the bytes seen end with, after wanted[0..have)
 * was followed by something else. A token may hold 0xff, so "start again" is not
 * enough; at 24 bytes trying them all is cheaper than a table. */
static size_t
fall_back (const VpSyncMatcher *m, size_t have, uint8_t next)
{
  for (size_t n = have; n > 0; n--)
    if (m->wanted[n - 1] == next && memcmp (m->wanted, m->wanted + have - (n - 1), n - 1) == 0)
      return n;
  return 0;
}

int
vp_sync_find_ack (VpSyncMatcher *m, const uint8_t *data, size_t len, size_t *consumed)
{
  for (size_t i = 0; i < len; i++)
    {
      if (m->wanted[m->have] == data[i])
        m->have++;
      else
        m->have = fall_back (m, m->have, data[i]);
      if (m->have == VP_SYNC_SIZE)
        {
          m->have = 0;
          *consumed = i + 1;
          return 1;
        }
    }
  *consumed = len;
  return 0;
}
