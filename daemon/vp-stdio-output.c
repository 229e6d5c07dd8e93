/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-stdio-output.h"

#include <errno.h>

#include "vp-log.h"
#include "vp-stdio-ring.h"

/* Asked for at a time. More would not help: pipes in the guest hold 64 KiB and
 * virtio-serial moves 32 KiB per interrupt; and it must fit in what is kept. */
#define READ_SIZE (256u << 10)

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
  gboolean reading; /* a call is under way */
  gboolean ended; /* the agent said so */
  GBytes *chunk; /* being written, from @offset on */
  gsize offset;
  VpStdioRing kept; /* comes after the chunk */
  guint64 bytes;
  guint64 dropped;
};

static void pump (VpStdioOutput *self);

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
  g_autoptr (GBytes) later = NULL;

  g_clear_pointer (&self->end, vp_stdio_end_free);
  self->attached = FALSE;
  if (self->chunk == NULL)
    return;
  later = vp_stdio_ring_take (&self->kept);
  keep (self, self->chunk, self->offset);
  if (later != NULL)
    keep (self, later, 0);
  g_clear_pointer (&self->chunk, g_bytes_unref);
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
      g_clear_pointer (&self->chunk, g_bytes_unref);
      return TRUE;
    }
  if (self->end == NULL)
    {
      keep (self, self->chunk, self->offset);
      g_clear_pointer (&self->chunk, g_bytes_unref);
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
    g_clear_pointer (&self->chunk, g_bytes_unref);
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
  VpStdioOutput *self = user_data;
  g_autoptr (GObject) owner G_GNUC_UNUSED = self->process->owner; /* the reference of the call */
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = vp_agent_client_read_finish (VP_AGENT_CLIENT (source), result, &error);

  self->reading = FALSE;
  if (bytes == NULL || g_bytes_get_size (bytes) == 0)
    {
      self->ended = TRUE;
      if (error != NULL && self->started)
        vp_warning (self->process->sandbox, self->process->container, "%s ends early: %s", name (self),
                    error->message);
    }
  else if (self->chunk != NULL)
    {
      /* what came before is still being written */
      keep (self, bytes, 0);
    }
  else
    {
      self->chunk = g_steal_pointer (&bytes);
      self->offset = 0;
    }
  if (self->started)
    pump (self);
}

/* Asks for more while what came before is still being written, so that the guest
 * and the reader work at the same time. Of a reader that does not keep up no more
 * than that one answer waits. */
static void
read_more (VpStdioOutput *self)
{
  if (!self->started || self->reading || self->ended || (self->end != NULL && self->kept.len > 0))
    return;
  self->reading = TRUE;
  g_object_ref (self->process->owner);
  vp_agent_client_read_async (self->process->client, self->process->cid, self->process->exec_id,
                              self->is_stderr, READ_SIZE, self->process->cancellable, on_read, self);
}

static void
pump (VpStdioOutput *self)
{
  for (;;)
    {
      if (self->chunk == NULL && self->end != NULL && self->kept.len > 0)
        {
          self->chunk = vp_stdio_ring_take (&self->kept);
          self->offset = 0;
        }
      read_more (self);
      if (self->chunk == NULL)
        break;
      if (!write_chunk (self))
        return;
    }
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
  vp_stdio_ring_init (&self->kept, MAX (max_kept, READ_SIZE));
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
