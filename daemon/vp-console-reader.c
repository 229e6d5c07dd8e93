/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-console-reader.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-fd.h"

struct _VpConsoleReader
{
  int fd;
  GByteArray *waiting;
  guint writable; /* source; there while bytes wait */
  gboolean ended;
  gboolean gone;
};

static gboolean on_writable (int fd, GIOCondition condition, gpointer user_data);

/* As much as the pipe takes. */
static void
flush (VpConsoleReader *self)
{
  while (!self->gone && self->waiting->len > 0)
    {
      ssize_t n = write (self->fd, self->waiting->data, self->waiting->len);

      if (n > 0)
        g_byte_array_remove_range (self->waiting, 0, (guint) n);
      else if (n < 0 && errno == EAGAIN)
        break;
      else if (n == 0 || errno != EINTR)
        self->gone = TRUE;
    }
  if (self->gone || self->waiting->len == 0)
    g_clear_handle_id (&self->writable, g_source_remove);
  else if (self->writable == 0)
    self->writable = g_unix_fd_add_full (G_PRIORITY_LOW, self->fd, G_IO_OUT | G_IO_ERR, on_writable, self, NULL);
}

static gboolean
on_writable (int fd, GIOCondition condition, gpointer user_data)
{
  VpConsoleReader *self = user_data;
  guint source = self->writable;

  flush (self);
  if (self->ended && self->writable == 0)
    {
      vp_console_reader_free (self);
      return G_SOURCE_REMOVE;
    }
  return self->writable == source ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

VpConsoleReader *
vp_console_reader_new (GBytes *history, int *ret_fd, GError **error)
{
  VpConsoleReader *self;
  int ends[2];

  if (pipe2 (ends, O_CLOEXEC) < 0)
    {
      (void) vp_error_set_errno (error, errno, "make a pipe");
      return NULL;
    }
  (void) fcntl (ends[1], F_SETFL, O_NONBLOCK); /* of this end only */
  self = g_new0 (VpConsoleReader, 1);
  self->fd = ends[1];
  self->waiting = g_byte_array_new ();
  *ret_fd = ends[0];
  if (history != NULL)
    (void) vp_console_reader_feed (self, g_bytes_get_data (history, NULL), g_bytes_get_size (history));
  return self;
}

gboolean
vp_console_reader_feed (VpConsoleReader *self, const char *data, gsize len)
{
  len = MIN (len, VP_CONSOLE_READER_MAX - MIN (self->waiting->len, VP_CONSOLE_READER_MAX));
  g_byte_array_append (self->waiting, (const guint8 *) data, (guint) len);
  flush (self);
  return !self->gone;
}

void
vp_console_reader_end (VpConsoleReader *self)
{
  self->ended = TRUE;
  if (self->writable == 0)
    vp_console_reader_free (self);
}

void
vp_console_reader_free (VpConsoleReader *self)
{
  g_clear_handle_id (&self->writable, g_source_remove);
  g_byte_array_unref (self->waiting);
  vp_fd_clear (&self->fd);
  g_free (self);
}
