/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-stdio-output.h"

#include <errno.h>

#include "vp-log.h"
#include "vp-stdio-ring.h"

/* Asked for at a time. Each answer costs the guest a trip to the host, so of an agent
 * whose pipes hold as much, more is asked. */
#define READ_SIZE (256u << 10)
#define READ_SIZE_AHEAD (512u << 10)
/* Answers on their way to a reader of such an agent: it has always one to give, and does
 * not wait for the trip. */
#define MAX_AHEAD 2

struct _VpStdioOutput
{
  VpStdioProcess *process;
  gboolean is_stderr;
  VpStdioMovedFunc moved;
  gpointer moved_data;

  VpStdioEnd *end;
  gboolean bound;
  gboolean attached;
  gboolean discard; /* the bound reader is gone */

  gboolean started;
  guint reading; /* calls under way */
  gboolean in_order; /* the agent's answers are, and it is told what is done */
  gboolean ended; /* the agent said so */
  GBytes *chunk; /* being written, from @offset on */
  gsize offset;
  GQueue waiting; /* comes after the chunk: Piece */
  VpStdioRing kept; /* for a reader that may come; nothing is waiting then */
  guint64 chunk_end; /* position in the stream */
  guint64 done; /* likewise: up to there everything is written, kept or dropped */
  guint64 bytes;
  guint64 dropped;
};

/* One answer */
typedef struct
{
  GBytes *bytes;
  guint64 end; /* position in the stream */
} Piece;

static void pump (VpStdioOutput *self);

static void
piece_free (Piece *piece)
{
  g_bytes_unref (piece->bytes);
  g_free (piece);
}

static void
drop_chunk (VpStdioOutput *self)
{
  self->done = self->chunk_end;
  g_clear_pointer (&self->chunk, g_bytes_unref);
}

/* FALSE: there is nothing more to write now. */
static gboolean
next_chunk (VpStdioOutput *self)
{
  Piece *piece;

  self->offset = 0;
  if (self->end != NULL && self->kept.len > 0)
    {
      self->chunk = vp_stdio_ring_take (&self->kept);
      self->chunk_end = self->done;
      return TRUE;
    }
  piece = g_queue_pop_head (&self->waiting);
  if (piece == NULL)
    return FALSE;
  self->chunk = g_bytes_ref (piece->bytes);
  self->chunk_end = piece->end;
  piece_free (piece);
  return TRUE;
}

static const char *
name (VpStdioOutput *self)
{
  return self->is_stderr ? "stderr" : "stdout";
}

static void
on_end_ready (gpointer user_data)
{
  VpStdioOutput *self = user_data;
  g_autoptr (GObject) owner G_GNUC_UNUSED = g_object_ref (self->process->owner);

  pump (self);
}

static void
on_lingered (gpointer user_data)
{
  VpStdioOutput *self = user_data;

  g_clear_pointer (&self->end, vp_stdio_end_free);
}

static void
keep (VpStdioOutput *self, GBytes *bytes, gsize offset)
{
  gsize len;
  const guint8 *data = g_bytes_get_data (bytes, &len);

  self->dropped += vp_stdio_ring_push (&self->kept, data + offset, len - offset);
}

/* What was on its way to an attachment is kept again, in order. */
static void
detach (VpStdioOutput *self)
{
  g_clear_pointer (&self->end, vp_stdio_end_free);
  self->attached = FALSE;
  if (self->chunk == NULL)
    return;
  do
    {
      keep (self, self->chunk, self->offset);
      drop_chunk (self);
    }
  while (next_chunk (self));
}

static void
on_detached (gpointer user_data)
{
  VpStdioOutput *self = user_data;
  g_autoptr (GObject) owner G_GNUC_UNUSED = g_object_ref (self->process->owner);

  detach (self);
  pump (self);
}

static void
end_is_gone (VpStdioOutput *self, int errsv)
{
  if (self->attached)
    {
      detach (self);
      return;
    }
  if (errsv != EPIPE && errsv != ECONNRESET)
    vp_warning (self->process->sandbox, self->process->container,
                "%s: cannot be written, dropped from here on: %s", name (self), g_strerror (errsv));
  g_clear_pointer (&self->end, vp_stdio_end_free);
  self->discard = TRUE;
}

/* FALSE: to be gone on with later. */
static gboolean
write_chunk (VpStdioOutput *self)
{
  gsize len = g_bytes_get_size (self->chunk);
  gssize n;

  if (self->discard)
    {
      self->dropped += len - self->offset;
      drop_chunk (self);
      return TRUE;
    }
  if (self->end == NULL)
    {
      keep (self, self->chunk, self->offset);
      drop_chunk (self);
      return TRUE;
    }
  n = vp_stdio_end_write (self->end, self->chunk, self->offset, on_end_ready, self);
  if (n == -EAGAIN)
    return FALSE;
  if (n < 0)
    {
      end_is_gone (self, (int) -n);
      return TRUE;
    }
  self->offset += (gsize) n;
  self->bytes += (guint64) n;
  if (self->offset == len)
    drop_chunk (self);
  self->moved (self->moved_data);
  return TRUE;
}

/* Everything is out: the reader gets its end-of-file. */
static void
close_end (VpStdioOutput *self)
{
  self->attached = FALSE;
  if (self->end != NULL && !vp_stdio_end_linger (self->end, on_lingered, self))
    g_clear_pointer (&self->end, vp_stdio_end_free);
  self->moved (self->moved_data);
}

static void
add_piece (VpStdioOutput *self, GBytes *bytes, guint64 offset)
{
  Piece *piece = g_new (Piece, 1);

  /* our agent's: others say 0 of all */
  self->in_order = self->in_order || offset > 0;
  piece->bytes = bytes;
  piece->end = offset + g_bytes_get_size (bytes);
  g_queue_push_tail (&self->waiting, piece);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpStdioOutput *self = user_data;
  g_autoptr (GObject) owner G_GNUC_UNUSED = self->process->owner; /* the reference of the call */
  g_autoptr (GError) error = NULL;
  guint64 offset;
  GBytes *bytes = vp_agent_client_read_finish (VP_AGENT_CLIENT (source), result, &offset, &error);

  self->reading--;
  if (bytes != NULL && g_bytes_get_size (bytes) > 0 && !self->ended)
    add_piece (self, g_steal_pointer (&bytes), offset);
  else if (!self->ended)
    {
      self->ended = TRUE;
      if (error != NULL && self->started)
        vp_warning (self->process->sandbox, self->process->container, "%s ends early: %s", name (self),
                    error->message);
    }
  g_clear_pointer (&bytes, g_bytes_unref);
  if (self->started)
    pump (self);
}

/* Asks until @ahead answers are there or under way. Of a reader that does not keep up no
 * more than these wait. */
static void
read_more (VpStdioOutput *self, guint ahead)
{
  /* with 0 it would be the agent that says what we have */
  gboolean tells = self->in_order && self->done > 0;

  ahead = tells ? ahead : 1;
  while (self->started && !self->ended && self->reading + self->waiting.length < ahead)
    {
      self->reading++;
      g_object_ref (self->process->owner);
      vp_agent_client_read_async (self->process->client, self->process->cid, self->process->exec_id,
                                  self->is_stderr, tells ? READ_SIZE_AHEAD : READ_SIZE, tells ? self->done : 0,
                                  self->process->cancellable, on_read, self);
    }
}

/* One read is under way while a chunk is written, so that the guest and the reader work
 * at the same time. Each chunk that is written is followed by a read, which tells the
 * agent so: what it was not told when the daemon dies, the next one is given again. */
static void
pump (VpStdioOutput *self)
{
  while (self->chunk != NULL || next_chunk (self))
    {
      read_more (self, 1);
      if (!write_chunk (self))
        return;
      if (self->chunk == NULL)
        read_more (self, MAX_AHEAD);
    }
  read_more (self, 1);
  if (self->ended)
    close_end (self);
}

void
vp_stdio_output_bind (VpStdioOutput *self, VpStdioEnd *end)
{
  self->end = end;
  self->bound = TRUE;
}

void
vp_stdio_output_attach (VpStdioOutput *self, VpStdioEnd *end)
{
  self->end = end;
  self->attached = TRUE;
  vp_stdio_end_watch_hangup (end, on_detached, self);
  pump (self);
}

gboolean
vp_stdio_output_is_bound (VpStdioOutput *self)
{
  return self->bound;
}

gboolean
vp_stdio_output_is_attached (VpStdioOutput *self)
{
  return self->attached;
}

void
vp_stdio_output_start (VpStdioOutput *self)
{
  if (self->started)
    return;
  self->started = TRUE;
  pump (self);
}

void
vp_stdio_output_stop (VpStdioOutput *self)
{
  self->started = FALSE;
  self->ended = TRUE;
  self->attached = FALSE;
  g_clear_pointer (&self->end, vp_stdio_end_free);
  if (self->chunk != NULL)
    self->dropped += g_bytes_get_size (self->chunk) - self->offset;
  g_clear_pointer (&self->chunk, g_bytes_unref);
  while (next_chunk (self))
    {
      self->dropped += g_bytes_get_size (self->chunk);
      g_clear_pointer (&self->chunk, g_bytes_unref);
    }
  self->dropped += self->kept.len;
  vp_stdio_ring_clear (&self->kept);
}

gboolean
vp_stdio_output_is_done (VpStdioOutput *self)
{
  if (!self->started)
    return TRUE;
  return self->ended && self->chunk == NULL && self->waiting.length == 0
         && (self->end == NULL || self->kept.len == 0);
}

guint64
vp_stdio_output_get_bytes (VpStdioOutput *self)
{
  return self->bytes;
}

guint64
vp_stdio_output_get_dropped (VpStdioOutput *self)
{
  return self->dropped;
}

VpStdioOutput *
vp_stdio_output_new (VpStdioProcess *process, gboolean is_stderr, gsize max_kept, VpStdioMovedFunc moved,
                     gpointer user_data)
{
  VpStdioOutput *self = g_new0 (VpStdioOutput, 1);

  self->process = process;
  self->is_stderr = is_stderr;
  self->moved = moved;
  self->moved_data = user_data;
  g_queue_init (&self->waiting);
  vp_stdio_ring_init (&self->kept, max_kept);
  return self;
}

void
vp_stdio_output_free (VpStdioOutput *self)
{
  if (self == NULL)
    return;
  vp_stdio_output_stop (self);
  g_free (self);
}
