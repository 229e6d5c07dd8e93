/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent-copy.h"
#include "agent-util.h"

typedef struct
{
  char *dir;
  char *base;
  char *message;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("vp-agent-XXXXXX", NULL);
  f->base = g_build_filename (f->dir, "shared/containers", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (agent_remove_tree (f->dir), ==, 0);
  g_free (f->dir);
  g_free (f->base);
  free (f->message);
}

static VpGrpcCode
copy (Fixture *f, const char *name, guint32 mode, gint64 offset, gint64 size, const char *data)
{
  g_autofree char *path = g_strconcat (f->base, name, NULL);
  Grpc__CopyFileRequest r = GRPC__COPY_FILE_REQUEST__INIT;

  r.path = path;
  r.file_mode = mode;
  r.dir_mode = 0750;
  r.uid = (int)getuid ();
  r.gid = (int)getgid ();
  r.offset = offset;
  r.file_size = size;
  r.data.data = (guint8 *)data;
  r.data.len = strlen (data);
  free (f->message);
  f->message = NULL;
  return agent_copy_file (f->base, &r, &f->message);
}

static char *
content (Fixture *f, const char *name)
{
  g_autofree char *path = g_strconcat (f->base, name, NULL);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : NULL;
}

static guint
mode_of (Fixture *f, const char *name)
{
  g_autofree char *path = g_strconcat (f->base, name, NULL);
  struct stat st;

  return g_lstat (path, &st) == 0 ? st.st_mode : 0;
}

static void
test_file (Fixture *f, gconstpointer data)
{
  g_autofree char *first = NULL, *second = NULL, *third = NULL;

  g_assert_cmpint (copy (f, "/c1/etc/deep/file", S_IFREG | 0640, 0, 5, "hello"), ==, VP_GRPC_OK);
  first = content (f, "/c1/etc/deep/file");
  g_assert_cmpstr (first, ==, "hello");
  g_assert_cmpuint (mode_of (f, "/c1/etc/deep/file"), ==, S_IFREG | 0640);
  g_assert_cmpuint (mode_of (f, "/c1/etc"), ==, S_IFDIR | 0750);
  /* in pieces: nothing is seen of it before the last one */
  g_assert_cmpint (copy (f, "/c1/etc/deep/file", 0600, 0, 9, "new "), ==, VP_GRPC_OK);
  second = content (f, "/c1/etc/deep/file");
  g_assert_cmpstr (second, ==, "hello");
  g_assert_cmpint (copy (f, "/c1/etc/deep/file", 0600, 4, 9, "text!"), ==, VP_GRPC_OK);
  third = content (f, "/c1/etc/deep/file");
  g_assert_cmpstr (third, ==, "new text!");
  g_assert_cmpint (copy (f, "/c1/empty", 0600, 0, 0, ""), ==, VP_GRPC_OK);
  g_assert_cmpuint (mode_of (f, "/c1/empty"), ==, S_IFREG | 0600);
}

/* two files that differ in what is behind the dot do not disturb each other */
static void
test_interleaved (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL, *conf = NULL;

  g_assert_cmpint (copy (f, "/a.txt", 0600, 0, 4, "te"), ==, VP_GRPC_OK);
  g_assert_cmpint (copy (f, "/a.conf", 0600, 0, 4, "co"), ==, VP_GRPC_OK);
  g_assert_cmpint (copy (f, "/a.txt", 0600, 2, 4, "xt"), ==, VP_GRPC_OK);
  g_assert_cmpint (copy (f, "/a.conf", 0600, 2, 4, "nf"), ==, VP_GRPC_OK);
  text = content (f, "/a.txt");
  conf = content (f, "/a.conf");
  g_assert_cmpstr (text, ==, "text");
  g_assert_cmpstr (conf, ==, "conf");
}

static void
test_others (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_strconcat (f->base, "/link", NULL), *target = NULL;

  g_assert_cmpint (copy (f, "/dir", S_IFDIR | 01777, 0, 0, ""), ==, VP_GRPC_OK);
  g_assert_cmpint (copy (f, "/dir", S_IFDIR | 0700, 0, 0, ""), ==, VP_GRPC_OK);
  g_assert_cmpuint (mode_of (f, "/dir"), ==, S_IFDIR | 0700);
  g_assert_cmpint (copy (f, "/link", S_IFLNK | 0777, 0, 0, "one"), ==, VP_GRPC_OK);
  g_assert_cmpint (copy (f, "/link", S_IFLNK | 0777, 0, 0, "two"), ==, VP_GRPC_OK);
  target = g_file_read_link (path, NULL);
  g_assert_cmpstr (target, ==, "two");
  /* a file takes the place of a link and does not go through it */
  g_assert_cmpint (copy (f, "/link", S_IFREG | 0600, 0, 1, "x"), ==, VP_GRPC_OK);
  g_assert_cmpuint (mode_of (f, "/link"), ==, S_IFREG | 0600);
  g_assert_cmpint (copy (f, "/null", S_IFCHR | 0600, 0, 0, ""), ==, VP_GRPC_INVALID_ARGUMENT);
  g_assert_cmpint (copy (f, "/pipe", S_IFIFO | 0600, 0, 0, ""), ==, VP_GRPC_INVALID_ARGUMENT);
}

static void
test_refused (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "", "/", "/..", "/a/../../x", "/a/./b", "x/y", "/a/" };
  g_autofree char *outside = g_build_filename (f->dir, "outside", NULL), *long_name = g_strnfill (300, 'n');
  g_autofree char *evil = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_assert_cmpint (copy (f, names[i], 0600, 0, 1, "x"), ==, VP_GRPC_INVALID_ARGUMENT);
      g_assert_nonnull (f->message);
    }
  long_name[0] = '/';
  g_assert_cmpint (copy (f, long_name, 0600, 0, 1, "x"), ==, VP_GRPC_INVALID_ARGUMENT);
  /* what a container put into its own tree is not followed */
  g_assert_cmpint (g_mkdir (outside, 0755), ==, 0);
  g_assert_cmpint (copy (f, "/c1", S_IFDIR | 0755, 0, 0, ""), ==, VP_GRPC_OK);
  evil = g_strconcat (f->base, "/c1/link", NULL);
  g_assert_cmpint (symlink (outside, evil), ==, 0);
  g_assert_cmpint (copy (f, "/c1/link/x", 0600, 0, 1, "x"), ==, VP_GRPC_INVALID_ARGUMENT);
  g_assert_cmpint (copy (f, "/c1/link/new/x", 0600, 0, 1, "x"), ==, VP_GRPC_INVALID_ARGUMENT);
  g_assert_cmpint (g_rmdir (outside), ==, 0);
  g_assert_cmpint (copy (f, "/c1/link", S_IFDIR | 0755, 0, 0, ""), !=, VP_GRPC_OK);
}

static void
test_pieces (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (copy (f, "/f", 0600, 1, 5, "x"), ==, VP_GRPC_NOT_FOUND);
  g_assert_cmpint (copy (f, "/f", 0600, -1, 5, "x"), ==, VP_GRPC_INVALID_ARGUMENT);
  g_assert_cmpint (copy (f, "/f", 0600, 0, -1, ""), ==, VP_GRPC_INVALID_ARGUMENT);
  g_assert_cmpint (copy (f, "/f", 0600, 0, 1, "xy"), ==, VP_GRPC_INVALID_ARGUMENT);
  g_assert_cmpint (copy (f, "/f", 0600, G_MAXINT64, G_MAXINT64, "x"), ==, VP_GRPC_INVALID_ARGUMENT);
  g_assert_cmpint (copy (f, "/f", 0600, 0, 9, "abc"), ==, VP_GRPC_OK);
  g_assert_cmpint (copy (f, "/f", 0600, 5, 9, "x"), ==, VP_GRPC_FAILED_PRECONDITION);
  g_assert_cmpstr (strstr (f->message, "offset"), ==, "offset is behind what was copied so far");
  g_assert_cmpuint (mode_of (f, "/f"), ==, 0);
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/agent/copy/file", test_file);
  ADD ("/agent/copy/interleaved", test_interleaved);
  ADD ("/agent/copy/others", test_others);
  ADD ("/agent/copy/refused", test_refused);
  ADD ("/agent/copy/pieces", test_pieces);
  return g_test_run ();
}
