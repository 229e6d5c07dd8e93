/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tar-fixture.h"
#include "vp-agent-names.h"

/* one entry more at the end of the archive */
static void
add (TarFixture *f, AgentTarType type, const char *name, const char *link, const char *content)
{
  AgentTarEntry e = tar_entry (type, name);
  guint8 padding[AGENT_TAR_BLOCK] = { 0 };
  guint8 *blocks;
  gsize len;

  g_strlcpy (e.link, link, sizeof e.link);
  e.size = strlen (content);
  e.uid = getuid ();
  e.gid = getgid ();
  e.mode = 0755;
  blocks = agent_tar_pack (&e, &len);
  g_assert_cmpint (write (f->archive, blocks, len), ==, (gssize)len);
  g_assert_cmpint (write (f->archive, content, e.size), ==, (gssize)e.size);
  if (e.size > 0)
    g_assert_cmpint (write (f->archive, padding, sizeof padding - e.size), >, 0);
  free (blocks);
}

static void
begin (TarFixture *f)
{
  g_assert_cmpint (ftruncate (f->archive, 0), ==, 0);
  lseek (f->archive, 0, SEEK_SET);
}

static void
end (TarFixture *f)
{
  guint8 zeros[2 * AGENT_TAR_BLOCK] = { 0 };

  g_assert_cmpint (write (f->archive, zeros, sizeof zeros), ==, sizeof zeros);
}

/* Each is an archive of up to three entries that tries to write into or out of "outside";
 * afterwards that must be as before. */
static void
test_ways_out (TarFixture *f, gconstpointer data)
{
  static const struct
  {
    AgentTarType type;
    const char *name, *link;
  } tries[][3] = {
    { { AGENT_TAR_FILE, "../outside/new", "" } },
    { { AGENT_TAR_FILE, "/outside/new", "" } },
    { { AGENT_TAR_FILE, "a/../../outside/new", "" } },
    { { AGENT_TAR_FILE, "..", "" } },
    { { AGENT_TAR_DIRECTORY, "../outside/new", "" } },
    { { AGENT_TAR_SYMLINK, "l", "../outside" }, { AGENT_TAR_FILE, "l/new", "" } },
    { { AGENT_TAR_SYMLINK, "l", "/outside" }, { AGENT_TAR_FILE, "l/new", "" } },
    { { AGENT_TAR_SYMLINK, "l", "../outside" }, { AGENT_TAR_DIRECTORY, "l/new", "" } },
    { { AGENT_TAR_SYMLINK, "l", "../outside" }, { AGENT_TAR_SYMLINK, "l/new", "x" } },
    { { AGENT_TAR_SYMLINK, "l", "../outside" }, { AGENT_TAR_FIFO, "l/new", "" } },
    { { AGENT_TAR_SYMLINK, "a", "b" },
      { AGENT_TAR_SYMLINK, "b", "../outside" },
      { AGENT_TAR_FILE, "a/new", "" } },
    { { AGENT_TAR_SYMLINK, "l", ".." }, { AGENT_TAR_FILE, "l/outside/new", "" } },
    { { AGENT_TAR_SYMLINK, "l", "l" }, { AGENT_TAR_FILE, "l/new", "" } },
    { { AGENT_TAR_HARD_LINK, "l", "../outside/secret" }, { AGENT_TAR_FILE, "l", "" } },
    { { AGENT_TAR_HARD_LINK, "l", "/outside/secret" } },
    { { AGENT_TAR_SYMLINK, "d", "../outside" }, { AGENT_TAR_HARD_LINK, "l", "d/secret" } },
    { { AGENT_TAR_FILE, "old/new", "" } },
    { { AGENT_TAR_FILE, "old-absolute/new", "" } },
    { { AGENT_TAR_HARD_LINK, "l", "old/secret" } },
    { { AGENT_TAR_DIRECTORY, "old/new", "" } },
    { { AGENT_TAR_DIRECTORY, "d", "" },
      { AGENT_TAR_SYMLINK, "d", "../outside" },
      { AGENT_TAR_FILE, "d/new", "" } },
    { { AGENT_TAR_SYMLINK, "d", "/proc/self/root" }, { AGENT_TAR_FILE, "d/new", "" } },
    { { AGENT_TAR_CHARACTER, "null", "" } },
    { { AGENT_TAR_BLOCK_DEVICE, "disk", "" } },
  };

  tar_put (f, "outside/secret", 100);
  for (gsize i = 0; i < G_N_ELEMENTS (tries); i++)
    {
      g_autofree char *before = NULL, *after = NULL;
      int status;

      g_free (tar_shell (
          f, "rm -rf target; mkdir target; ln -s ../outside target/old; ln -s /outside target/old-absolute"));
      before = tar_list (f, "outside", TRUE);
      begin (f);
      for (gsize k = 0; k < G_N_ELEMENTS (tries[i]) && tries[i][k].name != NULL; k++)
        add (f, tries[i][k].type, tries[i][k].name, tries[i][k].link,
             tries[i][k].type == AGENT_TAR_FILE ? "evil" : "");
      end (f);
      status = tar_extract (f, "/target", 0);
      if (status != VP_TAR_BAD_ARCHIVE && status != VP_TAR_FAILED)
        g_error ("try %" G_GSIZE_FORMAT ": status %d", i, status);
      g_assert_cmpstr (f->message, !=, "");
      after = tar_list (f, "outside", TRUE);
      g_assert_cmpstr (after, ==, before);
    }
}

/* a link that was there: replaced when it is the last element, not written through */
static void
test_replace (TarFixture *f, gconstpointer data)
{
  g_autofree char *kinds = NULL;

  tar_put (f, "outside/secret", 100);
  g_free (tar_shell (
      f, "cd target; ln -s ../outside/secret file; echo old >dir; mkdir full; touch full/x; mkdir -p real; "
         "ln -s real alias"));
  begin (f);
  add (f, AGENT_TAR_FILE, "file", "", "new");
  add (f, AGENT_TAR_DIRECTORY, "dir", "", "");
  add (f, AGENT_TAR_DIRECTORY, "alias", "", "");
  add (f, AGENT_TAR_FILE, "alias/y", "", "through");
  add (f, AGENT_TAR_HARD_LINK, "file", "file", "");
  end (f);
  g_assert_cmpint (tar_extract (f, "/target", 0), ==, 0);
  kinds = tar_shell (f,
                 "stat -c %F target/file target/dir target/alias | tr '\\n' ,; cat target/file target/real/y;"
                 "stat -c %s outside/secret");
  g_assert_cmpstr (kinds, ==, "regular file,directory,symbolic link,newthrough100\n");
  begin (f);
  add (f, AGENT_TAR_FILE, "full", "", "new");
  end (f);
  g_assert_cmpint (tar_extract (f, "/target", 0), ==, VP_TAR_FAILED);
  g_assert_cmpstr (f->message, ==, "full: cannot be replaced: Is a directory\n");
}

static void
test_flags (TarFixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;

  g_free (tar_shell (f, "echo old >target/file; mkdir target/dir; ln -s /inner inner-link; mkdir inner"));
  begin (f);
  add (f, AGENT_TAR_DIRECTORY, "dir", "", "");
  add (f, AGENT_TAR_FILE, "dir/new", "", "new");
  add (f, AGENT_TAR_FILE, "file", "", "new");
  end (f);
  g_assert_cmpint (tar_extract (f, "/target", AGENT_TAR_NO_OVERWRITE), ==, VP_TAR_FAILED);
  g_assert_cmpstr (f->message, ==, "file: cannot be replaced: File exists\n");
  text = tar_shell (f, "cat target/file target/dir/new");
  g_assert_cmpstr (text, ==, "old\nnew");
  g_assert_cmpint (tar_extract (f, "/x/y//z/", AGENT_TAR_MKDIR), ==, 0);
  g_free (tar_shell (f, "test -f x/y/z/dir/new"));
  /* nothing leads out of the root: an absolute link is one in it */
  begin (f);
  add (f, AGENT_TAR_FILE, "inner-link/file", "", "new");
  end (f);
  g_assert_cmpint (tar_extract (f, "/", 0), ==, 0);
  g_free (tar_shell (f, "test -f inner/file"));
}

/* cut anywhere, it is known not to be whole */
static void
test_cut (TarFixture *f, gconstpointer data)
{
  guint8 *whole;
  gsize len;

  begin (f);
  add (f, AGENT_TAR_DIRECTORY, "d", "", "");
  add (f, AGENT_TAR_FILE, "d/f", "", "content");
  add (f, AGENT_TAR_SYMLINK, "l", "d", "");
  len = (gsize)lseek (f->archive, 0, SEEK_END);
  whole = g_malloc (len);
  g_assert_cmpint (pread (f->archive, whole, len, 0), ==, (gssize)len);
  for (gsize n = 0; n <= len; n += 37)
    {
      begin (f);
      g_assert_cmpint (write (f->archive, whole, n), ==, (gssize)n);
      g_assert_cmpint (tar_extract (f, "/target", 0), ==, VP_TAR_BAD_ARCHIVE);
      g_assert_cmpstr (f->message, ==, "the archive is cut short\n");
    }
  g_free (whole);
}

/* any byte may be anything: no crash, no way out, an end */
static void
test_damaged (TarFixture *f, gconstpointer data)
{
  g_autofree guint8 *whole = NULL;
  g_autofree char *before = NULL, *after = NULL;
  gsize len;

  tar_put (f, "outside/secret", 100);
  tar_fill_source (f, TRUE);
  g_assert_cmpint (tar_create (f, "/source", 0), ==, 0);
  len = (gsize)lseek (f->archive, 0, SEEK_END);
  whole = g_malloc (len);
  g_assert_cmpint (pread (f->archive, whole, len, 0), ==, (gssize)len);
  before = tar_list (f, "outside", TRUE);
  for (int i = 0; i < 300; i++)
    {
      g_autofree guint8 *copy = g_memdup2 (whole, len);

      for (int k = g_test_rand_int_range (1, 20); k > 0; k--)
        {
          gsize at = (gsize)g_test_rand_int_range (0, (gint32)len);
          gsize block = at - at % AGENT_TAR_BLOCK;
          unsigned sum = 0;

          copy[at] = (guint8)g_test_rand_int ();
          /* or the checksum would be all that is ever tried */
          memset (copy + block + 148, ' ', 8);
          for (gsize b = 0; b < AGENT_TAR_BLOCK; b++)
            sum += copy[block + b];
          g_snprintf ((char *)copy + block + 148, 8, "%06o", sum);
        }
      begin (f);
      g_assert_cmpint (write (f->archive, copy, len), ==, (gssize)len);
      (void)tar_extract (f, "/target", 0);
    }
  after = tar_list (f, "outside", TRUE);
  g_assert_cmpstr (after, ==, before);
}

static void
test_sparse (TarFixture *f, gconstpointer data)
{
  static const char *const formats[] = { "gnu", "pax --sparse-version=0.1", "pax --sparse-version=1.0" };

  g_free (tar_shell (f, "truncate -s 1M source/hole; echo x >>source/hole"));
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      g_autofree char *command = g_strdup_printf (
          "tar -c --sparse --hole-detection=raw --format=%s -C source . >/dev/fd/9", formats[i]);

      begin (f);
      g_free (tar_shell (f, command));
      g_assert_cmpint (tar_extract (f, "/target", 0), ==, VP_TAR_BAD_ARCHIVE);
      g_assert_nonnull (strstr (f->message, "sparse"));
    }
}

/* what is said about a name is one line, whatever the name */
static void
test_message (TarFixture *f, gconstpointer data)
{
  begin (f);
  add (f, AGENT_TAR_FILE, "/a\nb\x1b[2J", "", "x");
  end (f);
  g_assert_cmpint (tar_extract (f, "/target", 0), ==, VP_TAR_BAD_ARCHIVE);
  g_assert_cmpstr (f->message, ==, "/a?b?[2J: absolute names are refused\n");
}

#define ADD(path, func) g_test_add (path, TarFixture, NULL, tar_set_up, func, tar_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/agent/tar/ways-out", test_ways_out);
  ADD ("/agent/tar/replace", test_replace);
  ADD ("/agent/tar/flags", test_flags);
  ADD ("/agent/tar/cut", test_cut);
  ADD ("/agent/tar/damaged", test_damaged);
  ADD ("/agent/tar/sparse", test_sparse);
  ADD ("/agent/tar/message", test_message);
  return g_test_run ();
}
