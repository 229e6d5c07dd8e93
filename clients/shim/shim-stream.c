/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standard streams as containerd names them: paths of FIFOs, or URIs. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim-task.h"
#include "shim-util.h"

/* Its directory too, as runc's shim does. */
static int
make_file (const char *path)
{
  char *copy = shim_strdup (path);
  char *slash = strrchr (copy, '/');
  int fd;

  if (slash != copy)
    {
      *slash = '\0';
      (void) mkdir (copy, 0755);
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

  if (*name == '\0')
    return shim_strdup ("/dev/null");
  if (is_file || strncmp (name, "fifo://", 7) == 0)
    name += 7;
  if (strstr (name, "://") != NULL)
    *ret_why = "only FIFOs, fifo:// and file:// are known";
  else if (*name != '/' || strlen (name) >= PATH_MAX)
    *ret_why = "must be absolute paths";
  else if (is_file && make_file (name) < 0)
    *ret_why = "the file cannot be made";
  else
    return shim_strdup (name);
  return NULL;
}
