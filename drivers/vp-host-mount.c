/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a share is laid out. share_dir is bound onto itself: a shared mount, so
 * that what is mounted below it later also appears in the file server's mount
 * namespace, and a read-only one, so that the guest cannot put files, symbolic
 * links or anything else between ours. Binds below it are mounts of their own
 * and keep their own flags.
 *
 * We make mount points in the backing directory instead: a private clone of the
 * mount share_dir lies on, without anything that is mounted below. Removing
 * goes through it too, so that no mistake in unmounting can ever lead a removal
 * into somebody's files. */
#include "vp-host-mount.h"

#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "vp-error.h"
#include "vp-fd.h"

#define DIRECTORY_MODE 0711 /* the guest's users pass through, nobody lists */
#define MAX_UNMOUNT_ROUNDS 16

static gboolean
set_attributes (int fd, unsigned int flags, guint64 attributes, guint64 propagation, const char *what,
                GError **error)
{
  struct mount_attr attr = { .attr_set = attributes, .propagation = propagation };

  if (mount_setattr (fd, "", AT_EMPTY_PATH | flags, &attr, sizeof attr) < 0)
    return vp_error_set_errno (error, errno, "%s: set mount attributes", what);
  return TRUE;
}

static int
clone_mount (int fd, gboolean recursive, const char *what, GError **error)
{
  unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  int tree = open_tree (fd, "", flags);

  if (tree < 0)
    vp_error_set_errno (error, errno, "%s: clone mount", what);
  return tree;
}

/* The directory share_dir is in, as it is below all mounts. */
static int
open_backing_parent (const char *share_dir, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (share_dir);
  VP_AUTO_FD fd = -1;

  if (!g_path_is_absolute (share_dir))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "share \"%s\": must be an absolute path",
                   share_dir);
      return -1;
    }
  fd = vp_fd_open (parent, O_PATH | O_DIRECTORY, "share's directory", error);
  return fd < 0 ? -1 : clone_mount (fd, FALSE, parent, error);
}

static int
open_backing (const char *share_dir, GError **error)
{
  g_autofree char *name = g_path_get_basename (share_dir);
  VP_AUTO_FD parent = open_backing_parent (share_dir, error);

  return parent < 0 ? -1
                    : vp_fd_open_beneath (parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, "share", error);
}

static gboolean
is_mount_root (int fd)
{
  struct statx stx;

  return statx (fd, "", AT_EMPTY_PATH, STATX_MODE, &stx) == 0
         && (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

gboolean
vp_host_mount_share_prepare (const char *share_dir, GError **error)
{
  VP_AUTO_FD fd = -1;
  VP_AUTO_FD tree = -1;

  if (mkdir (share_dir, DIRECTORY_MODE) < 0 && errno != EEXIST)
    return vp_error_set_errno (error, errno, "share \"%s\"", share_dir);
  fd = vp_fd_open (share_dir, O_PATH | O_DIRECTORY | O_NOFOLLOW, "share", error);
  if (fd < 0)
    return FALSE;
  if (is_mount_root (fd))
    return TRUE;

  tree = clone_mount (fd, FALSE, share_dir, error);
  if (tree < 0)
    return FALSE;
  /* Out of the peer group of the mount it was cloned from first: else every
   * bind made in the share would be made again below the original. */
  if (!set_attributes (tree, 0, 0, MS_PRIVATE, share_dir, error))
    return FALSE;
  if (move_mount (tree, "", fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
    return vp_error_set_errno (error, errno, "share \"%s\": mount", share_dir);
  if (set_attributes (tree, 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSYMFOLLOW, MS_SHARED, share_dir, error))
    return TRUE;
  (void)umount2 (share_dir, MNT_DETACH | UMOUNT_NOFOLLOW);
  return FALSE;
}

/* ---- binding ---------------------------------------------------------------- */

static const char *
file_type_name (mode_t mode)
{
  switch (mode & S_IFMT)
    {
    case S_IFSOCK:
      return "socket";
    case S_IFIFO:
      return "fifo";
    case S_IFCHR:
      return "character device";
    case S_IFBLK:
      return "block device";
    case S_IFLNK:
      return "symbolic link";
    default:
      return "file of unknown kind";
    }
}

/* Files a file server passes on are files and directories: the rest would be
 * another object in the guest, with nobody at its other end. */
static gboolean
check_source (const VpHostBind *bind, int fd, gboolean *ret_is_dir, GError **error)
{
  struct stat st;

  if (fstat (fd, &st) < 0)
    return vp_error_set_errno (error, errno, "%s: \"%s\"", bind->field, bind->source);
  if (!S_ISDIR (st.st_mode) && !S_ISREG (st.st_mode))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
                   "%s: \"%s\" is a %s, which cannot be shared with a guest", bind->field, bind->source,
                   file_type_name (st.st_mode));
      return FALSE;
    }
  *ret_is_dir = S_ISDIR (st.st_mode);
  return TRUE;
}

/* Directories down to @target, then a directory or an empty file to mount on. */
static gboolean
make_mount_point (int backing, const char *target, gboolean is_dir, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (target, "/", -1);
  VP_AUTO_FD at = fcntl (backing, F_DUPFD_CLOEXEC, 3);

  if (at < 0)
    return vp_error_set_errno (error, errno, "mount point \"%s\"", target);
  for (char **part = parts; *part != NULL; part++)
    {
      gboolean last = part[1] == NULL;
      int next;

      if (last && !is_dir)
        {
          VP_AUTO_FD file
              = vp_fd_open_beneath (at, *part, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600, "mount point", error);
          return file >= 0;
        }
      if (mkdirat (at, *part, DIRECTORY_MODE) < 0 && errno != EEXIST)
        return vp_error_set_errno (error, errno, "mount point \"%s\"", target);
      next = vp_fd_open_beneath (at, *part, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, "mount point", error);
      if (next < 0)
        return FALSE;
      vp_fd_clear (&at);
      at = next;
    }
  return TRUE;
}

static gboolean
attach (int tree, const char *share_dir, const VpHostBind *bind, GError **error)
{
  VP_AUTO_FD share = vp_fd_open (share_dir, O_PATH | O_DIRECTORY | O_NOFOLLOW, "share", error);
  VP_AUTO_FD target = -1;

  if (share < 0)
    return FALSE;
  if (!is_mount_root (share))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE, "share \"%s\": is not mounted", share_dir);
      return FALSE;
    }
  target = vp_fd_open_beneath (share, bind->target, O_PATH | O_NOFOLLOW, 0, "mount point", error);
  if (target < 0)
    return FALSE;
  /* a path is used once: the guest may still hold what it had found there */
  if (is_mount_root (target))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS, "%s: \"%s\" is in the share already",
                   bind->field, bind->target);
      return FALSE;
    }
  if (move_mount (tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
    return vp_error_set_errno (error, errno, "%s: mount \"%s\"", bind->field, bind->source);
  return TRUE;
}

/* What is to be mounted, found where its path is meant. */
typedef struct
{
  const VpHostBind *bind;
  VpSpec *spec; /* whose root file system it is; NULL: by its path */
  int fd;       /* -1: to be opened */
  gboolean is_dir;
  int tree; /* a clone that is mounted nowhere yet */
} Source;

static gboolean
clone_source (gpointer data, GError **error)
{
  Source *source = data;
  const VpHostBind *bind = source->bind;
  g_autofree char *what = g_strdup_printf ("%s: \"%s\"", bind->field, bind->source);
  guint64 attributes = bind->read_only ? MOUNT_ATTR_RDONLY : 0;
  VP_AUTO_FD opened = -1;
  VP_AUTO_FD tree = -1;
  int fd = source->fd;

  if (fd < 0)
    fd = opened = source->spec != NULL ? vp_spec_open_rootfs (source->spec, error)
                                       : vp_fd_open (bind->source, O_PATH, bind->field, error);
  if (fd < 0 || !check_source (bind, fd, &source->is_dir, error))
    return FALSE;
  tree = clone_mount (fd, bind->recursive, what, error);
  /* private: what the host mounts below the source later stays on the host */
  if (tree < 0 || !set_attributes (tree, AT_RECURSIVE, attributes, MS_PRIVATE, what, error))
    return FALSE;
  source->tree = vp_fd_steal (&tree);
  return TRUE;
}

static gboolean
bind_source (const char *share_dir, Source *source, VpMountNs *mount_ns, GError **error)
{
  VP_AUTO_FD tree = -1;
  VP_AUTO_FD backing = -1;

  source->tree = -1;
  if (!vp_mount_ns_run (mount_ns, clone_source, source, error))
    return FALSE;
  tree = source->tree;
  backing = open_backing (share_dir, error);
  return backing >= 0 && make_mount_point (backing, source->bind->target, source->is_dir, error)
         && attach (tree, share_dir, source->bind, error);
}

gboolean
vp_host_mount_bind (const char *share_dir, const VpHostBind *bind, int source_fd, GError **error)
{
  Source source = { .bind = bind, .fd = source_fd };

  return bind_source (share_dir, &source, NULL, error);
}

gboolean
vp_host_mount_sandbox (const char *share_dir, const VpPlan *plan, GError **error)
{
  if (!vp_host_mount_share_prepare (share_dir, error))
    return FALSE;
  for (guint i = 0; i < plan->binds->len; i++)
    {
      if (vp_host_mount_bind (share_dir, g_ptr_array_index (plan->binds, i), -1, error))
        continue;
      (void)vp_host_mount_share_remove (share_dir, NULL);
      return FALSE;
    }
  return TRUE;
}

gboolean
vp_host_mount_container (const char *share_dir, const VpContainerPlan *plan, VpMountNs *mount_ns, GError **error)
{
  g_autoptr (GError) local = NULL;

  for (guint i = 0; i < plan->binds->len && local == NULL; i++)
    {
      const VpHostBind *bind = g_ptr_array_index (plan->binds, i);
      Source source = { .bind = bind, .spec = bind->is_rootfs ? plan->spec : NULL, .fd = -1 };

      (void)bind_source (share_dir, &source, mount_ns, &local);
    }
  if (local == NULL)
    return TRUE;
  (void)vp_host_mount_container_remove (share_dir, plan->container_id, NULL);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* ---- taking back ------------------------------------------------------------ */

static gboolean
is_at_or_below (const char *path, const char *directory)
{
  gsize n = strlen (directory);

  return strncmp (path, directory, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* Mounts at or below @directory, in the order they were made. */
static GPtrArray *
list_mounts (const char *directory, GError **error)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  struct libmnt_table *table = mnt_new_table_from_file ("/proc/self/mountinfo");
  struct libmnt_iter *iter = mnt_new_iter (MNT_ITER_FORWARD);
  struct libmnt_fs *fs = NULL;

  if (table == NULL || iter == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_FAILED, "/proc/self/mountinfo: cannot be read");
      mnt_free_iter (iter);
      mnt_unref_table (table);
      return NULL;
    }
  while (mnt_table_next_fs (table, iter, &fs) == 0)
    {
      const char *target = mnt_fs_get_target (fs);

      if (target != NULL && is_at_or_below (target, directory))
        g_ptr_array_add (paths, g_strdup (target));
    }
  mnt_free_iter (iter);
  mnt_unref_table (table);
  return g_steal_pointer (&paths);
}

/* Later mounts first, which is deepest first; again until nothing is left, for
 * what was mounted on top of each other. */
static gboolean
unmount_below (const char *directory, GError **error)
{
  for (int round = 0; round < MAX_UNMOUNT_ROUNDS; round++)
    {
      g_autoptr (GPtrArray) paths = list_mounts (directory, error);

      if (paths == NULL)
        return FALSE;
      if (paths->len == 0)
        return TRUE;
      for (guint i = paths->len; i > 0; i--)
        {
          const char *path = g_ptr_array_index (paths, i - 1);

          /* gone with one that was on top of it: not there any more */
          if (umount2 (path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
            return vp_error_set_errno (error, errno, "unmount \"%s\"", path);
        }
    }
  g_set_error (error, VP_ERROR, VP_ERROR_BUSY, "unmount \"%s\": mounts keep coming back", directory);
  return FALSE;
}

/* As it is in mountinfo; NULL: the directory it is in does not exist. */
static char *
resolve_share (const char *share_dir)
{
  g_autofree char *parent = g_path_get_dirname (share_dir);
  g_autofree char *name = g_path_get_basename (share_dir);
  char *real = realpath (parent, NULL);
  char *path = real != NULL ? g_build_filename (real, name, NULL) : NULL;

  free (real);
  return path;
}

gboolean
vp_host_mount_container_remove (const char *share_dir, const char *container_id, GError **error)
{
  g_autofree char *share = resolve_share (share_dir);
  g_autofree char *directory = NULL;
  VP_AUTO_FD backing = -1;

  if (share == NULL || access (share, F_OK) < 0)
    return TRUE;
  directory = g_build_filename (share, container_id, NULL);
  if (!unmount_below (directory, error))
    return FALSE;
  backing = open_backing (share, error);
  return backing >= 0 && vp_fd_remove_tree (backing, container_id, error);
}

gboolean
vp_host_mount_share_remove (const char *share_dir, GError **error)
{
  g_autofree char *share = resolve_share (share_dir);
  g_autofree char *name = g_path_get_basename (share_dir);
  VP_AUTO_FD parent = -1;

  if (share == NULL || access (share, F_OK) < 0)
    return TRUE;
  if (!unmount_below (share, error))
    return FALSE;
  parent = open_backing_parent (share, error);
  return parent >= 0 && vp_fd_remove_tree (parent, name, error);
}
