/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent-loop.h"
#include "agent-piece.h"

/* The way to the host: a virtio-serial port, or for tests a listening Unix socket
 * that serves one client at a time. Knows frames, not calls. */
typedef struct AgentChannel AgentChannel;

typedef struct
{
  /* @payload is valid during the call */
  void (*request) (uint32_t stream, const uint8_t *payload, size_t len, void *data);
  /* the host that asked is gone: its answers are of no use any more */
  void (*reset) (void *data);
} AgentChannelFuncs;

/* Both take @fd, which must be non-blocking. */
AgentChannel *agent_channel_new_port (AgentLoop *loop, int fd, const AgentChannelFuncs *funcs, void *data);
AgentChannel *agent_channel_new_listener (AgentLoop *loop, int fd, const AgentChannelFuncs *funcs,
                                          void *data);
void agent_channel_free (AgentChannel *c);

/* Takes @frame (malloc'd); thrown away if no host is there. */
void agent_channel_send (AgentChannel *c, uint8_t *frame, size_t len);
/* A frame that ends with @len bytes of @piece from @start on, of which a reference is
 * held until they are sent; @head as above. */
void agent_channel_send_piece (AgentChannel *c, uint8_t *head, size_t head_len, AgentPiece *piece, size_t start,
                               size_t len);
/* whether all that was sent has been handed to the kernel */
int agent_channel_is_idle (const AgentChannel *c);
