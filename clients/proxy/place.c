/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_MOUNTS 256
#define PATH_SIZE 4096
#define COVER_OPTIONS "mode=755,size=1m,nr_inodes=4096"

typedef struct
{
  char *path; /* in the container */
  int fd;     /* bind: the mount; cover: -1, and what was mounted, once it is */
} Mount;

static Mount mounts[MAX_MOUNTS];
static int n_mounts;
static int root_read_only;

/* ---- what is wanted -------------------------------------------------------------- */

static void
set_read_only (int fd, unsigned int flags)
{
  struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

  (void) mount_setattr (fd, "", AT_EMPTY_PATH | flags, &attr, sizeof attr);
}

/* What the host unmounts goes here as well; nothing goes the other way. */
static int
clone_mount (const char *source, int read_only)
{
  struct mount_attr attr = { .propagation = MS_SLAVE };
  int fd = open_tree (AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

  if (fd >= 0)
    (void) mount_setattr (fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr);
  if (fd >= 0 && read_only)
    set_read_only (fd, AT_RECURSIVE);
  return fd;
}

/* @data: what comes after the kind, with a NUL at its end. */
static void
add (char kind, const char *data, size_t size)
{
  size_t length = strlen (data);
  int fd = -1;

  if (n_mounts == MAX_MOUNTS || data[0] != '/' || data[1] == '\0')
    return;
  if (kind != PLACE_COVER)
    fd = length + 1 < size ? clone_mount (data + length + 1, kind == PLACE_BIND_READ_ONLY) : -1;
  if (kind != PLACE_COVER && fd < 0)
    return;
  mounts[n_mounts].path = strdup (data);
  mounts[n_mounts].fd = fd;
  if (mounts[n_mounts].path != NULL)
    n_mounts++;
  else if (fd >= 0)
    (void) close (fd);
}

int
place_hear (int control)
{
  char data[1 + 2 * PATH_SIZE];
  ssize_t n;

  for (;;)
    {
      do
        n = recv (control, data, sizeof data, 0);
      while (n < 0 && errno == EINTR);
      if (n <= 0)
        return n < 0 ? -errno : -EPIPE;
      if (data[0] == PLACE_END || data[0] == PLACE_END_READ_ONLY)
        break;
      if (n > 1 && data[n - 1] == '\0')
        add (data[0], data + 1, (size_t) n - 1);
    }
  root_read_only = data[0] == PLACE_END_READ_ONLY;
  return 0;
}

/* ---- making it so ---------------------------------------------------------------- */

/* The guest has made it where that is the host's; in a cover nothing is yet. */
static void
make_mount_point (char *path, int is_dir)
{
  int fd;

  for (char *end = strchr (path + 1, '/'); end != NULL; end = strchr (end + 1, '/'))
    {
      *end = '\0';
      (void) mkdir (path, 0755);
      *end = '/';
    }
  if (is_dir)
    {
      (void) mkdir (path, 0755);
      return;
    }
  fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd >= 0)
    (void) close (fd);
}

/* Links lead to what they lead to in the container: there is nothing else here. */
static void
mount_bind (Mount *self)
{
  struct stat st;

  if (access (self->path, F_OK) < 0 && fstat (self->fd, &st) == 0)
    make_mount_point (self->path, S_ISDIR (st.st_mode));
  (void) move_mount (self->fd, "", AT_FDCWD, self->path, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
  (void) close (self->fd);
  self->fd = -1;
}

/* Other mounts may need places in it: it is closed to writing last of all. */
static void
mount_cover (Mount *self)
{
  if (mount ("virtpod", self->path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, COVER_OPTIONS) == 0)
    self->fd = open (self->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void
mount_all (void)
{
  int root = root_read_only ? open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

  for (int i = 0; i < n_mounts; i++)
    if (mounts[i].fd >= 0)
      mount_bind (&mounts[i]);
    else
      mount_cover (&mounts[i]);
  for (int i = 0; i < n_mounts; i++)
    {
      if (mounts[i].fd >= 0)
        {
          set_read_only (mounts[i].fd, 0);
          (void) close (mounts[i].fd);
        }
      free (mounts[i].path);
    }
  if (root < 0)
    return;
  set_read_only (root, 0);
  (void) close (root);
}

int
place_enter (const char *root)
{
  if (unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0
      || mount (root, root, NULL, MS_BIND | MS_REC, NULL) < 0 || chdir (root) < 0)
    return -errno;
  /* the old root comes to lie on the new one, and goes */
  if (syscall (SYS_pivot_root, ".", ".") < 0 || umount2 (".", MNT_DETACH) < 0 || chdir ("/") < 0)
    return -errno;
  mount_all ();
  return 0;
}
