/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-stdio-end.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-fd.h"
#include "vp-source.h"

/* most bytes of one read */
#define READ_SIZE (64u << 10)
/* a FIFO without a reader is looked at this often: from, up to */
#define LINGER_MIN_MS 5
#define LINGER_MAX_MS 500

typedef enum {
  KIND_NONBLOCKING, /* O_NONBLOCK is set on a description of our own */
  KIND_SOCKET, /* asked not to block with each call */
  KIND_CAUTIOUS, /* polled, and moved in pieces of PIPE_BUF */
  KIND_FILE, /* always ready and still slow: worker thread */
} Kind;

/* one read or write of a file; owned by its task */
typedef struct
{
  VpStdioEnd *end; /* NULL: freed meanwhile */
  int fd; /* a duplicate */
  GBytes *data;
  gsize offset;
  gssize result;
} Job;

struct _VpStdioEnd
{
  int fd;
  Kind kind;
  gboolean writable;
  gboolean held_open; /* FIFO opened for both */
  gboolean half; /* shut down when freed */
  GSource *source;
  GSource *hangup;
  VpStdioEndFunc func;
  gpointer func_data;
  VpStdioEndFunc hangup_func;
  gpointer hangup_data;
  guint linger_ms;
  Job *job;
  gboolean has_result;
  gssize result;
  GBytes *result_data;
};

/* ---- waiting ----------------------------------------------------------------- */

static void
call_back (VpStdioEnd *self)
{
  VpStdioEndFunc func = g_steal_pointer (&self->func);

  g_clear_pointer (&self->source, vp_source_end);
  if (func != NULL)
    func (self->func_data);
}

static gboolean
on_ready (gint fd, GIOCondition condition, gpointer user_data)
{
  call_back (user_data);
  return G_SOURCE_REMOVE;
}

static void
attach (GSource *source, GSourceFunc callback, gpointer data, const char *name)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  g_source_set_callback (source, callback, data, NULL);
  g_source_set_static_name (source, name);
  g_source_attach (source, context);
}

static gssize
later (VpStdioEnd *self, VpStdioEndFunc func, gpointer user_data)
{
  self->func = func;
  self->func_data = user_data;
  if (self->source == NULL && self->job == NULL)
    {
      self->source = g_unix_fd_source_new (self->fd, self->writable ? G_IO_OUT : G_IO_IN);
      attach (self->source, G_SOURCE_FUNC (on_ready), self, "stdio: ready");
    }
  return -EAGAIN;
}

static gboolean
on_hangup (gint fd, GIOCondition condition, gpointer user_data)
{
  VpStdioEnd *self = user_data;

  g_clear_pointer (&self->hangup, vp_source_end);
  self->hangup_func (self->hangup_data);
  return G_SOURCE_REMOVE;
}

void
vp_stdio_end_watch_hangup (VpStdioEnd *self, VpStdioEndFunc func, gpointer user_data)
{
  g_clear_pointer (&self->hangup, vp_source_end);
  self->hangup_func = func;
  self->hangup_data = user_data;
  /* nothing asked for: poll() reports errors and hang-ups by itself */
  self->hangup = g_unix_fd_source_new (self->fd, 0);
  attach (self->hangup, G_SOURCE_FUNC (on_hangup), self, "stdio: hangup");
}

/* ---- files: worker thread ------------------------------------------------------ */

static void
job_free (gpointer data)
{
  Job *job = data;

  vp_fd_clear (&job->fd);
  g_clear_pointer (&job->data, g_bytes_unref);
  g_free (job);
}

/* worker thread; touches nothing but the job's descriptor and bytes */
static void
job_write (Job *job)
{
  gsize len;
  const guint8 *data = g_bytes_get_data (job->data, &len);

  job->result = 0;
  while (job->offset < len)
    {
      ssize_t n = write (job->fd, data + job->offset, len - job->offset);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          if (job->result == 0)
            job->result = n < 0 ? -errno : -EIO;
          return;
        }
      job->offset += (gsize) n;
      job->result += n;
    }
}

/* worker thread */
static void
job_read (Job *job)
{
  guint8 *buffer = g_malloc (READ_SIZE);
  ssize_t n;

  do
    n = read (job->fd, buffer, READ_SIZE);
  while (n < 0 && errno == EINTR);
  job->result = n < 0 ? -errno : n;
  if (n > 0)
    job->data = g_bytes_new_take (buffer, (gsize) n);
  else
    g_free (buffer);
}

static void
job_run (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Job *job = data;

  if (job->data != NULL)
    job_write (job);
  else
    job_read (job);
  g_task_return_boolean (task, TRUE);
}

static void
on_job_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Job *job = g_task_get_task_data (G_TASK (result));
  VpStdioEnd *self = job->end;

  if (self == NULL)
    return;
  job->end = NULL;
  self->job = NULL;
  self->has_result = TRUE;
  self->result = job->result;
  if (!self->writable)
    self->result_data = g_steal_pointer (&job->data);
  call_back (self);
}

static gssize
work (VpStdioEnd *self, GBytes *data, gsize offset, VpStdioEndFunc func, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  VP_AUTO_FD fd = -1;

  if (self->job == NULL)
    {
      fd = fcntl (self->fd, F_DUPFD_CLOEXEC, 3);
      if (fd < 0)
        return -errno;
      self->job = g_new0 (Job, 1);
      self->job->end = self;
      self->job->fd = vp_fd_steal (&fd);
      self->job->data = data != NULL ? g_bytes_ref (data) : NULL;
      self->job->offset = offset;
      task = g_task_new (NULL, NULL, on_job_done, NULL);
      g_task_set_task_data (task, self->job, job_free);
      g_task_run_in_thread (task, job_run);
    }
  return later (self, func, user_data);
}

gboolean
vp_stdio_end_is_working (VpStdioEnd *self)
{
  return self->job != NULL;
}

/* ---- moving bytes ---------------------------------------------------------------- */

/* Whether a call would not block now; only the cautious need to ask. */
static gboolean
is_ready (VpStdioEnd *self)
{
  struct pollfd p = { .fd = self->fd, .events = self->writable ? POLLOUT : POLLIN };

  return poll (&p, 1, 0) > 0;
}

gssize
vp_stdio_end_write (VpStdioEnd *self, GBytes *data, gsize offset, VpStdioEndFunc func, gpointer user_data)
{
  const guint8 *bytes = g_bytes_get_data (data, NULL);
  gsize len = g_bytes_get_size (data) - offset;
  ssize_t n;

  if (self->has_result)
    {
      self->has_result = FALSE;
      return self->result;
    }
  if (self->kind == KIND_FILE)
    return work (self, data, offset, func, user_data);
  if (self->kind == KIND_CAUTIOUS)
    {
      if (!is_ready (self))
        return later (self, func, user_data);
      len = MIN (len, PIPE_BUF);
    }
  do
    n = self->kind == KIND_SOCKET ? send (self->fd, bytes + offset, len, MSG_DONTWAIT | MSG_NOSIGNAL)
                                  : write (self->fd, bytes + offset, len);
  while (n < 0 && errno == EINTR);
  if (n >= 0)
    return n;
  return errno == EAGAIN ? later (self, func, user_data) : -errno;
}

gssize
vp_stdio_end_read (VpStdioEnd *self, GBytes **ret_data, VpStdioEndFunc func, gpointer user_data)
{
  g_autofree guint8 *buffer = NULL;
  ssize_t n;

  if (self->has_result)
    {
      self->has_result = FALSE;
      if (self->result > 0)
        *ret_data = g_steal_pointer (&self->result_data);
      return self->result;
    }
  if (self->kind == KIND_FILE)
    return work (self, NULL, 0, func, user_data);
  /* asked first in any case: a FIFO that had no writer yet reads as ended */
  if (!is_ready (self))
    return later (self, func, user_data);
  buffer = g_malloc (READ_SIZE);
  do
    n = self->kind == KIND_SOCKET
            ? recv (self->fd, buffer, READ_SIZE, MSG_DONTWAIT)
            : read (self->fd, buffer, self->kind == KIND_CAUTIOUS ? PIPE_BUF : READ_SIZE);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return errno == EAGAIN ? later (self, func, user_data) : -errno;
  if (n > 0)
    *ret_data = g_bytes_new (buffer, (gsize) n);
  return n;
}

/* ---- FIFOs that are read later ------------------------------------------------------ */

/* Whether somebody has it open for reading; we do not (any more). */
static gboolean
has_reader (int fd)
{
  struct pollfd p = { .fd = fd, .events = POLLOUT };

  return poll (&p, 1, 0) >= 0 && (p.revents & POLLERR) == 0;
}

static gboolean
on_linger (gpointer user_data)
{
  VpStdioEnd *self = user_data;
  int unread = 0;

  g_clear_pointer (&self->source, vp_source_end);
  if (has_reader (self->fd) || (ioctl (self->fd, FIONREAD, &unread) == 0 && unread == 0))
    {
      call_back (self);
      return G_SOURCE_REMOVE;
    }
  self->linger_ms = MIN (self->linger_ms * 2, LINGER_MAX_MS);
  self->source = g_timeout_source_new (self->linger_ms);
  attach (self->source, on_linger, self, "stdio: linger");
  return G_SOURCE_REMOVE;
}

gboolean
vp_stdio_end_linger (VpStdioEnd *self, VpStdioEndFunc func, gpointer user_data)
{
  g_autofree char *path = NULL;
  int unread = 0;
  int fd;

  if (!self->held_open)
    return FALSE;
  path = g_strdup_printf ("/proc/self/fd/%d", self->fd);
  fd = open (path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return FALSE;
  vp_fd_clear (&self->fd);
  self->fd = fd;
  if (has_reader (fd) || (ioctl (fd, FIONREAD, &unread) == 0 && unread == 0))
    return FALSE;
  self->func = func;
  self->func_data = user_data;
  self->linger_ms = LINGER_MIN_MS;
  self->source = g_timeout_source_new (self->linger_ms);
  attach (self->source, on_linger, self, "stdio: linger");
  return TRUE;
}

/* ---- making ---------------------------------------------------------------------- */

static gboolean
is_pty_master (int fd)
{
  unsigned int number;

  return ioctl (fd, TIOCGPTN, &number) == 0;
}

/* A description of our own for the pipe or terminal behind @fd, or -1. */
static int
open_again (int fd, gboolean writable)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);

  return open (path, (writable ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Takes @fd. @own: nobody shares the description. */
static VpStdioEnd *
make (int fd, gboolean own, gboolean writable, const char *what, GError **error)
{
  VP_AUTO_FD taken = fd;
  VP_AUTO_FD again = -1;
  int flags = fcntl (fd, F_GETFL);
  VpStdioEnd *self;
  struct stat st;
  Kind kind;

  if (flags < 0 || fstat (fd, &st) < 0)
    {
      vp_error_set_errno (error, errno, "%s", what);
      return NULL;
    }
  if ((flags & O_PATH) != 0 || (flags & O_ACCMODE) == (writable ? O_RDONLY : O_WRONLY))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: not open for %s", what,
                   writable ? "writing" : "reading");
      return NULL;
    }
  if (S_ISREG (st.st_mode) || S_ISBLK (st.st_mode))
    kind = KIND_FILE;
  else if (S_ISSOCK (st.st_mode))
    kind = KIND_SOCKET;
  else if (!S_ISFIFO (st.st_mode) && !S_ISCHR (st.st_mode))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                   "%s: neither a pipe, socket, terminal, device nor file", what);
      return NULL;
    }
  else if (own)
    kind = KIND_NONBLOCKING;
  else if (S_ISCHR (st.st_mode) && is_pty_master (fd))
    {
      /* opening it again would make another terminal; who passes the master
       * on has given it away */
      kind = g_unix_set_fd_nonblocking (fd, TRUE, NULL) ? KIND_NONBLOCKING : KIND_CAUTIOUS;
    }
  else
    {
      /* other devices may do something when they are opened */
      if (S_ISFIFO (st.st_mode) || isatty (fd))
        again = open_again (fd, writable);
      kind = again >= 0 ? KIND_NONBLOCKING : KIND_CAUTIOUS;
    }

  self = g_new0 (VpStdioEnd, 1);
  self->fd = again >= 0 ? vp_fd_steal (&again) : vp_fd_steal (&taken);
  self->kind = kind;
  self->writable = writable;
  return self;
}

VpStdioEnd *
vp_stdio_end_new_for_fd (int fd, gboolean writable, const char *what, GError **error)
{
  return make (fd, FALSE, writable, what, error);
}

VpStdioEnd *
vp_stdio_end_new_for_path (const char *path, gboolean writable, const char *what, GError **error)
{
  VP_AUTO_FD place = -1;
  VP_AUTO_FD fd = -1;
  g_autofree char *name = g_strdup_printf ("%s \"%s\"", what, path);
  g_autofree char *link = NULL;
  int flags = (writable ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
  VpStdioEnd *self;
  struct stat st;

  if (!g_path_is_absolute (path))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: not an absolute path", name);
      return NULL;
    }
  /* looked at before it is opened for real, and then that very thing is opened */
  place = vp_fd_open (path, O_PATH, what, error);
  if (place < 0)
    return NULL;
  if (fstat (place, &st) < 0)
    {
      vp_error_set_errno (error, errno, "%s", name);
      return NULL;
    }
  if (!S_ISFIFO (st.st_mode) && !S_ISREG (st.st_mode) && !S_ISCHR (st.st_mode) && !S_ISBLK (st.st_mode))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: neither a FIFO, device nor file", name);
      return NULL;
    }
  if (writable && S_ISFIFO (st.st_mode))
    flags = (flags & ~O_ACCMODE) | O_RDWR;
  if (writable && S_ISREG (st.st_mode))
    flags |= O_APPEND;
  link = g_strdup_printf ("/proc/self/fd/%d", place);
  fd = open (link, flags);
  if (fd < 0)
    {
      vp_error_set_errno (error, errno, "%s", name);
      return NULL;
    }
  self = make (vp_fd_steal (&fd), TRUE, writable, name, error);
  if (self != NULL)
    self->held_open = writable && S_ISFIFO (st.st_mode);
  return self;
}

void
vp_stdio_end_set_half (VpStdioEnd *self)
{
  self->half = TRUE;
}

void
vp_stdio_end_free (VpStdioEnd *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->source, vp_source_end);
  g_clear_pointer (&self->hangup, vp_source_end);
  if (self->job != NULL)
    self->job->end = NULL;
  g_clear_pointer (&self->result_data, g_bytes_unref);
  if (self->half)
    (void) shutdown (self->fd, self->writable ? SHUT_WR : SHUT_RD);
  vp_fd_clear (&self->fd);
  g_free (self);
}
