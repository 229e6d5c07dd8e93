/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "vp-names.h"

static int log_fd = STDERR_FILENO;

void *
shim_alloc (size_t size)
{
  void *data = calloc (1, size);

  if (data == NULL)
    abort ();
  return data;
}

char *
shim_strdup (const char *text)
{
  char *copy = strdup (text);

  if (copy == NULL)
    abort ();
  return copy;
}

char *
shim_vprintf (const char *format, va_list arguments)
{
  char *text;

  if (vasprintf (&text, format, arguments) < 0)
    abort ();
  return text;
}

char *
shim_printf (const char *format, ...)
{
  va_list arguments;
  char *text;

  va_start (arguments, format);
  text = shim_vprintf (format, arguments);
  va_end (arguments);
  return text;
}

uint64_t
shim_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

uint64_t
shim_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_REALTIME, &now);
  return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

static int
is_alnum (char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int
shim_id_is_valid (const char *id)
{
  size_t len = 0;

  if (!is_alnum (*id))
    return 0;
  for (; id[len] != '\0'; len++)
    if (len == VP_ID_MAX || (!is_alnum (id[len]) && strchr ("_.+-", id[len]) == NULL))
      return 0;
  return 1;
}

int
shim_read_file (const char *path, size_t max, char **ret, size_t *ret_len)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  char *data = NULL;
  size_t len = 0;
  ssize_t n = 0;

  if (fd < 0)
    return -errno;
  do
    {
      if (len % 65536 == 0)
        {
          char *bigger = realloc (data, len + 65536 + 1);

          if (bigger == NULL)
            abort ();
          data = bigger;
        }
      n = read (fd, data + len, 65536 - len % 65536);
      len += n > 0 ? (size_t) n : 0;
    }
  while ((n > 0 && len <= max) || (n < 0 && errno == EINTR));
  n = n < 0 ? -errno : len > max ? -EFBIG : 0;
  (void) close (fd);
  if (n < 0)
    {
      free (data);
      return (int) n;
    }
  data[len] = '\0';
  *ret = data;
  *ret_len = len;
  return 0;
}

int
shim_write_all (int fd, const void *data, size_t len)
{
  const char *rest = data;

  while (len > 0)
    {
      ssize_t n = write (fd, rest, len);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return -errno;
      rest += n;
      len -= (size_t) n;
    }
  return 0;
}

int
shim_connect (const char *path, int *ret_fd)
{
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  int fd, error;

  if (strncmp (path, "unix://", 7) == 0)
    path += 7;
  if (strlen (path) >= sizeof name.sun_path)
    return -ENAMETOOLONG;
  memcpy (name.sun_path, path, strlen (path));
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -errno;
  if (connect (fd, (struct sockaddr *) &name, sizeof name) < 0)
    {
      error = -errno;
      (void) close (fd);
      return error;
    }
  *ret_fd = fd;
  return 0;
}

void
shim_log_open (const char *fifo)
{
  /* for both, as without a reader it could not be opened, or would end us later */
  log_fd = open (fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

void
shim_log (const char *format, ...)
{
  char text[1024];
  va_list arguments;
  int len, prefix = 0;

  if (log_fd < 0)
    return;
  if (log_fd != STDERR_FILENO)
    prefix = snprintf (text, sizeof text, "containerd-shim-virtpod-v2[%d]: ", (int) getpid ());
  va_start (arguments, format);
  len = vsnprintf (text + prefix, sizeof text - (size_t) prefix - 1, format, arguments);
  va_end (arguments);
  len = len < 0 ? 0 : len > (int) sizeof text - prefix - 2 ? (int) sizeof text - prefix - 2 : len;
  text[prefix + len] = '\n';
  /* a log that is full loses lines */
  (void) !write (log_fd, text, (size_t) (prefix + len + 1));
}
