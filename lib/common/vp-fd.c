/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-failpoint.h"

int
vp_fd_open_beneath (int dirfd, const char *path, int flags, mode_t mode, const char *what, GError **error)
{
  struct open_how how = {
    .flags = (guint64) (unsigned int) (flags | O_CLOEXEC),
    .mode = (flags & (O_CREAT | O_TMPFILE)) ? mode : 0,
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
  };
  int fd;

  do
    fd = (int) syscall (SYS_openat2, dirfd, path, &how, sizeof how);
  while (fd < 0 && (errno == EINTR || errno == EAGAIN));
  if (fd >= 0)
    return fd;

  if (errno == EXDEV)
    g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s \"%s\": leads outside its directory", what, path);
  else if (errno == ELOOP)
    g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s \"%s\": is a symbolic link or a loop of them",
                 what, path);
  else
    vp_error_set_errno (error, errno, "%s \"%s\"", what, path);
  return -1;
}

int
vp_fd_open (const char *path, int flags, const char *what, GError **error)
{
  int fd = open (path, flags | O_CLOEXEC);

  if (fd < 0)
    vp_error_set_errno (error, errno, "%s \"%s\"", what, path);
  return fd;
}

char *
vp_fd_read_all (int fd, gsize max, const char *what, gsize *ret_len, GError **error)
{
  g_autoptr (GByteArray) bytes = NULL;
  struct stat st;
  gsize len = 0;

  if (fstat (fd, &st) < 0)
    {
      vp_error_set_errno (error, errno, "%s", what);
      return NULL;
    }
  if (!S_ISREG (st.st_mode))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: is not a regular file", what);
      return NULL;
    }

  bytes = g_byte_array_new ();
  for (;;)
    {
      guint8 chunk[16384];
      ssize_t n = read (fd, chunk, sizeof chunk);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          vp_error_set_errno (error, errno, "%s", what);
          return NULL;
        }
      if (n == 0)
        break;
      len += (gsize) n;
      if (len > max)
        {
          g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: is larger than %zu bytes", what, max);
          return NULL;
        }
      g_byte_array_append (bytes, chunk, (guint) n);
    }
  g_byte_array_append (bytes, (const guint8 *) "", 1);
  if (ret_len != NULL)
    *ret_len = len;
  return (char *) g_byte_array_free (g_steal_pointer (&bytes), FALSE);
}

static gboolean
write_all (int fd, const char *data, gsize len)
{
  while (len > 0)
    {
      ssize_t n = write (fd, data, len);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      data += n;
      len -= (gsize) n;
    }
  return TRUE;
}

gboolean
vp_fd_replace_file (int dirfd, const char *name, const char *data, gsize len, GError **error)
{
  g_autofree char *temp = g_strdup_printf (".%s.tmp", name);
  VP_AUTO_FD fd = openat (dirfd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0)
    return vp_error_set_errno (error, errno, "write \"%s\"", name);
  if (!VP_FAILPOINT ("file.replace.open", error))
    return FALSE;
  if (!write_all (fd, data, len) || fsync (fd) < 0 || (VP_FAILPOINT_ONLY ("file.replace.written"), FALSE) || renameat (dirfd, temp, dirfd, name) < 0 || fsync (dirfd) < 0)
    {
      int errsv = errno;

      (void) unlinkat (dirfd, temp, 0);
      return vp_error_set_errno (error, errsv, "write \"%s\"", name);
    }
  return TRUE;
}

static gboolean remove_children (int fd, GError **error);

/* RESOLVE_NO_XDEV also stops at bind mounts of the same file system: what is
 * mounted below our directories is never ours to empty. */
static int
open_child_directory (int parent, const char *name, GError **error)
{
  struct open_how how = {
    .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
  };
  int fd = (int) syscall (SYS_openat2, parent, name, &how, sizeof how);

  if (fd < 0 && errno == EXDEV)
    g_set_error (error, VP_ERROR, VP_ERROR_BUSY, "remove \"%s\": something is mounted there", name);
  else if (fd < 0)
    vp_error_set_errno (error, errno, "remove \"%s\"", name);
  return fd;
}

#define REMOVE_TRIES 3

static gboolean
remove_one (int parent, const char *name, GError **error)
{
  VP_AUTO_FD fd = -1;

  if (unlinkat (parent, name, 0) == 0 || errno == ENOENT)
    return TRUE;
  if (errno != EISDIR && errno != EPERM)
    return vp_error_set_errno (error, errno, "remove \"%s\"", name);

  fd = open_child_directory (parent, name, error);
  /* somebody may put a last file there after we have looked, but not for ever */
  for (int i = 0; fd >= 0 && i < REMOVE_TRIES; i++)
    {
      if (!remove_children (fd, error))
        return FALSE;
      if (unlinkat (parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return TRUE;
      if (errno != ENOTEMPTY || i == REMOVE_TRIES - 1)
        return vp_error_set_errno (error, errno, "remove \"%s\"", name);
    }
  return FALSE;
}

static gboolean
remove_children (int fd, GError **error)
{
  int copy = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  DIR *dir = copy < 0 ? NULL : fdopendir (copy);
  struct dirent *entry;
  gboolean ok = TRUE;

  if (dir == NULL)
    {
      vp_error_set_errno (error, errno, "remove");
      vp_fd_clear (&copy);
      return FALSE;
    }
  rewinddir (dir); /* the copy shares the place where a try before this one stopped */
  while (ok && (entry = readdir (dir)) != NULL)
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      ok = remove_one (fd, entry->d_name, error);
  closedir (dir);
  return ok;
}

gboolean
vp_fd_remove_tree (int dirfd, const char *name, GError **error)
{
  return remove_one (dirfd, name, error);
}
