/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent-tar-header.h"
#include "agent-tar.h"
#include "agent-util.h"
#include "vp-agent-names.h"

/* ---- what the tests stand on ----------------------------------------------------------- */

typedef struct
{
  char *dir;     /* of everything; contains "source" and "target" */
  int root;      /* what stands for / */
  int archive;   /* a memfd */
  int error;     /* a memfd */
  char *message; /* what was written to it by the last call */
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("vp-agent-XXXXXX", NULL);
  f->root = open (f->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
  f->archive = memfd_create ("archive", MFD_CLOEXEC);
  f->error = memfd_create ("error", MFD_CLOEXEC);
  g_assert_cmpint (mkdirat (f->root, "source", 0755), ==, 0);
  g_assert_cmpint (mkdirat (f->root, "target", 0755), ==, 0);
}

static char *shell (Fixture *f, const char *command);

static void
tear_down (Fixture *f, gconstpointer data)
{
  /* directories that are closed to their owner too */
  g_free (shell (f, "find . -type d -exec chmod u+rwx {} +"));
  close (f->root);
  close (f->archive);
  close (f->error);
  g_assert_cmpint (agent_remove_tree (f->dir), ==, 0);
  g_free (f->dir);
  g_free (f->message);
}

static void
keep_message (Fixture *f)
{
  gsize len = (gsize)lseek (f->error, 0, SEEK_END);

  g_free (f->message);
  f->message = g_malloc0 (len + 1);
  g_assert_cmpint (pread (f->error, f->message, len, 0), ==, (gssize)len);
  g_assert_cmpint (ftruncate (f->error, 0), ==, 0);
  lseek (f->error, 0, SEEK_SET);
}

static int
create (Fixture *f, const char *path, AgentTarFlags flags)
{
  int status;

  g_assert_cmpint (ftruncate (f->archive, 0), ==, 0);
  lseek (f->archive, 0, SEEK_SET);
  status = agent_tar_create (f->root, path, flags, f->archive, f->error);
  keep_message (f);
  return status;
}

static int
extract (Fixture *f, const char *path, AgentTarFlags flags)
{
  mode_t mask = umask (022);
  int status;

  lseek (f->archive, 0, SEEK_SET);
  status = agent_tar_extract (f->root, path, flags, f->archive, f->error);
  umask (mask);
  keep_message (f);
  return status;
}

/* runs a command of the shell in the fixture's directory, with the archive as its 9; its output */
static char *
shell (Fixture *f, const char *command)
{
  g_autofree char *script = g_strdup_printf ("set -e; cd '%s'; exec 9<>/proc/%d/fd/%d; %s", f->dir,
                                             (int)getpid (), f->archive, command);
  const char *argv[] = { "/bin/sh", "-c", script, NULL };
  g_autoptr (GError) error = NULL;
  char *out;
  int status;

  g_spawn_sync (NULL, (char **)argv, NULL, 0, NULL, NULL, &out, NULL, &status, &error);
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, &error))
    g_error ("%s: %s", command, error->message);
  return out;
}

static char *
list (Fixture *f, const char *dir, gboolean fractions)
{
  g_autofree char *command
      = g_strdup_printf ("cd %s; find . -mindepth 1 -printf '%%P %%y %%m %%U %%G %%n %s [%%l]\\n' | sort; "
                         "find . -type f -print0 | sort -z | xargs -0 sha256sum",
                         dir, fractions ? "%T@" : "%Ts");

  return shell (f, command);
}

static void
put (Fixture *f, const char *path, gsize size)
{
  g_autofree char *name = g_build_filename (f->dir, path, NULL), *parent = g_path_get_dirname (name);
  g_autofree char *data = g_malloc (size + 1);

  for (gsize i = 0; i < size; i++)
    data[i] = (char)g_random_int ();
  g_assert_cmpint (g_mkdir_with_parents (parent, 0755), ==, 0);
  g_assert_true (g_file_set_contents (name, data, (gssize)size, NULL));
}

/* @long_names: also those that need more than ustar has */
static void
fill_source (Fixture *f, gboolean long_names)
{
  g_autofree char *name = g_strnfill (200, 'n'), *deep = NULL;
  static const gsize sizes[] = { 0, 1, 511, 512, 513, 65536, 300001 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *path = g_strdup_printf ("source/sizes/%" G_GSIZE_FORMAT, sizes[i]);

      put (f, path, sizes[i]);
    }
  put (f, "source/with blank\nand more", 5);
  put (f, "source/\xc3\xa9\xff", 5);
  g_free (shell (
      f, "cd source; ln 'with blank\nand more' other; ln other sizes/third; ln -s /nowhere/at/all link;"
         "ln -s sizes dir-link; mkdir empty sticky closed; chmod 1777 sticky; mkfifo pipe;"
         "echo x >closed/file; chmod 555 closed; chmod 710 sizes/1; chmod 750 sizes;"
         "touch -d @0 sizes/511; touch -d @4000000000 sizes/512; touch -d '1985-01-02 03:04:05' empty"));
  if (geteuid () == 0)
    g_free (shell (f, "cd source; chown 1000:2000 sizes/513 sizes; chown -h 3000:4000 link; chown 5:6 empty; "
                      "chmod 4711 sizes/1; chmod 2750 sizes"));
  if (!long_names)
    return;
  g_free (
      shell (f, "cd source; touch -d '1901-01-02 03:04:05.25' sizes/0; touch -d @9000000000.5 sizes/65536"));
  deep = g_strdup_printf ("source/%s/%s/%s", name, name, name);
  put (f, deep, 700);
  g_free (shell (f, "cd source; ln -s $(printf %0300d 0) long-link; ln */*/nnn* long-hard-link"));
  if (geteuid () == 0)
    g_free (shell (f, "cd source; chown 3000000000:2097152 long-hard-link"));
}

/* ---- headers ------------------------------------------------------------------------------ */

static AgentTarEntry
entry (AgentTarType type, const char *name)
{
  AgentTarEntry e = { .type = type, .mode = 0644, .mtime = 1 };

  g_strlcpy (e.name, name, sizeof e.name);
  return e;
}

/* packs @e and takes it apart again */
static void
turn_around (AgentTarEntry *e)
{
  AgentTarExtra none = { .name = NULL }, extra = { .name = NULL };
  const char *error = NULL;
  guint64 size;
  gsize len;
  guint8 *blocks = agent_tar_pack (e, &len);
  char type;

  g_assert_nonnull (blocks);
  g_assert_cmpuint (len % AGENT_TAR_BLOCK, ==, 0);
  if (len > AGENT_TAR_BLOCK)
    {
      g_assert_cmpint (agent_tar_peek (blocks, &type, &size, &error), ==, 0);
      g_assert_cmpint (type, ==, 'x');
      g_assert_cmpint (agent_tar_extra_add (&extra, (char *)blocks + AGENT_TAR_BLOCK, size, &error), ==, 0);
    }
  memset (e, 0xee, sizeof *e);
  g_assert_cmpint (agent_tar_unpack (blocks + len - AGENT_TAR_BLOCK, &none, &extra, e, &error), ==, 0);
  agent_tar_extra_clear (&extra);
  free (blocks);
}

static void
test_header (void)
{
  static const struct
  {
    gint64 sec;
    guint32 nsec;
  } times[] = { { 0, 0 },  { 0, 1 },          { 077777777777, 0 }, { 077777777777 + 1ll, 0 },
                { -1, 0 }, { -1, 500000000 }, { -100, 999999999 }, { 1700000000, 123456789 } };
  AgentTarEntry e;

  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    {
      e = entry (AGENT_TAR_FILE, "f");
      e.mtime = times[i].sec;
      e.mtime_nsec = times[i].nsec;
      turn_around (&e);
      g_assert_cmpint (e.mtime, ==, times[i].sec);
      g_assert_cmpuint (e.mtime_nsec, ==, times[i].nsec);
    }
  for (gsize len = 95; len < 110; len++)
    {
      g_autofree char *name = g_strnfill (len, 'a');

      e = entry (AGENT_TAR_SYMLINK, name);
      g_strlcpy (e.link, name + 1, sizeof e.link);
      turn_around (&e);
      g_assert_cmpstr (e.name, ==, name);
      g_assert_cmpstr (e.link, ==, name + 1);
    }
  e = entry (AGENT_TAR_FILE, "f");
  e.size = 9ull << 30;
  e.uid = G_MAXUINT32 - 1;
  e.gid = 2097152;
  turn_around (&e);
  g_assert_cmpuint (e.size, ==, 9ull << 30);
  g_assert_cmpuint (e.uid, ==, G_MAXUINT32 - 1);
  g_assert_cmpuint (e.gid, ==, 2097152);
  e = entry (AGENT_TAR_CHARACTER, "null");
  e.major = 1;
  e.minor = 3;
  turn_around (&e);
  g_assert_cmpuint (e.major, ==, 1);
  g_assert_cmpuint (e.minor, ==, 3);
}

static void
test_pax_records (void)
{
  static const struct
  {
    const char *text;
    gboolean good;
  } cases[] = {
    { "", TRUE },
    { "10 path=a\n", TRUE },
    { "9 path=a\n", TRUE },
    { "8 path=a\n", FALSE },
    { "11 path=a\n", FALSE },
    { "010 path=a\n", FALSE },
    { " 10 path=a\n", FALSE },
    { "10 path=a\n1", FALSE },
    { "99999999999999999999 path=a\n", FALSE },
    { "6 path\n", FALSE },
    { "8 path\n=", FALSE },
    { "11 size=-1\n", FALSE },
    { "29 size=99999999999999999999\n", FALSE },
    { "18 uid=4294967295\n", FALSE },
    { "18 uid=4294967294\n", TRUE },
    { "14 mtime=1.5x\n", FALSE },
    { "13 mtime=-.5\n", FALSE },
    { "14 mtime=-0.5\n", TRUE },
    { "20 unknown=anything\n", TRUE },
    { "22 GNU.sparse.major=1\n", FALSE },
  };
  const char *error;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      AgentTarExtra x = { .name = NULL };
      gboolean good = agent_tar_extra_add (&x, cases[i].text, strlen (cases[i].text), &error) == 0;

      if (good != cases[i].good)
        g_error ("\"%s\": %d", cases[i].text, good);
      agent_tar_extra_clear (&x);
    }
}

static void
test_numbers (void)
{
  static const char *const bad[] = { "1234567z", "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "-1" };
  AgentTarEntry e = entry (AGENT_TAR_FILE, "f");
  const char *error;
  guint64 size;
  gsize len;
  char type;

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      guint8 *block = agent_tar_pack (&e, &len);
      unsigned sum = 0;

      memcpy (block + 124, bad[i], MIN (strlen (bad[i]) + 1, 12));
      memset (block + 148, ' ', 8);
      for (gsize k = 0; k < AGENT_TAR_BLOCK; k++)
        sum += block[k];
      g_snprintf ((char *)block + 148, 8, "%06o", sum);
      g_assert_cmpint (agent_tar_peek (block, &type, &size, &error), ==, -1);
      g_assert_nonnull (strstr (error, "size"));
      free (block);
    }
}

/* ---- with GNU tar --------------------------------------------------------------------------- */

static void
test_to_gnu (Fixture *f, gconstpointer data)
{
  g_autofree char *want = NULL, *got = NULL;

  fill_source (f, TRUE);
  g_assert_cmpint (create (f, "/source", 0), ==, 0);
  g_assert_cmpstr (f->message, ==, "");
  g_free (shell (f, "cd target; tar -x -p --numeric-owner -f /dev/fd/9"));
  want = list (f, "source", TRUE);
  got = list (f, "target/source", TRUE);
  g_assert_cmpstr (got, ==, want);
}

static void
test_from_gnu (Fixture *f, gconstpointer data)
{
  const char *format = data;
  gboolean is_long = !g_str_equal (format, "ustar") && !g_str_equal (format, "v7");
  g_autofree char *command = g_strdup_printf ("tar -c --format=%s -C source . >&9", format);
  g_autofree char *want = NULL, *got = NULL;

  fill_source (f, is_long);
  /* the oldest format knows neither pipes nor times before 1970 */
  if (g_str_equal (format, "v7"))
    g_free (shell (f, "rm source/pipe"));
  g_free (shell (f, command));
  g_assert_cmpint (extract (f, "/target", 0), ==, 0);
  g_assert_cmpstr (f->message, ==, "");
  want = list (f, "source", g_str_equal (format, "pax"));
  got = list (f, "target", g_str_equal (format, "pax"));
  g_assert_cmpstr (got, ==, want);
}

/* what is no directory; those change when what is in them is replaced */
static char *
list_files (Fixture *f, const char *dir)
{
  g_autofree char *command
      = g_strdup_printf ("cd %s; find . ! -type d -printf '%%P %%y %%m %%U %%G %%n %%T@ [%%l]\\n' | sort; "
                         "find . -type f -print0 | sort -z | xargs -0 sha256sum; find . -type d | sort",
                         dir);

  return shell (f, command);
}

/* a second time over what the first one made, which must be as good */
static void
test_both_ways (Fixture *f, gconstpointer data)
{
  g_autofree char *want = NULL;

  fill_source (f, TRUE);
  want = list_files (f, "source");
  g_assert_cmpint (create (f, "/source/.", 0), ==, 0);
  for (int i = 0; i < 2; i++)
    {
      g_autofree char *got = NULL;

      /* what is closed to its owner is so, but for root */
      g_free (shell (f, "find target -type d -exec chmod u+w {} +"));
      g_assert_cmpint (extract (f, "/target", 0), ==, 0);
      g_assert_cmpstr (f->message, ==, "");
      got = list_files (f, "target");
      g_assert_cmpstr (got, ==, want);
    }
}

/* ---- what is created --------------------------------------------------------------------------- */

static void
test_names (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *path;
    AgentTarFlags flags;
    const char *names;
  } cases[] = {
    { "/source", 0, "source/ source/a source/b " },
    { "/source/", 0, "source/ source/a source/b " },
    { "/source/.", 0, "./ ./a ./b " },
    { "/source/a", 0, "a " },
    { "/link", 0, "link " },
    { "/link", AGENT_TAR_DEREFERENCE, "link/ link/a link/b " },
    { "/link/", 0, "link/ link/a link/b " },
    { "/up", AGENT_TAR_DEREFERENCE, "up/ up/a up/b " },
    { "/up/a", 0, "a " },
    { "/../../source/a", 0, "a " },
  };

  put (f, "source/a", 1);
  put (f, "source/b", 1);
  /* both are below the root they are looked up in */
  g_free (shell (f, "ln -s /source link; ln -s ../../../../source up"));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *names = NULL;

      g_assert_cmpint (create (f, cases[i].path, cases[i].flags), ==, 0);
      names = shell (f, "tar -t -f /dev/fd/9 | sort | tr '\\n' ' '");
      g_assert_cmpstr (names, ==, cases[i].names);
    }
}

static void
test_no_path (Fixture *f, gconstpointer data)
{
  g_free (shell (f, "ln -s /nowhere dangling; touch file; ln -s /proc/self/root magic"));
  g_assert_cmpint (create (f, "/nowhere", 0), ==, VP_TAR_NO_PATH);
  g_assert_cmpstr (f->message, ==, "/nowhere: No such file or directory\n");
  g_assert_cmpint (create (f, "/dangling", AGENT_TAR_DEREFERENCE), ==, VP_TAR_NO_PATH);
  g_assert_cmpint (create (f, "/dangling", 0), ==, 0);
  g_assert_cmpint (create (f, "/file/x", 0), ==, VP_TAR_NO_PATH);
  g_assert_cmpint (create (f, "/magic/etc", 0), ==, VP_TAR_NO_PATH);
  g_assert_cmpint (extract (f, "/nowhere", 0), ==, VP_TAR_NO_PATH);
  g_assert_cmpint (extract (f, "/file", 0), ==, VP_TAR_NO_PATH);
  g_assert_cmpint (extract (f, "/dangling", AGENT_TAR_MKDIR), ==, VP_TAR_NO_PATH);
}

/* the archive is whole but for what could not be read */
static void
test_incomplete (Fixture *f, gconstpointer data)
{
  g_autofree char *names = NULL;

  put (f, "source/first", 10);
  put (f, "source/last", 10);
  g_free (shell (f, "cd source; for i in $(seq 300); do mkdir d; cd d; done"));
  g_assert_cmpint (create (f, "/source", 0), ==, VP_TAR_INCOMPLETE);
  g_assert_nonnull (strstr (f->message, "too deep"));
  names = shell (f, "tar -t -f /dev/fd/9 | grep -v d/");
  g_assert_nonnull (strstr (names, "source/first\n"));
  g_assert_nonnull (strstr (names, "source/last\n"));
}

static void
test_nobody_reads (Fixture *f, gconstpointer data)
{
  int fds[2];

  put (f, "source/f", 200000);
  g_assert_cmpint (pipe2 (fds, O_CLOEXEC), ==, 0);
  close (fds[0]);
  signal (SIGPIPE, SIG_IGN);
  g_assert_cmpint (agent_tar_create (f->root, "/source", 0, fds[1], f->error), ==, VP_TAR_FAILED);
  close (fds[1]);
}

/* ---- what is refused --------------------------------------------------------------------------- */

/* one entry more at the end of the archive */
static void
add (Fixture *f, AgentTarType type, const char *name, const char *link, const char *content)
{
  AgentTarEntry e = entry (type, name);
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
begin (Fixture *f)
{
  g_assert_cmpint (ftruncate (f->archive, 0), ==, 0);
  lseek (f->archive, 0, SEEK_SET);
}

static void
end (Fixture *f)
{
  guint8 zeros[2 * AGENT_TAR_BLOCK] = { 0 };

  g_assert_cmpint (write (f->archive, zeros, sizeof zeros), ==, sizeof zeros);
}

/* Each is an archive of up to three entries that tries to write into or out of "outside";
 * afterwards that must be as before. */
static void
test_ways_out (Fixture *f, gconstpointer data)
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

  put (f, "outside/secret", 100);
  for (gsize i = 0; i < G_N_ELEMENTS (tries); i++)
    {
      g_autofree char *before = NULL, *after = NULL;
      int status;

      g_free (shell (
          f, "rm -rf target; mkdir target; ln -s ../outside target/old; ln -s /outside target/old-absolute"));
      before = list (f, "outside", TRUE);
      begin (f);
      for (gsize k = 0; k < G_N_ELEMENTS (tries[i]) && tries[i][k].name != NULL; k++)
        add (f, tries[i][k].type, tries[i][k].name, tries[i][k].link,
             tries[i][k].type == AGENT_TAR_FILE ? "evil" : "");
      end (f);
      status = extract (f, "/target", 0);
      if (status != VP_TAR_BAD_ARCHIVE && status != VP_TAR_FAILED)
        g_error ("try %" G_GSIZE_FORMAT ": status %d", i, status);
      g_assert_cmpstr (f->message, !=, "");
      after = list (f, "outside", TRUE);
      g_assert_cmpstr (after, ==, before);
    }
}

/* a link that was there: replaced when it is the last element, not written through */
static void
test_replace (Fixture *f, gconstpointer data)
{
  g_autofree char *kinds = NULL;

  put (f, "outside/secret", 100);
  g_free (shell (
      f, "cd target; ln -s ../outside/secret file; echo old >dir; mkdir full; touch full/x; mkdir -p real; "
         "ln -s real alias"));
  begin (f);
  add (f, AGENT_TAR_FILE, "file", "", "new");
  add (f, AGENT_TAR_DIRECTORY, "dir", "", "");
  add (f, AGENT_TAR_DIRECTORY, "alias", "", "");
  add (f, AGENT_TAR_FILE, "alias/y", "", "through");
  add (f, AGENT_TAR_HARD_LINK, "file", "file", "");
  end (f);
  g_assert_cmpint (extract (f, "/target", 0), ==, 0);
  kinds = shell (f,
                 "stat -c %F target/file target/dir target/alias | tr '\\n' ,; cat target/file target/real/y;"
                 "stat -c %s outside/secret");
  g_assert_cmpstr (kinds, ==, "regular file,directory,symbolic link,newthrough100\n");
  begin (f);
  add (f, AGENT_TAR_FILE, "full", "", "new");
  end (f);
  g_assert_cmpint (extract (f, "/target", 0), ==, VP_TAR_FAILED);
  g_assert_cmpstr (f->message, ==, "full: cannot be replaced: Is a directory\n");
}

static void
test_flags (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;

  g_free (shell (f, "echo old >target/file; mkdir target/dir; ln -s /inner inner-link; mkdir inner"));
  begin (f);
  add (f, AGENT_TAR_DIRECTORY, "dir", "", "");
  add (f, AGENT_TAR_FILE, "dir/new", "", "new");
  add (f, AGENT_TAR_FILE, "file", "", "new");
  end (f);
  g_assert_cmpint (extract (f, "/target", AGENT_TAR_NO_OVERWRITE), ==, VP_TAR_FAILED);
  g_assert_cmpstr (f->message, ==, "file: cannot be replaced: File exists\n");
  text = shell (f, "cat target/file target/dir/new");
  g_assert_cmpstr (text, ==, "old\nnew");
  g_assert_cmpint (extract (f, "/x/y//z/", AGENT_TAR_MKDIR), ==, 0);
  g_free (shell (f, "test -f x/y/z/dir/new"));
  /* nothing leads out of the root: an absolute link is one in it */
  begin (f);
  add (f, AGENT_TAR_FILE, "inner-link/file", "", "new");
  end (f);
  g_assert_cmpint (extract (f, "/", 0), ==, 0);
  g_free (shell (f, "test -f inner/file"));
}

/* cut anywhere, it is known not to be whole */
static void
test_cut (Fixture *f, gconstpointer data)
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
      g_assert_cmpint (extract (f, "/target", 0), ==, VP_TAR_BAD_ARCHIVE);
      g_assert_cmpstr (f->message, ==, "the archive is cut short\n");
    }
  g_free (whole);
}

/* any byte may be anything: no crash, no way out, an end */
static void
test_damaged (Fixture *f, gconstpointer data)
{
  g_autofree guint8 *whole = NULL;
  g_autofree char *before = NULL, *after = NULL;
  gsize len;

  put (f, "outside/secret", 100);
  fill_source (f, TRUE);
  g_assert_cmpint (create (f, "/source", 0), ==, 0);
  len = (gsize)lseek (f->archive, 0, SEEK_END);
  whole = g_malloc (len);
  g_assert_cmpint (pread (f->archive, whole, len, 0), ==, (gssize)len);
  before = list (f, "outside", TRUE);
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
      (void)extract (f, "/target", 0);
    }
  after = list (f, "outside", TRUE);
  g_assert_cmpstr (after, ==, before);
}

static void
test_sparse (Fixture *f, gconstpointer data)
{
  static const char *const formats[] = { "gnu", "pax --sparse-version=0.1", "pax --sparse-version=1.0" };

  g_free (shell (f, "truncate -s 1M source/hole; echo x >>source/hole"));
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      g_autofree char *command = g_strdup_printf (
          "tar -c --sparse --hole-detection=raw --format=%s -C source . >/dev/fd/9", formats[i]);

      begin (f);
      g_free (shell (f, command));
      g_assert_cmpint (extract (f, "/target", 0), ==, VP_TAR_BAD_ARCHIVE);
      g_assert_nonnull (strstr (f->message, "sparse"));
    }
}

/* what is said about a name is one line, whatever the name */
static void
test_message (Fixture *f, gconstpointer data)
{
  begin (f);
  add (f, AGENT_TAR_FILE, "/a\nb\x1b[2J", "", "x");
  end (f);
  g_assert_cmpint (extract (f, "/target", 0), ==, VP_TAR_BAD_ARCHIVE);
  g_assert_cmpstr (f->message, ==, "/a?b?[2J: absolute names are refused\n");
}

static void
test_arguments (void)
{
  static const char *const good[][4] = {
    { VP_TAR_CREATE, "/" },
    { VP_TAR_CREATE, "/x", VP_TAR_DEREFERENCE, VP_TAR_ONE_FILE_SYSTEM },
    { VP_TAR_EXTRACT, "/x", VP_TAR_NO_OVERWRITE },
  };
  static const char *const bad[][4] = {
    { NULL },
    { "list", "/" },
    { VP_TAR_CREATE },
    { VP_TAR_CREATE, "x" },
    { VP_TAR_CREATE, "/", VP_TAR_NO_OVERWRITE },
    { VP_TAR_EXTRACT, "/", VP_TAR_DEREFERENCE },
    { VP_TAR_EXTRACT, "/", "--anything" },
  };
  const char *error;

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      const char *args[5] = { good[i][0], good[i][1], good[i][2], good[i][3], NULL };

      g_assert_cmpint (agent_tar_check (args, &error), ==, 0);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      const char *args[5] = { bad[i][0], bad[i][1], bad[i][2], bad[i][3], NULL };

      g_assert_cmpint (agent_tar_check (args, &error), ==, -1);
      g_assert_true (g_str_has_prefix (error, "args["));
    }
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  static const char *const formats[] = { "gnu", "oldgnu", "pax", "ustar", "v7" };

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent/tar/header", test_header);
  g_test_add_func ("/agent/tar/records", test_pax_records);
  g_test_add_func ("/agent/tar/numbers", test_numbers);
  g_test_add_func ("/agent/tar/arguments", test_arguments);
  ADD ("/agent/tar/to-gnu", test_to_gnu);
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      g_autofree char *path = g_strconcat ("/agent/tar/from-gnu/", formats[i], NULL);

      g_test_add (path, Fixture, formats[i], set_up, test_from_gnu, tear_down);
    }
  ADD ("/agent/tar/both-ways", test_both_ways);
  ADD ("/agent/tar/names", test_names);
  ADD ("/agent/tar/no-path", test_no_path);
  ADD ("/agent/tar/incomplete", test_incomplete);
  ADD ("/agent/tar/nobody-reads", test_nobody_reads);
  ADD ("/agent/tar/ways-out", test_ways_out);
  ADD ("/agent/tar/replace", test_replace);
  ADD ("/agent/tar/flags", test_flags);
  ADD ("/agent/tar/cut", test_cut);
  ADD ("/agent/tar/damaged", test_damaged);
  ADD ("/agent/tar/sparse", test_sparse);
  ADD ("/agent/tar/message", test_message);
  return g_test_run ();
}
