/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standard streams as containerd names them: paths of FIFOs, or URIs. */
#include "shim-stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim-uri.h"
#include "shim-util.h"

/* Its directories too, as runc's shim does. */
static int
make_file (const char *path)
{
  char *copy = shim_strdup (path);
  int fd;

  for (char *slash = strchr (copy + 1, '/'); slash != NULL; slash = strchr (slash + 1, '/'))
    {
      *slash = '\0';
      (void) mkdir (copy, 0755);
      *slash = '/';
    }
  free (copy);
  fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);
  if (fd < 0)
    return -errno;
  (void) close (fd);
  return 0;
}

char *
shim_stream_path (const char *name, const char **ret_why)
{
  int is_file = strncmp (name, "file://", 7) == 0;
  char *path = NULL;
  ShimUri uri;

  if (*name == '\0')
    return shim_strdup ("/dev/null");
  if (is_file || strncmp (name, "fifo://", 7) == 0)
    {
      if (shim_uri_parse (&uri, name + 7, ret_why) < 0)
        return NULL;
      path = shim_strdup (uri.path);
      shim_uri_clear (&uri);
    }
  else if (strstr (name, "://") != NULL)
    *ret_why = "only FIFOs, fifo://, file:// and, for output, binary:// are known";
  else if (*name != '/' || strlen (name) >= PATH_MAX)
    *ret_why = "must be absolute paths";
  else
    path = shim_strdup (name);
  if (is_file && make_file (path) < 0)
    {
      *ret_why = "the file cannot be made";
      free (path);
      path = NULL;
    }
  return path;
}

/* ---- all of a process ------------------------------------------------------------ */

static void
on_ready (const char *why, void *data)
{
  ShimStreams *self = data;
  ShimLoggerFunc func = self->func;

  self->func = NULL;
  func (why, self->data);
}

/* One program takes both: what is to be a stream of its own is refused. */
static const char *
start_logger (ShimStreams *self, const char *const names[3], const char *directory, const char *suffix, const char *id)
{
  const char *why = NULL;

  if (!shim_logger_is_meant (names[1]) || (*names[2] != '\0' && strcmp (names[1], names[2]) != 0))
    return "stdout and stderr must name the same binary://";
  self->logger = shim_logger_start (names[1], directory, suffix, id, on_ready, self, &why);
  if (self->logger == NULL)
    return why;
  self->out = shim_strdup (shim_logger_get_out (self->logger));
  self->err = shim_strdup (shim_logger_get_err (self->logger));
  return NULL;
}

void
shim_streams_open (ShimStreams *self, const char *const names[3], const char *directory, const char *suffix,
                   const char *id, ShimLoggerFunc func, void *data)
{
  const char *why = NULL;

  self->func = func;
  self->data = data;
  self->in = shim_stream_path (names[0], &why);
  if (why == NULL && (shim_logger_is_meant (names[1]) || shim_logger_is_meant (names[2])))
    {
      why = start_logger (self, names, directory, suffix, id);
      if (why == NULL)
        return;
    }
  else if (why == NULL)
    {
      self->out = shim_stream_path (names[1], &why);
      if (why == NULL)
        self->err = shim_stream_path (names[2], &why);
    }
  on_ready (why, self);
}

void
shim_streams_end (ShimStreams *self)
{
  if (self->logger != NULL)
    shim_logger_close (self->logger);
}

void
shim_streams_close (ShimStreams *self, ShimLoggerFunc func, void *data)
{
  ShimLogger *logger = self->logger;

  if (self->func != NULL)
    on_ready ("the process was deleted", self);
  free (self->in);
  free (self->out);
  free (self->err);
  *self = (ShimStreams) { .logger = NULL };
  if (logger != NULL)
    shim_logger_end (logger, func, data);
  else if (func != NULL)
    func (NULL, data);
}
