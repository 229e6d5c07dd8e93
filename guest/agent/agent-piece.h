/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent-loop.h"

/* A piece of a stream: read into once, then held by all who have to send it or may have
 * to send it again, without a copy. */

/* room in front of the bytes, for the head of the frame that they are sent in */
#define AGENT_PIECE_HEADROOM 64

typedef struct AgentPiece AgentPiece;
struct AgentPiece
{
  AgentPiece *next; /* in a pool */
  unsigned refs;
  size_t size; /* of the bytes, which are data + AGENT_PIECE_HEADROOM */
  uint8_t data[];
};

uint8_t *agent_piece_bytes (AgentPiece *self);
AgentPiece *agent_piece_ref (AgentPiece *self);
void agent_piece_unref (AgentPiece *self); /* NULL is fine */

/* Large pieces to be used again: fresh memory costs a page fault for each 4 KiB, more
 * than copying them does. Those that nobody wanted for a second are given back. */
typedef struct
{
  AgentLoop *loop;
  AgentPiece *spare;
  unsigned n_spare;
  int used; /* since the timer was set */
  AgentTimer *timer;
} AgentPool;

void agent_pool_init (AgentPool *self, AgentLoop *loop);
void agent_pool_clear (AgentPool *self);
/* With room for @size bytes at least, not zeroed; one reference. */
AgentPiece *agent_pool_take (AgentPool *self, size_t size);
/* Takes a reference back; what others hold as well is not used again. */
void agent_pool_give (AgentPool *self, AgentPiece *piece);
