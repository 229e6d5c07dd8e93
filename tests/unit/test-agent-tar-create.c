/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tar-fixture.h"
#include "vp-agent-names.h"

/* ---- with GNU tar --------------------------------------------------------------------------- */

static void
test_to_gnu (TarFixture *f, gconstpointer data)
{
  g_autofree char *want = NULL, *got = NULL;

  tar_fill_source (f, TRUE);
  g_assert_cmpint (tar_create (f, "/source", 0), ==, 0);
  g_assert_cmpstr (f->message, ==, "");
  g_free (tar_shell (f, "cd target; tar -x -p --numeric-owner -f /dev/fd/9"));
  want = tar_list (f, "source", TRUE);
  got = tar_list (f, "target/source", TRUE);
  g_assert_cmpstr (got, ==, want);
}

static void
test_from_gnu (TarFixture *f, gconstpointer data)
{
  const char *format = data;
  gboolean is_long = !g_str_equal (format, "ustar") && !g_str_equal (format, "v7");
  g_autofree char *command = g_strdup_printf ("tar -c --format=%s -C source . >&9", format);
  g_autofree char *want = NULL, *got = NULL;

  tar_fill_source (f, is_long);
  /* the oldest format knows neither pipes nor times before 1970 */
  if (g_str_equal (format, "v7"))
    g_free (tar_shell (f, "rm source/pipe"));
  g_free (tar_shell (f, command));
  g_assert_cmpint (tar_extract (f, "/target", 0), ==, 0);
  g_assert_cmpstr (f->message, ==, "");
  want = tar_list (f, "source", g_str_equal (format, "pax"));
  got = tar_list (f, "target", g_str_equal (format, "pax"));
  g_assert_cmpstr (got, ==, want);
}

/* what is no directory; those change when what is in them is replaced */
static char *
list_files (TarFixture *f, const char *dir)
{
  g_autofree char *command
      = g_strdup_printf ("cd %s; find . ! -type d -printf '%%P %%y %%m %%U %%G %%n %%T@ [%%l]\\n' | sort; "
                         "find . -type f -print0 | sort -z | xargs -0 sha256sum; find . -type d | sort",
                         dir);

  return tar_shell (f, command);
}

/* a second time over what the first one made, which must be as good */
static void
test_both_ways (TarFixture *f, gconstpointer data)
{
  g_autofree char *want = NULL;

  tar_fill_source (f, TRUE);
  want = list_files (f, "source");
  g_assert_cmpint (tar_create (f, "/source/.", 0), ==, 0);
  for (int i = 0; i < 2; i++)
    {
      g_autofree char *got = NULL;

      /* what is closed to its owner is so, but for root */
      g_free (tar_shell (f, "find target -type d -exec chmod u+w {} +"));
      g_assert_cmpint (tar_extract (f, "/target", 0), ==, 0);
      g_assert_cmpstr (f->message, ==, "");
      got = list_files (f, "target");
      g_assert_cmpstr (got, ==, want);
    }
}

/* ---- what is created --------------------------------------------------------------------------- */

static void
test_names (TarFixture *f, gconstpointer data)
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

  tar_put (f, "source/a", 1);
  tar_put (f, "source/b", 1);
  /* both are below the root they are looked up in */
  g_free (tar_shell (f, "ln -s /source link; ln -s ../../../../source up"));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *names = NULL;

      g_assert_cmpint (tar_create (f, cases[i].path, cases[i].flags), ==, 0);
      names = tar_shell (f, "tar -t -f /dev/fd/9 | sort | tr '\\n' ' '");
      g_assert_cmpstr (names, ==, cases[i].names);
    }
}

static void
test_no_path (TarFixture *f, gconstpointer data)
{
  g_free (tar_shell (f, "ln -s /nowhere dangling; touch file; ln -s /proc/self/root magic"));
  g_assert_cmpint (tar_create (f, "/nowhere", 0), ==, VP_TAR_NO_PATH);
  g_assert_cmpstr (f->message, ==, "/nowhere: No such file or directory\n");
  g_assert_cmpint (tar_create (f, "/dangling", AGENT_TAR_DEREFERENCE), ==, VP_TAR_NO_PATH);
  g_assert_cmpint (tar_create (f, "/dangling", 0), ==, 0);
  g_assert_cmpint (tar_create (f, "/file/x", 0), ==, VP_TAR_NO_PATH);
  g_assert_cmpint (tar_create (f, "/magic/etc", 0), ==, VP_TAR_NO_PATH);
  g_assert_cmpint (tar_extract (f, "/nowhere", 0), ==, VP_TAR_NO_PATH);
  g_assert_cmpint (tar_extract (f, "/file", 0), ==, VP_TAR_NO_PATH);
  g_assert_cmpint (tar_extract (f, "/dangling", AGENT_TAR_MKDIR), ==, VP_TAR_NO_PATH);
}

/* the archive is whole but for what could not be read */
static void
test_incomplete (TarFixture *f, gconstpointer data)
{
  g_autofree char *names = NULL;

  tar_put (f, "source/first", 10);
  tar_put (f, "source/last", 10);
  g_free (tar_shell (f, "cd source; for i in $(seq 300); do mkdir d; cd d; done"));
  g_assert_cmpint (tar_create (f, "/source", 0), ==, VP_TAR_INCOMPLETE);
  g_assert_nonnull (strstr (f->message, "too deep"));
  names = tar_shell (f, "tar -t -f /dev/fd/9 | grep -v d/");
  g_assert_nonnull (strstr (names, "source/first\n"));
  g_assert_nonnull (strstr (names, "source/last\n"));
}

static void
test_nobody_reads (TarFixture *f, gconstpointer data)
{
  int fds[2];

  tar_put (f, "source/f", 200000);
  g_assert_cmpint (pipe2 (fds, O_CLOEXEC), ==, 0);
  close (fds[0]);
  signal (SIGPIPE, SIG_IGN);
  g_assert_cmpint (agent_tar_create (f->root, "/source", 0, fds[1], f->error), ==, VP_TAR_FAILED);
  close (fds[1]);
}

#define ADD(path, func) g_test_add (path, TarFixture, NULL, tar_set_up, func, tar_tear_down)

int
main (int argc, char **argv)
{
  static const char *const formats[] = { "gnu", "oldgnu", "pax", "ustar", "v7" };

  g_test_init (&argc, &argv, NULL);
  ADD ("/agent/tar/to-gnu", test_to_gnu);
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      g_autofree char *path = g_strconcat ("/agent/tar/from-gnu/", formats[i], NULL);

      g_test_add (path, TarFixture, formats[i], tar_set_up, test_from_gnu, tar_tear_down);
    }
  ADD ("/agent/tar/both-ways", test_both_ways);
  ADD ("/agent/tar/names", test_names);
  ADD ("/agent/tar/no-path", test_no_path);
  ADD ("/agent/tar/incomplete", test_incomplete);
  ADD ("/agent/tar/nobody-reads", test_nobody_reads);
  return g_test_run ();
}
