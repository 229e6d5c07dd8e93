/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vp-console-reader.h"
#include "vp-error.h"
#include "vp-fd.h"
#include "vp-log.h"

#define CHUNK 16384u           /* read in one turn of the main loop */
#define DRAIN_MAX (4u * CHUNK) /* read at most when stopping */
#define TAIL_MAX 65536u
#define READERS_MAX 16

struct _VpConsole
{
  GObject parent_instance;
  char *socket_path;
  char *directory;
  char *log_name;
  char *old_name;
  guint64 half; /* bytes one file may have */
  int dir_fd;
  int log_fd;
  int socket_fd;
  GSource *source;
  guint64 log_size;
  guint64 n_bytes;
  gboolean write_failed; /* said once, not for every chunk */
  GSList *readers;       /* of VpConsoleReader, who follow */
};

G_DEFINE_FINAL_TYPE (VpConsole, vp_console, G_TYPE_OBJECT)

static void
vp_console_init (VpConsole *self)
{
  self->dir_fd = self->log_fd = self->socket_fd = -1;
}

static void
vp_console_finalize (GObject *object)
{
  VpConsole *self = VP_CONSOLE (object);

  vp_console_stop (self);
  g_free (self->socket_path);
  g_free (self->directory);
  g_free (self->log_name);
  g_free (self->old_name);
  G_OBJECT_CLASS (vp_console_parent_class)->finalize (object);
}

static void
vp_console_class_init (VpConsoleClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = vp_console_finalize;
}

VpConsole *
vp_console_new (const char *socket_path, const char *directory, const char *log_name, guint64 max_bytes)
{
  VpConsole *self = g_object_new (VP_TYPE_CONSOLE, NULL);

  self->socket_path = g_strdup (socket_path);
  self->directory = g_strdup (directory);
  self->log_name = g_strdup (log_name);
  self->old_name = g_strconcat (log_name, ".1", NULL);
  self->half = MAX (max_bytes, VP_CONSOLE_MIN_BYTES) / 2;
  return self;
}

/* ---- the log ------------------------------------------------------------- */

/* The directory may be writable for the hypervisor: what lies under our name
 * must be a plain file that has no second name elsewhere. */
static gboolean
open_log (VpConsole *self, GError **error)
{
  VP_AUTO_FD fd
      = openat (self->dir_fd, self->log_name,
                O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
  struct stat st;

  if (fd < 0 || fstat (fd, &st) < 0)
    return vp_error_set_errno (error, errno, "console log \"%s/%s\"", self->directory, self->log_name);
  if (!S_ISREG (st.st_mode) || st.st_nlink != 1)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE, "console log \"%s/%s\": is not a plain file",
                   self->directory, self->log_name);
      return FALSE;
    }
  vp_fd_clear (&self->log_fd);
  self->log_fd = vp_fd_steal (&fd);
  self->log_size = (guint64) st.st_size;
  return TRUE;
}

static gboolean
rotate_log (VpConsole *self, GError **error)
{
  if (renameat (self->dir_fd, self->log_name, self->dir_fd, self->old_name) < 0 && errno != ENOENT)
    return vp_error_set_errno (error, errno, "console log \"%s/%s\"", self->directory, self->old_name);
  return open_log (self, error);
}

/* What cannot be written is lost: the guest must not stop because of a full disk. */
static void
append (VpConsole *self, const char *data, gsize len)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = TRUE;

  if (self->log_size + len > self->half)
    ok = rotate_log (self, &error);
  while (ok && len > 0)
    {
      ssize_t n = write (self->log_fd, data, len);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        ok = vp_error_set_errno (&error, n < 0 ? errno : EIO, "console log \"%s/%s\"", self->directory,
                                 self->log_name);
      else
        {
          data += n;
          len -= (gsize) n;
          self->log_size += (guint64) n;
        }
    }
  if (!ok && !self->write_failed)
    vp_warning (NULL, NULL, "%s", error->message);
  self->write_failed = !ok;
}

/* ---- the socket ---------------------------------------------------------- */

static void
feed_readers (VpConsole *self, const char *data, gsize len)
{
  for (GSList *l = self->readers, *next; l != NULL; l = next)
    {
      next = l->next;
      if (!vp_console_reader_feed (l->data, data, len))
        {
          vp_console_reader_free (l->data);
          self->readers = g_slist_delete_link (self->readers, l);
        }
    }
}

/* > 0: bytes taken; 0: nothing there now; < 0: the other end is gone */
static gssize
take_chunk (VpConsole *self)
{
  char chunk[CHUNK];
  ssize_t n;

  do
    n = recv (self->socket_fd, chunk, MIN (sizeof chunk, self->half), MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return errno == EAGAIN ? 0 : -1;
  if (n == 0)
    return -1;
  self->n_bytes += (guint64) n;
  append (self, chunk, (gsize) n);
  feed_readers (self, chunk, (gsize) n);
  return n;
}

static void
close_all (VpConsole *self)
{
  if (self->source != NULL)
    {
      g_source_destroy (self->source);
      g_clear_pointer (&self->source, g_source_unref);
    }
  g_slist_free_full (g_steal_pointer (&self->readers), (GDestroyNotify) vp_console_reader_end);
  vp_fd_clear (&self->socket_fd);
  vp_fd_clear (&self->log_fd);
  vp_fd_clear (&self->dir_fd);
}

static gboolean
on_readable (gint fd, GIOCondition condition, gpointer data)
{
  VpConsole *self = data;

  if (take_chunk (self) >= 0)
    return G_SOURCE_CONTINUE;
  close_all (self);
  return G_SOURCE_REMOVE;
}

static int
connect_socket (VpConsole *self, GError **error)
{
  struct sockaddr_un addr = { .sun_family = AF_UNIX };
  VP_AUTO_FD fd = -1;

  if (strlen (self->socket_path) >= sizeof addr.sun_path)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED, "console socket \"%s\": longer than %zu bytes",
                   self->socket_path, sizeof addr.sun_path - 1);
      return -1;
    }
  g_strlcpy (addr.sun_path, self->socket_path, sizeof addr.sun_path);

  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect (fd, (const struct sockaddr *) &addr, sizeof addr) < 0)
    {
      vp_error_set_errno (error, errno, "console socket \"%s\"", self->socket_path);
      return -1;
    }
  return vp_fd_steal (&fd);
}

static gboolean
start (VpConsole *self, GError **error)
{
  if (self->source != NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE, "console \"%s\": is read already",
                   self->socket_path);
      return FALSE;
    }
  self->dir_fd = vp_fd_open (self->directory, O_PATH | O_DIRECTORY, "console log directory", error);
  if (self->dir_fd < 0 || !open_log (self, error))
    return FALSE;
  self->socket_fd = connect_socket (self, error);
  if (self->socket_fd < 0)
    return FALSE;

  self->source = g_unix_fd_source_new (self->socket_fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
  g_source_set_priority (self->source, G_PRIORITY_LOW);
  g_source_set_callback (self->source, G_SOURCE_FUNC (on_readable), self, NULL);
  g_source_attach (self->source, NULL);
  return TRUE;
}

void
vp_console_start_async (VpConsole *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (GError) error = NULL;
  gboolean running = vp_console_is_running (self);

  g_task_set_source_tag (task, vp_console_start_async);
  g_task_set_check_cancellable (task, FALSE);
  /* connecting to a Unix socket does not block, so there is nothing to wait for */
  if (start (self, &error))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  if (!running)
    close_all (self);
  g_task_return_error (task, g_steal_pointer (&error));
}

gboolean
vp_console_start_finish (VpConsole *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
vp_console_stop (VpConsole *self)
{
  gsize drained = 0;

  while (self->source != NULL && drained < DRAIN_MAX)
    {
      gssize n = take_chunk (self);

      if (n <= 0)
        break;
      drained += (gsize) n;
    }
  close_all (self);
}

gboolean
vp_console_is_running (VpConsole *self)
{
  return self->source != NULL;
}

guint64
vp_console_get_n_bytes (VpConsole *self)
{
  return self->n_bytes;
}

/* ---- the tail ------------------------------------------------------------ */

/* At most @max last bytes of a file; FALSE in @ret_whole: there was more. */
static GBytes *
read_end (int dir_fd, const char *name, gsize max, gboolean *ret_whole)
{
  VP_AUTO_FD fd = openat (dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  g_autofree char *data = NULL;
  struct stat st;
  ssize_t n;

  *ret_whole = TRUE;
  if (fd < 0 || max == 0 || fstat (fd, &st) < 0 || !S_ISREG (st.st_mode) || st.st_size == 0)
    return g_bytes_new_static ("", 0);
  *ret_whole = (guint64) st.st_size <= max;
  data = g_malloc (max);
  n = pread (fd, data, max, *ret_whole ? 0 : st.st_size - (off_t) max);
  if (n <= 0)
    return g_bytes_new_static ("", 0);
  return g_bytes_new_take (g_steal_pointer (&data), (gsize) n);
}

/* Length of the escape sequence at @p: CSI and OSC to their ends, else ESC and one more. */
static gsize
escape_length (const char *p, const char *end)
{
  const char *q = p + 1;

  if (q < end && *q == '[')
    {
      for (q++; q < end && !(*q >= 0x40 && *q <= 0x7e); q++)
        if (*q < 0x20)
          return (gsize) (q - p);
    }
  else if (q < end && *q == ']')
    {
      for (q++; q < end && *q != '\a' && *q != '\n'; q++)
        if (*q == '\033')
          return (gsize) (MIN (q + 2, end) - p);
    }
  return (gsize) (MIN (q + 1, end) - p);
}

static char *
make_printable (const char *p, gsize len)
{
  GString *out = g_string_sized_new (len);
  const char *end = p + len;

  while (p < end)
    {
      gunichar c = g_utf8_get_char_validated (p, end - p);

      if (*p == '\033')
        {
          p += escape_length (p, end);
          continue;
        }
      if (c == '\r' || c == 0)
        p++;
      else if (c == '\n' || c == '\t')
        g_string_append_c (out, *p++);
      else if (c == (gunichar) -1 || c == (gunichar) -2 || !g_unichar_isprint (c))
        {
          g_string_append_c (out, '.');
          p = (c == (gunichar) -1 || c == (gunichar) -2) ? p + 1 : g_utf8_next_char (p);
        }
      else
        {
          g_string_append_unichar (out, c);
          p = g_utf8_next_char (p);
        }
    }
  return g_string_free (out, FALSE);
}

/* At most @max last bytes of both files together. */
static GBytes *
read_tail (VpConsole *self, gsize max, gboolean *ret_whole)
{
  VP_AUTO_FD dir_fd = open (self->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  g_autoptr (GBytes) newer = NULL, older = NULL;
  GByteArray *raw = g_byte_array_new ();
  gboolean newer_whole = TRUE, older_whole = TRUE;

  if (dir_fd >= 0)
    {
      newer = read_end (dir_fd, self->log_name, max, &newer_whole);
      older = read_end (dir_fd, self->old_name, newer_whole ? max - g_bytes_get_size (newer) : 0, &older_whole);
      g_byte_array_append (raw, g_bytes_get_data (older, NULL), (guint) g_bytes_get_size (older));
      g_byte_array_append (raw, g_bytes_get_data (newer, NULL), (guint) g_bytes_get_size (newer));
    }
  *ret_whole = newer_whole && older_whole;
  return g_byte_array_free_to_bytes (raw);
}

char *
vp_console_dup_tail (VpConsole *self, gsize max)
{
  gboolean whole;
  g_autoptr (GBytes) raw = read_tail (self, MIN (max, TAIL_MAX), &whole);
  gsize len;
  const char *data = g_bytes_get_data (raw, &len);
  g_autofree char *text = g_strchomp (make_printable (data, len));
  const char *newline = whole ? NULL : strchr (text, '\n');

  /* all one line: half of it is better than nothing */
  return g_strdup (newline != NULL ? newline + 1 : text);
}

int
vp_console_open (VpConsole *self, gboolean follow, guint64 tail, GError **error)
{
  gboolean whole;
  g_autoptr (GBytes) history = NULL;
  VpConsoleReader *reader;
  int fd = -1;

  if (follow && g_slist_length (self->readers) >= READERS_MAX)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED, "console: %d readers follow it already", READERS_MAX);
      return -1;
    }
  history = read_tail (self, (gsize) MIN (tail, VP_CONSOLE_READER_MAX), &whole);
  reader = vp_console_reader_new (history, &fd, error);
  if (reader == NULL)
    return -1;
  if (follow && vp_console_is_running (self))
    self->readers = g_slist_prepend (self->readers, reader);
  else
    vp_console_reader_end (reader);
  return fd;
}
