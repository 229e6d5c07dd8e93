/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent-openat2.h"

/* valgrind does not know openat2(): what it would do is done step by step, which is as
 * good when nobody renames anything meanwhile. Elsewhere the kernel does it. */

#define MAX_LINKS 40
#define MAX_DEPTH 1024

typedef struct
{
  int fds[MAX_DEPTH]; /* from the directory it begins at to where it is */
  int depth;
  int links;
  uint64_t resolve;
} Walk;

static int walk_path (Walk *w, const char *path, int flags);

static int
is_magic (int fd)
{
  struct statfs fs;

  return fstatfs (fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

static int
follow (Walk *w, int link, int flags)
{
  char target[4096];
  ssize_t n = readlinkat (link, "", target, sizeof target - 1);

  if (n < 0)
    return -1;
  target[n] = '\0';
  errno = ELOOP;
  if (++w->links > MAX_LINKS || (w->resolve & RESOLVE_NO_SYMLINKS) != 0 || is_magic (link))
    return -1;
  return walk_path (w, target, flags);
}

/* one element that is not the last: stays open as where the walk is */
static int
step (Walk *w, const char *name)
{
  struct stat st;
  int fd, rc;

  if (strcmp (name, ".") == 0)
    return 0;
  if (strcmp (name, "..") == 0)
    {
      errno = EXDEV;
      if (w->depth == 0)
        return (w->resolve & RESOLVE_IN_ROOT) != 0 ? 0 : -1;
      close (w->fds[w->depth--]);
      return 0;
    }
  fd = openat (w->fds[w->depth], name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 || fstat (fd, &st) < 0)
    return -1;
  if (S_ISLNK (st.st_mode))
    {
      rc = follow (w, fd, -1);
      close (fd);
      return rc;
    }
  w->fds[++w->depth] = fd;
  errno = ENOTDIR;
  return S_ISDIR (st.st_mode) ? 0 : -1;
}

/* the last element: the file descriptor that is wanted */
static int
open_last (Walk *w, const char *name, int flags)
{
  struct stat st;
  int fd, rc, dots = strcmp (name, "..") == 0;

  if (dots && step (w, name) < 0)
    return -1;
  if (dots)
    name = ".";
  if ((flags & O_NOFOLLOW) == 0 && fstatat (w->fds[w->depth], name, &st, AT_SYMLINK_NOFOLLOW) == 0
      && S_ISLNK (st.st_mode))
    {
      fd = openat (w->fds[w->depth], name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
      rc = follow (w, fd, flags);
      close (fd);
      return rc;
    }
  return openat (w->fds[w->depth], name, flags | O_NOFOLLOW | O_CLOEXEC);
}

/* @flags -1: only goes there */
static int
walk_path (Walk *w, const char *path, int flags)
{
  g_auto (GStrv) elements = g_strsplit (path, "/", -1);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  errno = EXDEV;
  if (path[0] == '/' && (w->resolve & RESOLVE_IN_ROOT) == 0)
    return -1;
  while (path[0] == '/' && w->depth > 0)
    close (w->fds[w->depth--]);
  for (guint i = 0; elements[i] != NULL; i++)
    if (elements[i][0] != '\0')
      g_ptr_array_add (names, elements[i]);
  for (guint i = 0; i < names->len && (flags == -1 || i + 1 < names->len); i++)
    if (step (w, names->pdata[i]) < 0)
      return -1;
  return flags == -1 ? 0 : open_last (w, names->len > 0 ? names->pdata[names->len - 1] : ".", flags);
}

int
agent_openat2 (int dir, const char *path, int flags, uint64_t resolve)
{
  struct open_how how = { .flags = (guint64)(guint)(flags | O_CLOEXEC), .resolve = resolve };
  int fd = (int)syscall (SYS_openat2, dir, path, &how, sizeof how);
  g_autofree Walk *w = NULL;

  if (fd >= 0 || errno != ENOSYS)
    return fd;
  w = g_new0 (Walk, 1);
  w->resolve = resolve;
  w->fds[0] = dir;
  fd = walk_path (w, path, flags);
  while (w->depth > 0)
    {
      int saved = errno;

      close (w->fds[w->depth--]);
      errno = saved;
    }
  return fd;
}
