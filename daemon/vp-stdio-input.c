/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-stdio-input.h"

#include <errno.h>

#include "vp-error.h"
#include "vp-log.h"
#include "vp-source.h"

#define CLOSE_TIMEOUT_MS 30000
/* a guest that takes nothing is asked again this often */
#define AGAIN_MS 50

struct _VpStdioInput
{
  VpStdioProcess *process;
  VpStdioClosedFunc closed_func;
  gpointer closed_data;

  VpStdioEnd *end;
  gboolean bound;
  gboolean attached;

  gboolean started;
  gboolean writing; /* a call is under way */
  gboolean closing; /* to be closed when nothing more is to be read */
  gboolean closed; /* CloseStdin was called, or there is nobody to call it for */
  gboolean told; /* closed_func was called */
  GBytes *chunk; /* to be sent */
  GSource *again;
  guint64 bytes;
};

static void pump (VpStdioInput *self);

static void
tell (VpStdioInput *self, const GError *error)
{
  if (self->told)
    return;
  self->told = TRUE;
  self->closed_func (self->closed_data, error);
}

/* Nothing more is sent. */
static void
give_up (VpStdioInput *self)
{
  self->closed = TRUE;
  self->attached = FALSE;
  g_clear_pointer (&self->again, vp_source_end);
  g_clear_pointer (&self->end, vp_stdio_end_free);
  g_clear_pointer (&self->chunk, g_bytes_unref);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpStdioInput *self = user_data;
  g_autoptr (GObject) owner G_GNUC_UNUSED = self->process->owner; /* the reference of the call */
  g_autoptr (GError) error = NULL;

  (void) vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error);
  tell (self, error);
}

static void
send_close (VpStdioInput *self)
{
  give_up (self);
  g_object_ref (self->process->owner);
  vp_agent_client_close_stdin_async (self->process->client, self->process->cid, self->process->exec_id,
                                     CLOSE_TIMEOUT_MS, self->process->cancellable, on_closed, self);
}

static gboolean
on_again (gpointer user_data)
{
  VpStdioInput *self = user_data;
  g_autoptr (GObject) owner G_GNUC_UNUSED = g_object_ref (self->process->owner);

  g_clear_pointer (&self->again, vp_source_end);
  pump (self);
  return G_SOURCE_REMOVE;
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpStdioInput *self = user_data;
  g_autoptr (GObject) owner G_GNUC_UNUSED = self->process->owner; /* the reference of the call */
  g_autoptr (GError) error = NULL;
  gssize n = vp_agent_client_write_stdin_finish (VP_AGENT_CLIENT (source), result, &error);

  self->writing = FALSE;
  if (self->closed)
    return;
  if (n < 0)
    {
      /* usual when the process has ended or closed its stdin */
      vp_debug (self->process->sandbox, self->process->container, "stdin: %s", error->message);
      give_up (self);
      tell (self, NULL);
      return;
    }
  self->bytes += (guint64) n;
  if ((gsize) n == g_bytes_get_size (self->chunk))
    g_clear_pointer (&self->chunk, g_bytes_unref);
  else if (n > 0)
    {
      g_autoptr (GBytes) whole = g_steal_pointer (&self->chunk);

      self->chunk = g_bytes_new_from_bytes (whole, (gsize) n, g_bytes_get_size (whole) - (gsize) n);
    }
  else
    {
      self->again = g_timeout_source_new (AGAIN_MS);
      g_source_set_callback (self->again, on_again, self, NULL);
      g_source_attach (self->again, g_main_context_get_thread_default ());
      return;
    }
  pump (self);
}

static void
on_end_ready (gpointer user_data)
{
  VpStdioInput *self = user_data;
  g_autoptr (GObject) owner G_GNUC_UNUSED = g_object_ref (self->process->owner);

  pump (self);
}

/* TRUE when there is something in the chunk or nothing to read from any more. */
static gboolean
read_end (VpStdioInput *self)
{
  gssize n = vp_stdio_end_read (self->end, &self->chunk, on_end_ready, self);

  if (n > 0)
    return TRUE;
  if (n == -EAGAIN)
    {
      if (!self->closing || vp_stdio_end_is_working (self->end))
        return FALSE;
      send_close (self);
      return FALSE;
    }
  /* the end, or an error that means it (a terminal that hung up) */
  if (self->attached)
    self->attached = FALSE;
  else
    self->closing = TRUE;
  g_clear_pointer (&self->end, vp_stdio_end_free);
  return TRUE;
}

static void
pump (VpStdioInput *self)
{
  while (self->started && !self->closed && !self->writing && self->again == NULL)
    {
      if (self->chunk != NULL)
        {
          self->writing = TRUE;
          g_object_ref (self->process->owner);
          vp_agent_client_write_stdin_async (self->process->client, self->process->cid,
                                             self->process->exec_id, self->chunk, self->process->cancellable,
                                             on_written, self);
        }
      else if (self->end != NULL)
        {
          if (!read_end (self))
            return;
        }
      else
        {
          if (self->closing)
            send_close (self);
          return;
        }
    }
}

void
vp_stdio_input_bind (VpStdioInput *self, VpStdioEnd *end)
{
  self->end = end;
  self->bound = TRUE;
}

void
vp_stdio_input_attach (VpStdioInput *self, VpStdioEnd *end)
{
  self->end = end;
  self->attached = TRUE;
  pump (self);
}

gboolean
vp_stdio_input_is_bound (VpStdioInput *self)
{
  return self->bound;
}

gboolean
vp_stdio_input_is_attached (VpStdioInput *self)
{
  return self->attached;
}

void
vp_stdio_input_start (VpStdioInput *self)
{
  self->started = TRUE;
  pump (self);
}

void
vp_stdio_input_close (VpStdioInput *self)
{
  self->closing = TRUE;
  pump (self);
}

gboolean
vp_stdio_input_is_closed (VpStdioInput *self)
{
  return self->told;
}

void
vp_stdio_input_stop (VpStdioInput *self)
{
  give_up (self);
  tell (self, NULL);
}

guint64
vp_stdio_input_get_bytes (VpStdioInput *self)
{
  return self->bytes;
}

VpStdioInput *
vp_stdio_input_new (VpStdioProcess *process, VpStdioClosedFunc closed, gpointer user_data)
{
  VpStdioInput *self = g_new0 (VpStdioInput, 1);

  self->process = process;
  self->closed_func = closed;
  self->closed_data = user_data;
  return self;
}

void
vp_stdio_input_free (VpStdioInput *self)
{
  if (self == NULL)
    return;
  give_up (self);
  g_free (self);
}
