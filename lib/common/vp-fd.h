/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>
#include <unistd.h>

/* File descriptors that close themselves, and path look-ups that cannot be
 * led outside a directory. */

static inline void
vp_fd_clear (int *fd)
{
  if (*fd >= 0)
    (void) close (*fd);
  *fd = -1;
}

static inline int
vp_fd_steal (int *fd)
{
  int out = *fd;

  *fd = -1;
  return out;
}

#define VP_AUTO_FD __attribute__ ((cleanup (vp_fd_clear))) int

/* Opens @path below @dirfd without ever leaving it: "..", symlinks and magic
 * links that lead outside fail (openat2, RESOLVE_BENEATH). @flags as open(2);
 * O_CLOEXEC is added. -1 and @error on failure; @what names the file there. */
int vp_fd_open_beneath (int dirfd, const char *path, int flags, mode_t mode, const char *what, GError **error);

/* Opens an absolute path given by a caller; no symlink is followed in the last
 * element when @flags has O_NOFOLLOW. */
int vp_fd_open (const char *path, int flags, const char *what, GError **error);

/* Whole content of a regular file, at most @max bytes (more is InvalidArgument). NUL is appended. */
char *vp_fd_read_all (int fd, gsize max, const char *what, gsize *ret_len, GError **error);

/* Writes @data to @dir/@name durably: temporary file, fsync, rename, fsync of the directory. */
gboolean vp_fd_replace_file (int dirfd, const char *name, const char *data, gsize len, GError **error);

/* Removes @name below @dirfd and everything under it without following symlinks
 * or crossing into a mount. A missing @name is success. */
gboolean vp_fd_remove_tree (int dirfd, const char *name, GError **error);
