/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-message.h"

#include <errno.h>
#include <stdlib.h>

/* what malloc adds to a small block, about */
#define BLOCK_OVERHEAD 16

typedef struct
{
  size_t left;
  int exceeded;
} Budget;

static void *
budget_alloc (void *data, size_t size)
{
  Budget *b = data;
  void *p = NULL;

  if (size <= SIZE_MAX - BLOCK_OVERHEAD && size + BLOCK_OVERHEAD <= b->left)
    p = malloc (size);
  if (p == NULL)
    b->exceeded = 1;
  else
    b->left -= size + BLOCK_OVERHEAD;
  return p;
}

static void
budget_free (void *data, void *p)
{
  free (p);
}

ProtobufCMessage *
vp_message_unpack (const ProtobufCMessageDescriptor *descriptor, const uint8_t *data, size_t len,
                   size_t max_bytes)
{
  Budget budget = { .left = max_bytes };
  ProtobufCAllocator allocator = { budget_alloc, budget_free, &budget };
  ProtobufCMessage *m = protobuf_c_message_unpack (descriptor, &allocator, len, data);

  if (m == NULL)
    errno = budget.exceeded ? ENOMEM : EPROTO;
  return m;
}
