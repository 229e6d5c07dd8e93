/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-host-mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-fd.h"

#define MAX_UNPIN_ROUNDS 16

/* A namespace lives as long as a process is in it or its file is mounted somewhere. */

gboolean
vp_host_mount_pin (int fd, const char *path, GError **error)
{
  g_autofree char *source = g_strdup_printf ("/proc/self/fd/%d", fd);
  VP_AUTO_FD place = open (path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

  if (place < 0)
    return vp_error_set_errno (error, errno, "namespace \"%s\"", path);
  if (mount (source, path, NULL, MS_BIND, NULL) == 0)
    return TRUE;
  vp_error_set_errno (error, errno, "namespace \"%s\": mount", path);
  (void)unlink (path);
  return FALSE;
}

gboolean
vp_host_mount_unpin (const char *path, GError **error)
{
  for (guint i = 0; i < MAX_UNPIN_ROUNDS; i++)
    {
      if (umount2 (path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
        continue;
      /* EINVAL: there is a file and nothing on it */
      if (errno != EINVAL && errno != ENOENT && errno != ENOTDIR)
        return vp_error_set_errno (error, errno, "namespace \"%s\": unmount", path);
      break;
    }
  if (unlink (path) < 0 && errno != ENOENT && errno != ENOTDIR)
    return vp_error_set_errno (error, errno, "namespace \"%s\": remove", path);
  return TRUE;
}
