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
  GQueue reads; /* Read, as they were asked for: those that are answered come after the chunk */
  gboolean in_order; /* the agent's answers are, and it is told what is done */
  gboolean ended; /* the agent said so */
  GBytes *chunk; /* being written, from @offset on */
  gsize offset;
  VpStdioRing kept; /* for a reader that may come; no answer waits then */
  guint64 chunk_end; /* position in the stream */
  guint64 done; /* likewise: up to there everything is written, kept or dropped */
  guint64 bytes;
  guint64 dropped;
};

/* A call. The agent answers them in order, but answers that come together may be told of
 * in another one. */
typedef struct
{
  VpStdioOutput *output;
  gboolean answered;
  GBytes *bytes; /* NULL: there is an error; of no length: the end */
  GError *error;
  guint64 offset; /* position in the stream */
} Read;

static void pump (VpStdioOutput *self);

static const char *
name (VpStdioOutput *self)
{
  return self->is_stderr ? "stderr" : "stdout";
}

static void
read_free (Read *read)
{
  g_clear_pointer (&read->bytes, g_bytes_unref);
  g_clear_error (&read->error);
  g_free (read);
}

static void
drop_chunk (VpStdioOutput *self)
{
  self->done = self->chunk_end;
  g_clear_pointer (&self->chunk, g_bytes_unref);
}

/* Nothing comes after it; calls that are not answered yet go when they are. */
static void
set_ended (VpStdioOutput *self)
{
  self->ended = TRUE;
  for (GList *it = self->reads.head, *next; it != NULL; it = next)
    {
      Read *read = it->data;

      next = it->next;
      if (!read->answered)
        continue;
      g_queue_delete_link (&self->reads, it);
      read_free (read);
    }
}

static void
note_end (VpStdioOutput *self, const GError *error)
{
  set_ended (self);
  if (error != NULL && self->started)
    vp_warning (self->process->sandbox, self->process->container, "%s ends early: %s", name (self), error->message);
}

/* FALSE: there is nothing more to write now. */
static gboolean
next_chunk (VpStdioOutput *self)
{
  Read *read = g_queue_peek_head (&self->reads);

  self->offset = 0;
  if (self->end != NULL && self->kept.len > 0)
    {
      self->chunk = vp_stdio_ring_take (&self->kept);
      self->chunk_end = self->done;
      return TRUE;
    }
  if (self->ended || read == NULL || !read->answered)
    return FALSE;
  g_queue_pop_head (&self->reads);
  if (read->bytes == NULL || g_bytes_get_size (read->bytes) == 0)
    note_end (self, read->error);
  else
    {
      /* our agent's: others say 0 of all */
      self->in_order = self->in_order || read->offset > 0;
      self->chunk_end = read->offset + g_bytes_get_size (read->bytes);
      self->chunk = g_steal_pointer (&read->bytes);
    }
  read_free (read);
  return self->chunk != NULL;
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
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Read *read = user_data;
  VpStdioOutput *self = read->output;
  g_autoptr (GObject) owner G_GNUC_UNUSED = self->process->owner; /* the reference of the call */

  read->bytes = vp_agent_client_read_finish (VP_AGENT_CLIENT (source), result, &read->offset, &read->error);
  /* only now: what breaks the rules ends the channel, and with it this, in there */
  read->answered = TRUE;
  if (self->ended)
    {
      g_queue_remove (&self->reads, read);
      read_free (read);
    }
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
  while (self->started && !self->ended && self->reads.length < ahead)
    {
      Read *read = g_new0 (Read, 1);

      read->output = self;
      g_queue_push_tail (&self->reads, read);
      g_object_ref (self->process->owner);
      vp_agent_client_read_async (self->process->client, self->process->cid, self->process->exec_id,
                                  self->is_stderr, tells ? READ_SIZE_AHEAD : READ_SIZE, tells ? self->done : 0,
                                  self->process->cancellable, on_read, read);
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
  set_ended (self);
  self->dropped += self->kept.len;
  vp_stdio_ring_clear (&self->kept);
}

gboolean
vp_stdio_output_is_done (VpStdioOutput *self)
{
  if (!self->started)
    return TRUE;
  return self->ended && self->chunk == NULL && (self->end == NULL || self->kept.len == 0);
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
  g_queue_init (&self->reads);
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
