/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "vp-error.h"
#include "vp-fd.h"

typedef struct
{
  char *path;
  int fd;
} Fixture;

static void
setup (Fixture *f, gconstpointer data)
{
  f->path = g_dir_make_tmp ("vp-fd-XXXXXX", NULL);
  f->fd = open (f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_assert_cmpint (f->fd, >=, 0);
}

static void
teardown (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_path_get_basename (f->path);
  VP_AUTO_FD parent = openat (f->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  vp_fd_clear (&f->fd);
  g_assert_true (vp_fd_remove_tree (parent, name, &error));
  g_assert_no_error (error);
  g_free (f->path);
}

static void
test_open_beneath (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  VP_AUTO_FD inside = -1;
  VP_AUTO_FD through_link = -1;

  g_assert_true (vp_fd_replace_file (f->fd, "file", "hello", 5, &error));
  g_assert_cmpint (symlinkat ("file", f->fd, "good"), ==, 0);
  g_assert_cmpint (symlinkat ("/etc/passwd", f->fd, "absolute"), ==, 0);
  g_assert_cmpint (symlinkat ("../../etc/passwd", f->fd, "up"), ==, 0);

  inside = vp_fd_open_beneath (f->fd, "file", O_RDONLY, 0, "file", &error);
  g_assert_no_error (error);
  g_assert_cmpint (inside, >=, 0);
  through_link = vp_fd_open_beneath (f->fd, "good", O_RDONLY, 0, "file", &error);
  g_assert_no_error (error);
  g_assert_cmpint (through_link, >=, 0);

  for (const char *const *p = (const char *const[]) { "absolute", "up", "../x", "/etc/passwd", NULL }; *p; p++)
    {
      g_autoptr (GError) refused = NULL;

      g_assert_cmpint (vp_fd_open_beneath (f->fd, *p, O_RDONLY, 0, "file", &refused), ==, -1);
      g_assert_error (refused, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
    }
  g_assert_cmpint (vp_fd_open_beneath (f->fd, "none", O_RDONLY, 0, "file", &error), ==, -1);
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
}

static void
test_read_all (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) too_large = NULL;
  g_autoptr (GError) directory = NULL;
  g_autofree char *text = NULL;
  VP_AUTO_FD fd = -1;
  gsize len = 0;

  g_assert_true (vp_fd_replace_file (f->fd, "file", "hello", 5, &error));
  fd = openat (f->fd, "file", O_RDONLY | O_CLOEXEC);
  text = vp_fd_read_all (fd, 5, "file", &len, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "hello");
  g_assert_cmpuint (len, ==, 5);

  lseek (fd, 0, SEEK_SET);
  g_assert_null (vp_fd_read_all (fd, 4, "file", &len, &too_large));
  g_assert_error (too_large, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
  g_assert_null (vp_fd_read_all (f->fd, 4, "directory", &len, &directory));
  g_assert_error (directory, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
}

static void
test_replace_keeps_modes (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  struct stat st;

  g_assert_true (vp_fd_replace_file (f->fd, "file", "one", 3, &error));
  g_assert_true (vp_fd_replace_file (f->fd, "file", "two!", 4, &error));
  g_assert_no_error (error);
  g_assert_cmpint (fstatat (f->fd, "file", &st, AT_SYMLINK_NOFOLLOW), ==, 0);
  g_assert_cmpint (st.st_size, ==, 4);
  g_assert_cmpint (st.st_mode & 0777, ==, 0600);
  g_assert_cmpint (fstatat (f->fd, ".file.tmp", &st, AT_SYMLINK_NOFOLLOW), ==, -1);
}

static void
test_remove_follows_nothing (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  struct stat st;

  g_assert_cmpint (mkdirat (f->fd, "keep", 0700), ==, 0);
  g_assert_cmpint (mkdirat (f->fd, "keep/inner", 0700), ==, 0);
  g_assert_cmpint (mkdirat (f->fd, "gone", 0700), ==, 0);
  g_assert_cmpint (mkdirat (f->fd, "gone/deeper", 0700), ==, 0);
  g_assert_cmpint (symlinkat ("../keep", f->fd, "gone/link"), ==, 0);

  g_assert_true (vp_fd_remove_tree (f->fd, "gone", &error));
  g_assert_no_error (error);
  g_assert_cmpint (fstatat (f->fd, "gone", &st, AT_SYMLINK_NOFOLLOW), ==, -1);
  g_assert_cmpint (fstatat (f->fd, "keep/inner", &st, AT_SYMLINK_NOFOLLOW), ==, 0);
  g_assert_true (vp_fd_remove_tree (f->fd, "gone", &error));
}

/* a bind mount of the same file system is the dangerous case: st_dev cannot tell it */
static void
test_remove_stops_at_mounts (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *source = g_build_filename (f->path, "keep", NULL);
  g_autofree char *target = g_build_filename (f->path, "gone", "mnt", NULL);
  struct stat st;

  if (geteuid () != 0 || unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    {
      g_test_skip ("needs root and a mount namespace of its own");
      return;
    }
  g_assert_cmpint (mkdirat (f->fd, "keep", 0700), ==, 0);
  g_assert_cmpint (mkdirat (f->fd, "keep/inner", 0700), ==, 0);
  g_assert_cmpint (mkdirat (f->fd, "gone", 0700), ==, 0);
  g_assert_cmpint (mkdirat (f->fd, "gone/mnt", 0700), ==, 0);
  g_assert_cmpint (mount (source, target, NULL, MS_BIND, NULL), ==, 0);

  g_assert_false (vp_fd_remove_tree (f->fd, "gone", &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_BUSY);
  g_assert_cmpint (fstatat (f->fd, "keep/inner", &st, AT_SYMLINK_NOFOLLOW), ==, 0);
  g_assert_cmpint (umount2 (target, MNT_DETACH), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add (name, Fixture, NULL, setup, func, teardown)
  ADD ("/fd/open-beneath", test_open_beneath);
  ADD ("/fd/read-all", test_read_all);
  ADD ("/fd/replace", test_replace_keeps_modes);
  ADD ("/fd/remove-tree", test_remove_follows_nothing);
  ADD ("/fd/remove-tree-mount", test_remove_stops_at_mounts);
  return g_test_run ();
}
