/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-store.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-fd.h"

typedef struct
{
  char *dir;
  char *state;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("vp-XXXXXX", NULL);
  g_assert_nonnull (f->dir);
  f->state = g_build_filename (f->dir, "a", "state", NULL);
}

static void
remove_directory (const char *path)
{
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  VP_AUTO_FD fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  g_assert_true (vp_fd_remove_tree (fd, name, NULL));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  remove_directory (f->dir);
  g_free (f->dir);
  g_free (f->state);
}

static VpStore *
open_store (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  VpStore *store = vp_store_open (f->state, &error);

  g_assert_no_error (error);
  return store;
}

static void
assert_refused (const char *dir, VpError code)
{
  g_autoptr (GError) error = NULL;
  VpStore *store = vp_store_open (dir, &error);

  g_assert_null (store);
  g_assert_error (error, VP_ERROR, (int) code);
}

static void
test_records (Fixture *f, gconstpointer data)
{
  g_autoptr (VpStore) store = open_store (f);
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = vp_store_dup_directory (store, "vp-a");
  g_autofree char *file = g_build_filename (directory, "record.json", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) names = NULL;
  struct stat st;
  gsize len = 0;

  g_assert_cmpstr (vp_store_get_state_dir (store), ==, f->state);
  g_assert_true (vp_store_add (store, "vp-a", "one", 3, &error));
  g_assert_false (vp_store_add (store, "vp-a", "two", 3, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS);
  g_clear_error (&error);
  text = vp_store_load (store, "vp-a", &len, &error);
  g_assert_cmpmem (text, len, "one", 3);
  g_assert_true (vp_store_save (store, "vp-a", "three", 5, &error));
  g_free (text);
  text = vp_store_load (store, "vp-a", &len, &error);
  g_assert_cmpmem (text, len, "three", 5);
  g_assert_no_errno (stat (file, &st));
  g_assert_cmpuint (st.st_mode & 0777, ==, 0600);
  g_assert_no_errno (stat (directory, &st));
  g_assert_cmpuint (st.st_mode & 0777, ==, 0711);
  names = vp_store_list (store, &error);
  g_assert_cmpuint (g_strv_length (names), ==, 1);
  g_assert_true (vp_store_remove (store, "vp-a", &error));
  g_assert_false (g_file_test (directory, G_FILE_TEST_EXISTS));
  g_assert_true (vp_store_remove (store, "vp-a", &error)); /* gone is what was wanted */
  g_assert_false (vp_store_save (store, "vp-a", "four", 4, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
}

static void
test_lock (Fixture *f, gconstpointer data)
{
  g_autoptr (VpStore) store = open_store (f);

  assert_refused (f->state, VP_ERROR_BUSY);
  g_clear_object (&store);
  store = open_store (f);
}

static void
test_not_ours (Fixture *f, gconstpointer data)
{
  g_autoptr (VpStore) store = open_store (f);

  g_clear_object (&store);
  g_assert_no_errno (chmod (f->state, 0777));
  assert_refused (f->state, VP_ERROR_NOT_AUTHORIZED);
  g_assert_no_errno (chmod (f->state, 0711));
  if (geteuid () != 0)
    return;
  g_assert_no_errno (chown (f->state, 65534, 65534));
  assert_refused (f->state, VP_ERROR_NOT_AUTHORIZED);
}

static void
test_bad_directory (Fixture *f, gconstpointer data)
{
  g_autofree char *long_name = g_strnfill (100, 'x');
  g_autofree char *too_long = g_build_filename (f->dir, long_name, NULL);
  g_autofree char *file = g_build_filename (f->dir, "file", NULL);
  g_autofree char *link_target = g_build_filename (f->dir, "elsewhere", NULL);
  g_autofree char *sandboxes = g_build_filename (f->state, "sandboxes", NULL);
  g_autoptr (GError) error = NULL;

  assert_refused (too_long, VP_ERROR_NOT_SUPPORTED);
  g_assert_false (g_file_test (too_long, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_set_contents (file, "", 0, NULL));
  g_assert_null (vp_store_open (file, &error));
  g_assert_nonnull (error);

  /* a link in the place of ours is not followed */
  g_assert_no_errno (g_mkdir_with_parents (f->state, 0711));
  g_assert_no_errno (g_mkdir (link_target, 0711));
  g_assert_no_errno (symlink (link_target, sandboxes));
  g_clear_error (&error);
  g_assert_null (vp_store_open (f->state, &error));
  g_assert_nonnull (error);
}

static void
test_specs (Fixture *f, gconstpointer data)
{
  g_autoptr (VpStore) store = open_store (f);
  g_autofree char *directory = vp_store_dup_directory (store, "vp-a");
  g_autofree char *specs = g_build_filename (directory, "specs", NULL);
  g_autofree char *file = g_build_filename (specs, "c1", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gsize len = 0;
  GStatBuf st;

  g_assert_false (vp_store_save_spec (store, "vp-a", "c1", "{}", 2, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  g_assert_true (vp_store_add (store, "vp-a", "x", 1, NULL));
  g_assert_true (vp_store_save_spec (store, "vp-a", "c1", "{}", 2, NULL));
  text = vp_store_load_spec (store, "vp-a", "c1", &len, NULL);
  g_assert_cmpstr (text, ==, "{}");
  g_assert_no_errno (g_stat (specs, &st));
  g_assert_cmpint (st.st_mode & 0777, ==, 0700);
  g_assert_no_errno (g_stat (file, &st));
  g_assert_cmpint (st.st_mode & 0777, ==, 0600);
  vp_store_remove_spec (store, "vp-a", "c1");
  vp_store_remove_spec (store, "vp-a", "c1");
  g_assert_null (vp_store_load_spec (store, "vp-a", "c1", &len, NULL));
}

static void
test_quarantine (Fixture *f, gconstpointer data)
{
  g_autoptr (VpStore) store = open_store (f);
  g_autofree char *place = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gsize len = 0;

  g_assert_true (vp_store_add (store, "vp-a", "x", 1, NULL));
  place = vp_store_quarantine (store, "vp-a", &error);
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (place, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "x");
  g_assert_null (vp_store_load (store, "vp-a", &len, NULL));
  g_assert_null (vp_store_quarantine (store, "vp-a", &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
}

static void
test_bad_records (Fixture *f, gconstpointer data)
{
  g_autoptr (VpStore) store = open_store (f);
  g_autofree char *directory = vp_store_dup_directory (store, "vp-a");
  g_autofree char *file = g_build_filename (directory, "record.json", NULL);
  g_autofree char *huge = g_strnfill ((4u << 20) + 1, 'x');
  g_autoptr (GError) error = NULL;
  gsize len = 0;

  g_assert_null (vp_store_load (store, "vp-a", &len, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  g_assert_true (vp_store_add (store, "vp-a", "x", 1, NULL));
  g_assert_no_errno (unlink (file));
  for (int kind = 0; kind < 4; kind++)
    {
      if (kind == 0)
        g_assert_no_errno (symlink ("/etc/passwd", file));
      else if (kind == 1)
        g_assert_no_errno (mkfifo (file, 0600));
      else if (kind == 2)
        g_assert_no_errno (g_mkdir (file, 0700));
      else
        g_assert_true (g_file_set_contents (file, huge, -1, NULL));
      g_clear_error (&error);
      g_assert_null (vp_store_load (store, "vp-a", &len, &error));
      g_assert_nonnull (error);
      g_assert_no_errno (remove (file));
    }
}

/* What is not a name of ours is not listed, and not followed when removed. */
static void
test_strange_names (Fixture *f, gconstpointer data)
{
  g_autoptr (VpStore) store = open_store (f);
  g_autofree char *base = g_build_filename (f->state, "sandboxes", NULL);
  g_autofree char *strange = g_build_filename (base, "a b", NULL);
  g_autofree char *victim = g_build_filename (f->dir, "victim", NULL);
  g_autofree char *inside = NULL;
  g_auto (GStrv) names = NULL;

  g_assert_no_errno (g_mkdir (strange, 0700));
  g_assert_true (g_file_set_contents (victim, "", 0, NULL));
  g_assert_true (vp_store_add (store, "vp-a", "x", 1, NULL));
  inside = g_build_filename (base, "vp-a", "link", NULL);
  g_assert_no_errno (symlink (f->dir, inside));
  names = vp_store_list (store, NULL);
  g_assert_cmpuint (g_strv_length (names), ==, 1);
  g_assert_cmpstr (names[0], ==, "vp-a");
  g_assert_true (vp_store_remove (store, "vp-a", NULL));
  g_assert_true (g_file_test (victim, G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add ("/store/" path, Fixture, NULL, set_up, func, tear_down)
  ADD ("records", test_records);
  ADD ("lock", test_lock);
  ADD ("not-ours", test_not_ours);
  ADD ("bad-directory", test_bad_directory);
  ADD ("specs", test_specs);
  ADD ("quarantine", test_quarantine);
  ADD ("bad-records", test_bad_records);
  ADD ("strange-names", test_strange_names);
  return g_test_run ();
}
