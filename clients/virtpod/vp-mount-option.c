/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-mount-option.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-fd.h"

/* Who may not look at the first process and is not root has no mounts of its own,
 * or those of a user namespace, where it is root and is told what the daemon
 * thinks of that. */
static gboolean
is_hosts (int fd)
{
  struct stat own, first;

  if (stat ("/proc/1/ns/mnt", &first) < 0)
    return geteuid () != 0;
  return fstat (fd, &own) == 0 && own.st_dev == first.st_dev && own.st_ino == first.st_ino;
}

gboolean
vp_mount_option_add (GVariantBuilder *options, GUnixFDList *fds, GError **error)
{
  VP_AUTO_FD fd = open ("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  int handle;

  if (fd < 0 || is_hosts (fd))
    return TRUE;
  handle = g_unix_fd_list_append (fds, fd, error);
  if (handle < 0)
    return FALSE;
  g_variant_builder_add (options, "{sv}", "mount-namespace", g_variant_new_handle (handle));
  return TRUE;
}
