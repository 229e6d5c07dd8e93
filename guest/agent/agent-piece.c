/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-piece.h"

#include <stdlib.h>

#include "agent-util.h"

/* All large ones have one size, so that any of them does for any read. */
#define LARGE (512u << 10)
#define SMALL_MAX (16u << 10)
#define MAX_SPARE 3
#define SPARE_MSEC 1000

uint8_t *
agent_piece_bytes (AgentPiece *self)
{
  return self->data + AGENT_PIECE_HEADROOM;
}

AgentPiece *
agent_piece_ref (AgentPiece *self)
{
  self->refs++;
  return self;
}

void
agent_piece_unref (AgentPiece *self)
{
  if (self != NULL && --self->refs == 0)
    free (self);
}

void
agent_pool_init (AgentPool *self, AgentLoop *loop)
{
  *self = (AgentPool){ .loop = loop };
}

static void
free_spare (AgentPool *self)
{
  AgentPiece *piece;

  while ((piece = self->spare) != NULL)
    {
      self->spare = piece->next;
      free (piece);
    }
  self->n_spare = 0;
}

void
agent_pool_clear (AgentPool *self)
{
  free_spare (self);
  agent_timer_free (self->timer);
  self->timer = NULL;
}

static void
idle (void *data)
{
  AgentPool *self = data;

  self->timer = self->used ? agent_timer_new (self->loop, SPARE_MSEC, idle, self) : NULL;
  if (!self->used)
    free_spare (self);
  self->used = 0;
}

AgentPiece *
agent_pool_take (AgentPool *self, size_t size)
{
  AgentPiece *piece = NULL;

  if (size > SMALL_MAX && size < LARGE)
    size = LARGE;
  if (size == LARGE)
    {
      self->used = 1;
      piece = self->spare;
    }
  if (piece != NULL)
    {
      self->spare = piece->next;
      self->n_spare--;
    }
  else
    piece = agent_alloc_dirty (sizeof *piece + AGENT_PIECE_HEADROOM + size);
  piece->next = NULL;
  piece->refs = 1;
  piece->size = size;
  return piece;
}

void
agent_pool_give (AgentPool *self, AgentPiece *piece)
{
  if (piece->refs > 1 || piece->size != LARGE || self->n_spare >= MAX_SPARE)
    {
      agent_piece_unref (piece);
      return;
    }
  piece->next = self->spare;
  self->spare = piece;
  self->n_spare++;
  if (self->timer == NULL)
    self->timer = agent_timer_new (self->loop, SPARE_MSEC, idle, self);
}
