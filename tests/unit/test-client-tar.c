/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tar streams between the command and a guest: what is made is what comes back,
 * and what a hostile guest sends stays where it belongs. */
#include <glib.h>
#include <glib/gstdio.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-fd.h"
#include "vp-tar-end.h"
#include "vp-tar-read.h"
#include "vp-tar-write.h"

#define BLOCK 512

typedef struct
{
  char *top;     /* removed at the end */
  char *outside; /* a file that no stream may touch */
  char *target;  /* what streams are unpacked in */
  int target_fd;
} World;

static void
world_set_up (World *self, gconstpointer data)
{
  self->top = g_dir_make_tmp ("vp-tar-XXXXXX", NULL);
  self->outside = g_build_filename (self->top, "outside", NULL);
  self->target = g_build_filename (self->top, "target", NULL);
  g_assert_cmpint (g_mkdir (self->target, 0755), ==, 0);
  g_assert_true (g_file_set_contents (self->outside, "precious", -1, NULL));
  g_assert_cmpint (g_chmod (self->outside, 0600), ==, 0);
  self->target_fd = open (self->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void
world_tear_down (World *self, gconstpointer data)
{
  g_autofree char *text = NULL;
  g_autofree char *name = g_path_get_basename (self->top);
  g_autofree char *parent = g_path_get_dirname (self->top);
  VP_AUTO_FD dir = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat st;

  g_assert_true (g_file_get_contents (self->outside, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "precious");
  g_assert_cmpint (g_stat (self->outside, &st), ==, 0);
  g_assert_cmpint (st.st_nlink, ==, 1);
  g_assert_cmpint (st.st_mode & 07777, ==, 0600);
  close (self->target_fd);
  g_assert_true (vp_fd_remove_tree (dir, name, NULL));
  g_free (self->top);
  g_free (self->outside);
  g_free (self->target);
}

/* ---- streams made by hand ------------------------------------------------------------ */

static void
append_member (GByteArray *tar, char type, const char *name, const char *link, guint mode, const char *content)
{
  gsize len = content == NULL ? 0 : strlen (content);
  char header[BLOCK] = { 0 };
  static const char zeros[BLOCK];
  guint sum = 0;

  g_strlcpy (header, name, 100);
  g_snprintf (header + 100, 8, "%07o", mode);
  g_snprintf (header + 108, 8, "%07o", 0u);
  g_snprintf (header + 116, 8, "%07o", 0u);
  g_snprintf (header + 124, 12, "%011o", (guint) len);
  g_snprintf (header + 136, 12, "%011o", 1000000000u);
  header[156] = type;
  if (link != NULL)
    g_strlcpy (header + 157, link, 100);
  memcpy (header + 257, "ustar\00000", 8);
  memset (header + 148, ' ', 8);
  for (int i = 0; i < BLOCK; i++)
    sum += (guint8) header[i];
  g_snprintf (header + 148, 8, "%06o", sum);
  g_byte_array_append (tar, (const guint8 *) header, BLOCK);
  g_byte_array_append (tar, (const guint8 *) (content != NULL ? content : ""), (guint) len);
  if (len % BLOCK != 0)
    g_byte_array_append (tar, (const guint8 *) zeros, (guint) (BLOCK - len % BLOCK));
}

static void
append_end (GByteArray *tar)
{
  static const guint8 zeros[2 * BLOCK];

  g_byte_array_append (tar, zeros, sizeof zeros);
}

/* A descriptor that gives the bytes of @tar and then ends. */
static int
give (World *self, const GByteArray *tar)
{
  g_autofree char *file = g_build_filename (self->top, "stream", NULL);

  g_assert_true (g_file_set_contents (file, (const char *) tar->data, (gssize) tar->len, NULL));
  return open (file, O_RDONLY | O_CLOEXEC);
}

static gboolean
extract (World *self, const GByteArray *tar, const VpTarRead *how, guint64 *ret_skipped, GError **error)
{
  static const VpTarRead usual = { .top = "d", .as = "d" };
  VP_AUTO_FD fd = give (self, tar);
  guint64 skipped = 0;

  return vp_tar_extract (fd, self->target_fd, how != NULL ? how : &usual, ret_skipped != NULL ? ret_skipped : &skipped,
                         error);
}

static char *
read_target (World *self, const char *name)
{
  g_autofree char *file = g_build_filename (self->target, name, NULL);
  char *text = NULL;

  return g_file_get_contents (file, &text, NULL, NULL) ? text : NULL;
}

static struct stat
stat_target (World *self, const char *name)
{
  g_autofree char *file = g_build_filename (self->target, name, NULL);
  struct stat st = { 0 };

  g_assert_cmpint (lstat (file, &st), ==, 0);
  return st;
}

static void
assert_absent (World *self, const char *name)
{
  g_autofree char *file = g_build_filename (self->target, name, NULL);
  struct stat st;

  g_assert_cmpint (lstat (file, &st), <, 0);
}

#define assert_content(self, name, expected)             \
  G_STMT_START                                           \
  {                                                      \
    g_autofree char *got_ = read_target (self, name);    \
    g_assert_cmpstr (got_, ==, expected);                \
  }                                                      \
  G_STMT_END

static void
test_extract (World *self, gconstpointer data)
{
  g_autoptr (GByteArray) tar = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  guint64 skipped = 0;

  append_member (tar, '5', "d/", NULL, 0755, NULL);
  append_member (tar, '0', "d/plain", NULL, 0640, "text");
  append_member (tar, '0', "d/setuid", NULL, 06755, "x");
  append_member (tar, '2', "d/link", "../../etc/passwd", 0777, NULL);
  append_member (tar, '1', "d/hard", "d/plain", 0640, NULL);
  append_member (tar, '0', "d/missing/parents/file", NULL, 0600, "deep");
  append_member (tar, '5', "d/sealed", NULL, 0500, NULL);
  append_member (tar, '0', "d/sealed/file", NULL, 0400, "in it");
  append_member (tar, '3', "d/device", NULL, 0666, NULL);
  append_member (tar, '6', "d/fifo", NULL, 0666, NULL);
  append_end (tar);
  extract (self, tar, NULL, &skipped, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (skipped, ==, 2);
  assert_content (self, "d/plain", "text");
  assert_content (self, "d/hard", "text");
  assert_content (self, "d/missing/parents/file", "deep");
  assert_content (self, "d/sealed/file", "in it");
  g_assert_cmpint (stat_target (self, "d/plain").st_mode & 07777, ==, 0640);
  g_assert_cmpint (stat_target (self, "d/plain").st_mtime, ==, 1000000000);
  g_assert_cmpint (stat_target (self, "d/setuid").st_mode & 07777, ==, 0755);
  g_assert_cmpint (stat_target (self, "d/sealed").st_mode & 07777, ==, 0500);
  g_assert_true (S_ISLNK (stat_target (self, "d/link").st_mode));
  assert_absent (self, "d/device");
  assert_absent (self, "d/fifo");

  /* again over it: files are replaced, not written through */
  append_end (tar);
  extract (self, tar, NULL, NULL, &error);
  g_assert_no_error (error);
  extract (self, tar, &(VpTarRead) { .top = "d", .as = "d", .no_overwrite = TRUE }, NULL, &error);
  g_assert_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS);
}

static void
test_names_on_the_host (World *self, gconstpointer data)
{
  g_autoptr (GByteArray) tar = g_byte_array_new ();
  g_autoptr (GByteArray) file = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  append_member (tar, '5', "d", NULL, 0755, NULL);
  append_member (tar, '0', "./d/a", NULL, 0644, "a");
  append_end (tar);
  append_member (file, '0', "f", NULL, 0644, "f");
  append_end (file);
  g_assert_true (extract (self, tar, &(VpTarRead) { .top = "d", .as = "renamed" }, NULL, NULL));
  assert_content (self, "renamed/a", "a");
  g_assert_true (extract (self, tar, &(VpTarRead) { .top = "d", .as = NULL }, NULL, NULL));
  assert_content (self, "a", "a");
  g_assert_true (extract (self, tar, &(VpTarRead) { .top = NULL }, NULL, NULL));
  assert_content (self, "d/a", "a");
  g_assert_true (extract (self, file, &(VpTarRead) { .top = "f", .as = "a" }, NULL, NULL));
  assert_content (self, "a", "f");
  extract (self, file, &(VpTarRead) { .top = "f", .as = NULL }, NULL, &error);
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  extract (self, file, &(VpTarRead) { .top = "f", .as = "d" }, NULL, &error);
  g_assert_nonnull (error); /* a directory stays one */
}

/* Each of these must be refused, and must not have touched the file outside. */
static void
test_hostile (World *self, gconstpointer data)
{
  static const struct
  {
    char type;
    const char *name, *link;
  } tricks[] = {
    { '0', "../outside", NULL },
    { '0', "d/../../outside", NULL },
    { '0', "/etc/outside", NULL },
    { '0', "beside", NULL },
    { '0', ".bashrc", NULL },
    { '0', "d/../beside", NULL },
    { '5', "../../outside", NULL },
    { '0', "d/out/outside", NULL },      /* d/out -> ../.. was made before */
    { '5', "d/out/new", NULL },
    { '2', "d/out/link", "x" },
    { '0', "d/there/outside", NULL },    /* there -> .. was on the host before */
    { '1', "d/hard", "d/out/outside" },
    { '1', "d/hard", "../outside" },
    { '1', "d/hard", "/etc/passwd" },
    { '1', "d/hard", "d/secret" },       /* on the host before */
    { '1', "d/hard", "d/out" },          /* a link to a symbolic link */
    { '1', "d/hard", "d" },
    { '0', "", NULL },
  };
  g_autofree char *there = g_build_filename (self->target, "d", "there", NULL);
  g_autofree char *secret = g_build_filename (self->target, "d", "secret", NULL);
  g_autofree char *beside = g_build_filename (self->target, "d", NULL);

  g_assert_cmpint (g_mkdir (beside, 0755), ==, 0);
  g_assert_cmpint (symlink ("../..", there), ==, 0);
  g_assert_true (g_file_set_contents (secret, "kept", -1, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (tricks); i++)
    {
      g_autoptr (GByteArray) tar = g_byte_array_new ();
      g_autoptr (GError) error = NULL;

      append_member (tar, '5', "d", NULL, 0755, NULL);
      append_member (tar, '2', "d/out", "../..", 0777, NULL);
      append_member (tar, tricks[i].type, tricks[i].name, tricks[i].link, 0777, tricks[i].type == '0' ? "evil" : NULL);
      append_end (tar);
      if (extract (self, tar, NULL, NULL, &error))
        g_error ("trick %" G_GSIZE_FORMAT " (%s) was taken", i, tricks[i].name);
      g_assert_true (error->domain == VP_ERROR);
      assert_absent (self, "beside");
      assert_absent (self, ".bashrc");
      assert_absent (self, "d/hard");
    }
  g_assert_cmpint (stat_target (self, "d/secret").st_nlink, ==, 1);
  assert_content (self, "d/secret", "kept");
}

/* A link that the stream made is replaced by a file of its name, not followed. */
static void
test_not_written_through (World *self, gconstpointer data)
{
  g_autoptr (GByteArray) tar = g_byte_array_new ();

  append_member (tar, '5', "d", NULL, 0755, NULL);
  append_member (tar, '2', "d/x", "../../outside", 0777, NULL);
  append_member (tar, '0', "d/x", NULL, 04777, "evil");
  append_end (tar);
  g_assert_true (extract (self, tar, NULL, NULL, NULL));
  assert_content (self, "d/x", "evil");
  g_assert_true (S_ISREG (stat_target (self, "d/x").st_mode));
}

/* Cut at every block: only the whole stream is a success. */
static void
test_cut (World *self, gconstpointer data)
{
  g_autoptr (GByteArray) tar = g_byte_array_new ();

  append_member (tar, '5', "d", NULL, 0755, NULL);
  append_member (tar, '0', "d/a", NULL, 0644, "text");
  append_member (tar, '0', "d/zero", NULL, 0644, "");
  append_end (tar);
  for (guint len = 0; len <= tar->len; len += BLOCK / 2)
    {
      g_autoptr (GByteArray) piece = g_byte_array_new ();
      g_autoptr (GError) error = NULL;
      gboolean whole = len == tar->len;
      VP_AUTO_FD null = open ("/dev/null", O_WRONLY | O_CLOEXEC);
      VP_AUTO_FD fd = -1;

      g_byte_array_append (piece, tar->data, len);
      g_assert_cmpint (extract (self, piece, NULL, NULL, &error), ==, whole);
      if (!whole)
        g_assert_error (error, VP_ERROR, VP_ERROR_AGENT_FAILED);
      g_clear_error (&error);
      fd = give (self, piece);
      g_assert_cmpint (vp_tar_pass (fd, null, NULL, NULL, &error), ==, whole);
    }
}

/* What is no tar, or lies about itself, is an error and nothing else. */
static void
test_garbage (World *self, gconstpointer data)
{
  g_autoptr (GByteArray) tar = g_byte_array_new ();
  GRand *random = g_rand_new_with_seed (42);

  append_member (tar, '5', "d", NULL, 0755, NULL);
  append_member (tar, 'x', "d/pax", NULL, 0644, "20 path=../outside\n\n11 size=999\n");
  append_member (tar, '0', "d/a", NULL, 0644, "text");
  append_member (tar, 'L', "././@LongLink", NULL, 0644, "../../outside");
  append_member (tar, '0', "d/b", NULL, 0644, "more");
  append_end (tar);
  for (int round = 0; round < 2000; round++)
    {
      g_autoptr (GByteArray) copy = g_byte_array_new ();
      guint64 skipped;

      g_byte_array_append (copy, tar->data, tar->len);
      for (int i = g_rand_int_range (random, 1, 8); i > 0; i--)
        copy->data[g_rand_int_range (random, 0, (gint32) copy->len)] = (guint8) g_rand_int (random);
      (void) extract (self, copy, NULL, &skipped, NULL);
    }
  g_rand_free (random);
}

/* ---- made and read again ---------------------------------------------------------------- */

/* @feed writes to one end of a pipe in a child, we read the other. */
static gboolean
round_trip (World *self, const char *source, const VpTarWrite *write_how, const VpTarRead *read_how, GError **error)
{
  int ends[2], status;
  gboolean result;
  guint64 skipped = 0;
  pid_t child;

  g_assert_cmpint (pipe (ends), ==, 0);
  child = fork ();
  if (child == 0)
    {
      close (ends[0]);
      _exit (vp_tar_create (ends[1], source, write_how, &skipped, NULL) ? 0 : 1);
    }
  close (ends[1]);
  result = vp_tar_extract (ends[0], self->target_fd, read_how, &skipped, error);
  close (ends[0]);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (result)
    g_assert_cmpint (status, ==, 0);
  return result;
}

static void
test_round_trip (World *self, gconstpointer data)
{
  g_autofree char *source = g_build_filename (self->top, "source", NULL);
  g_autofree char *deep = g_build_filename (source, "a", "b", NULL);
  g_autofree char *big = g_build_filename (source, "big", NULL);
  g_autofree char *odd = g_build_filename (source, "caf\xc3\xa9 \xff\n name", NULL);
  g_autofree char *long_name = g_strnfill (200, 'n');
  g_autofree char *long_file = g_build_filename (deep, long_name, NULL);
  g_autofree char *link = g_build_filename (source, "link", NULL);
  g_autofree char *content = g_strnfill (1 << 20, 'x');
  g_autofree char *found = g_strdup_printf ("s/a/b/%s", long_name);
  g_autoptr (GError) error = NULL;
  struct stat st;

  g_assert_cmpint (g_mkdir_with_parents (deep, 0750), ==, 0);
  g_assert_true (g_file_set_contents (big, content, -1, NULL));
  g_assert_true (g_file_set_contents (odd, "odd", -1, NULL));
  g_assert_true (g_file_set_contents (long_file, "long", -1, NULL));
  g_assert_cmpint (symlink ("/nowhere", link), ==, 0);
  g_assert_cmpint (g_chmod (big, 0604), ==, 0);

  round_trip (self, source, &(VpTarWrite) { .as = "s" }, &(VpTarRead) { .top = "s", .as = "s" }, &error);
  g_assert_no_error (error);
  assert_content (self, "s/big", content);
  assert_content (self, "s/caf\xc3\xa9 \xff\n name", "odd");
  assert_content (self, found, "long");
  st = stat_target (self, "s/big");
  g_assert_cmpint (st.st_mode & 07777, ==, 0604);
  g_assert_cmpint (stat_target (self, "s/a/b").st_mode & 07777, ==, 0750);
  g_assert_true (S_ISLNK (stat_target (self, "s/link").st_mode));

  /* what is in it, under no name of its own */
  round_trip (self, source, &(VpTarWrite) { .as = NULL }, &(VpTarRead) { .top = NULL }, &error);
  g_assert_no_error (error);
  assert_content (self, "big", content);
  /* a link itself, and what it leads to */
  g_assert_true (round_trip (self, link, &(VpTarWrite) { .as = "l" }, &(VpTarRead) { .top = "l", .as = "l" }, NULL));
  g_assert_true (S_ISLNK (stat_target (self, "l").st_mode));
  g_assert_false (round_trip (self, link, &(VpTarWrite) { .as = "l", .follow = TRUE },
                              &(VpTarRead) { .top = "l", .as = "l" }, &error));
}

/* Larger than an octal size field: 8 GiB of nothing, told by a pax record. */
static void
test_end_of_large (World *self, gconstpointer data)
{
  g_autoptr (GByteArray) tar = g_byte_array_new ();
  g_autoptr (VpTarEnd) end = vp_tar_end_new ();
  g_autofree guint8 *zeros = g_malloc0 (1 << 20);

  append_member (tar, 'x', "pax", NULL, 0644, "19 size=1073741824\n12 path=f\n");
  append_member (tar, '0', "f", NULL, 0644, NULL);
  g_assert_cmpint (vp_tar_end_feed (end, tar->data, tar->len), ==, VP_TAR_MORE);
  for (int i = 0; i < 1024; i++)
    g_assert_cmpint (vp_tar_end_feed (end, zeros, 1 << 20), ==, VP_TAR_MORE);
  g_assert_cmpint (vp_tar_end_feed (end, zeros, 2 * BLOCK), ==, VP_TAR_ENDED);
}

#define ADD(path, func) g_test_add (path, World, NULL, world_set_up, func, world_tear_down)

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "C.UTF-8");
  g_test_init (&argc, &argv, NULL);
  ADD ("/client-tar/extract", test_extract);
  ADD ("/client-tar/names-on-the-host", test_names_on_the_host);
  ADD ("/client-tar/hostile", test_hostile);
  ADD ("/client-tar/not-written-through", test_not_written_through);
  ADD ("/client-tar/cut", test_cut);
  ADD ("/client-tar/garbage", test_garbage);
  ADD ("/client-tar/round-trip", test_round_trip);
  ADD ("/client-tar/end-of-large", test_end_of_large);
  return g_test_run ();
}
