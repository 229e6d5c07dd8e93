/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-relay.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-fd.h"
#include "vp-tty.h"

#define N_STREAMS 3
#define CHUNK 16384

/* One stream. Copying goes from @source to @sink; of the two one is the user's
 * (our standard stream, not owned) and one is our end of the pipe. */
typedef struct
{
  int theirs; /* for the daemon: -1, one of ours (not owned) or the pipe's other end */
  int pipe;   /* our end, -1 when nothing is copied */
  guint watch;
  GByteArray *pending; /* stdin only: read from the user, not yet taken by the pipe */
  VpDetach *keys;      /* stdin only, borrowed: what ends it; NULL: nothing does */
  GSourceFunc detached;
  gpointer user_data;
} Stream;

struct _VpRelay
{
  Stream streams[N_STREAMS];
  int null_fd;
  gboolean raw;
};

static gboolean on_user_input (int fd, GIOCondition condition, gpointer user_data);

static void
stop_copying (Stream *stream)
{
  if (stream->watch != 0)
    g_source_remove (stream->watch);
  stream->watch = 0;
  vp_fd_clear (&stream->pipe);
  g_clear_pointer (&stream->pending, g_byte_array_unref);
}

static gboolean
open_pipe (Stream *stream, gboolean to_guest, GError **error)
{
  int fds[2];

  if (pipe2 (fds, O_CLOEXEC) < 0)
    return vp_error_set_errno (error, errno, "pipe");
  stream->theirs = to_guest ? fds[0] : fds[1];
  stream->pipe = to_guest ? fds[1] : fds[0];
  /* only our end: the two ends have file descriptions of their own */
  (void) g_unix_set_fd_nonblocking (stream->pipe, TRUE, NULL);
  return TRUE;
}

/* Decides what the daemon gets for stream @i. */
static gboolean
open_stream (VpRelay *self, int i, VpRelayFlags flags, GError **error)
{
  gboolean nothing = (flags & VP_RELAY_NOTHING) != 0 || (i == STDIN_FILENO && (flags & VP_RELAY_STDIN) == 0);

  if (i == STDERR_FILENO && (flags & VP_RELAY_STDERR) == 0)
    return TRUE;
  if (!nothing && isatty (i))
    return open_pipe (&self->streams[i], i == STDIN_FILENO, error);
  if (nothing && self->null_fd < 0)
    self->null_fd = vp_fd_open ("/dev/null", O_RDWR, "open", error);
  self->streams[i].theirs = nothing ? self->null_fd : i;
  return self->streams[i].theirs >= 0;
}

VpRelay *
vp_relay_new (VpRelayFlags flags, GError **error)
{
  g_autoptr (VpRelay) self = g_new0 (VpRelay, 1);

  self->null_fd = -1;
  for (int i = 0; i < N_STREAMS; i++)
    self->streams[i] = (Stream){ .theirs = -1, .pipe = -1 };
  for (int i = 0; i < N_STREAMS; i++)
    if (!open_stream (self, i, flags, error))
      return NULL;
  return g_steal_pointer (&self);
}

static void
close_theirs (VpRelay *self)
{
  for (int i = 0; i < N_STREAMS; i++)
    if (self->streams[i].pipe >= 0)
      vp_fd_clear (&self->streams[i].theirs);
}

VpRelay *
vp_relay_new_for_ends (int input, int output, int error_output)
{
  VpRelay *self = g_new0 (VpRelay, 1);
  const int ends[N_STREAMS] = { input, output, error_output };

  self->null_fd = -1;
  for (int i = 0; i < N_STREAMS; i++)
    {
      self->streams[i] = (Stream){ .theirs = -1, .pipe = ends[i] };
      if (ends[i] >= 0)
        (void) g_unix_set_fd_nonblocking (ends[i], TRUE, NULL);
    }
  return self;
}

void
vp_relay_watch_keys (VpRelay *self, VpDetach *keys, GSourceFunc detached, gpointer user_data)
{
  Stream *input = &self->streams[STDIN_FILENO];

  input->keys = keys;
  input->detached = detached;
  input->user_data = user_data;
}

void
vp_relay_free (VpRelay *self)
{
  if (self == NULL)
    return;
  if (self->raw)
    vp_tty_restore ();
  close_theirs (self);
  for (int i = 0; i < N_STREAMS; i++)
    stop_copying (&self->streams[i]);
  vp_fd_clear (&self->null_fd);
  g_free (self);
}

gboolean
vp_relay_add_options (VpRelay *self, GVariantBuilder *options, GUnixFDList *fds, GError **error)
{
  static const char *const names[N_STREAMS] = { "stdin", "stdout", "stderr" };

  for (int i = 0; i < N_STREAMS; i++)
    {
      int index;

      if (self->streams[i].theirs < 0)
        continue;
      index = g_unix_fd_list_append (fds, self->streams[i].theirs, error);
      if (index < 0)
        return FALSE;
      g_variant_builder_add (options, "{sv}", names[i], g_variant_new_handle (index));
    }
  return TRUE;
}

/* ---- output: pipe -> user --------------------------------------------------- */

static gboolean
write_to_user (int fd, const guint8 *data, gsize len)
{
  while (len > 0)
    {
      ssize_t n = write (fd, data, len);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        {
          GPollFD wait = { .fd = fd, .events = G_IO_OUT };

          (void) g_poll (&wait, 1, -1);
          continue;
        }
      if (n < 0)
        return FALSE;
      data += n;
      len -= (gsize) n;
    }
  return TRUE;
}

/* FALSE when the pipe is empty for now, or this stream is over. */
static gboolean
copy_output (Stream *stream, int user_fd)
{
  guint8 data[CHUNK];
  ssize_t n;

  do
    n = read (stream->pipe, data, sizeof data);
  while (n < 0 && errno == EINTR);

  if (n < 0 && errno == EAGAIN)
    return FALSE;
  if (n <= 0 || !write_to_user (user_fd, data, (gsize) n))
    {
      stop_copying (stream);
      return FALSE;
    }
  return TRUE;
}

static gboolean
on_output (int fd, GIOCondition condition, gpointer user_data)
{
  VpRelay *self = user_data;
  int i = self->streams[STDOUT_FILENO].pipe == fd ? STDOUT_FILENO : STDERR_FILENO;

  (void) copy_output (&self->streams[i], i);
  return self->streams[i].pipe >= 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* ---- input: user -> pipe ---------------------------------------------------- */

static gboolean
on_pipe_writable (int fd, GIOCondition condition, gpointer user_data)
{
  Stream *stream = user_data;
  ssize_t n = write (fd, stream->pending->data, stream->pending->len);

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  if (n < 0)
    {
      stop_copying (stream);
      return G_SOURCE_REMOVE;
    }
  g_byte_array_remove_range (stream->pending, 0, (guint) n);
  if (stream->pending->len > 0)
    return G_SOURCE_CONTINUE;
  stream->watch = g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP, on_user_input, stream);
  return G_SOURCE_REMOVE;
}

/* Reads once, then writes until it is gone: the user's typing is never ahead
 * of the guest by more than one chunk and the pipe. */
static gboolean
on_user_input (int fd, GIOCondition condition, gpointer user_data)
{
  Stream *stream = user_data;
  guint8 data[CHUNK];
  ssize_t n = read (fd, data, sizeof data);

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  if (n <= 0)
    {
      stop_copying (stream);
      return G_SOURCE_REMOVE;
    }
  if (stream->pending == NULL)
    stream->pending = g_byte_array_new ();
  if (stream->keys == NULL)
    g_byte_array_append (stream->pending, data, (guint) n);
  else if (vp_detach_feed (stream->keys, data, (gsize) n, stream->pending))
    {
      stream->watch = 0;
      (void) stream->detached (stream->user_data);
      return G_SOURCE_REMOVE;
    }
  /* a beginning of the keys waits for what comes next */
  if (stream->pending->len == 0)
    return G_SOURCE_CONTINUE;
  stream->watch = g_unix_fd_add (stream->pipe, G_IO_OUT, on_pipe_writable, stream);
  return G_SOURCE_REMOVE;
}

void
vp_relay_start (VpRelay *self, gboolean terminal)
{
  Stream *input = &self->streams[STDIN_FILENO];

  close_theirs (self);
  if (input->pipe >= 0)
    {
      self->raw = terminal && vp_tty_set_raw (STDIN_FILENO);
      if (!self->raw)
        input->keys = NULL;
      input->watch = g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP, on_user_input, input);
    }
  for (int i = STDOUT_FILENO; i <= STDERR_FILENO; i++)
    if (self->streams[i].pipe >= 0)
      self->streams[i].watch = g_unix_fd_add (self->streams[i].pipe, G_IO_IN | G_IO_HUP, on_output, self);
}

int
vp_relay_get_terminal (VpRelay *self)
{
  return self->raw ? STDIN_FILENO : -1;
}

void
vp_relay_finish (VpRelay *self)
{
  stop_copying (&self->streams[STDIN_FILENO]);
  for (int i = STDOUT_FILENO; i <= STDERR_FILENO; i++)
    if (self->streams[i].pipe >= 0)
      {
        while (copy_output (&self->streams[i], i))
          ;
        stop_copying (&self->streams[i]);
      }
  if (self->raw)
    vp_tty_restore ();
  self->raw = FALSE;
}
