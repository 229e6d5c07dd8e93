/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-hook.h"

/* One hook at a time, as small shell scripts in a directory of its own. */
typedef struct
{
  VpWorker *worker;
  char *dir;
  char *out;      /* what the scripts write to */
  char **args;
  VpHostHook hook;
  VpHookCall call;
  GCancellable *cancellable;
  gboolean done;
  gboolean ok;
  GError *error;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->worker = vp_worker_new ("test-hook", 4);
  f->dir = g_dir_make_tmp ("vp-hook-XXXXXX", NULL);
  f->out = g_build_filename (f->dir, "out", NULL);
  f->hook.kind = VP_HOOK_CREATE_RUNTIME;
  f->hook.path = (char *) "/bin/sh";
  f->call = (VpHookCall){ .hook = &f->hook, .directory = f->dir, .state = { .id = "box", .status = "creating", .bundle = "/b" }, .timeout_ms = 20000 };
  f->cancellable = g_cancellable_new ();
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_error (&f->error);
  g_strfreev (f->args);
  g_unlink (f->out);
  g_assert_cmpint (g_rmdir (f->dir), ==, 0);
  g_free (f->out);
  g_free (f->dir);
  g_object_unref (f->cancellable);
  vp_worker_unref (f->worker);
}

static void
on_run (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;

  f->ok = vp_hook_run_finish (result, &f->error);
  f->done = TRUE;
}

static void
begin (Fixture *f)
{
  f->done = FALSE;
  g_clear_error (&f->error);
  vp_hook_run_async (f->worker, &f->call, f->cancellable, on_run, f);
}

static void
finish (Fixture *f)
{
  while (!f->done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (f->ok == (f->error == NULL));
}

static void
run_script (Fixture *f, const char *script)
{
  const char *args[] = { "hook-of-a-test", "-c", script, NULL };

  g_strfreev (f->args);
  f->args = g_strdupv ((char **) args);
  f->hook.args = f->args;
  begin (f);
}

static void
expect_ok (Fixture *f)
{
  finish (f);
  g_assert_no_error (f->error);
}

static void
expect_error (Fixture *f, VpError code, const char *part)
{
  finish (f);
  g_assert_error (f->error, VP_ERROR, (int) code);
  g_assert_nonnull (strstr (f->error->message, "createRuntime"));
  if (strstr (f->error->message, part) == NULL)
    g_error ("\"%s\": no \"%s\"", f->error->message, part);
}

static char *
read_out (Fixture *f)
{
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (f->out, &text, NULL, NULL));
  return g_steal_pointer (&text);
}

static void
test_given (Fixture *f, gconstpointer data)
{
  static char *const env[] = { (char *) "A=one two", (char *) "B=", NULL };
  g_autofree char *text = NULL;
  g_autofree char *state = NULL;
  g_autofree char *wanted = NULL;

  g_setenv ("VP_TEST_LEAK", "1", TRUE);
  f->hook.env = (char **) env;
  run_script (f, "echo $0; pwd; echo \"$A|$B|$VP_TEST_LEAK\"; cat; echo to-nowhere; echo $$ $(cut -d' ' -f5 /proc/$$/stat)");
  expect_ok (f);
  g_assert_false (g_file_test (f->out, G_FILE_TEST_EXISTS)); /* its stdout goes nowhere */
  run_script (f, "exec > out; echo $0; pwd; echo \"$A|$B|$VP_TEST_LEAK\"; cat");
  expect_ok (f);
  text = read_out (f);
  state = vp_oci_state_to_json (&f->call.state);
  wanted = g_strdup_printf ("hook-of-a-test\n%s\none two||\n%s", f->dir, state);
  g_assert_cmpstr (text, ==, wanted);
}

static void
test_nothing_inherited (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;
  const char *ignored;
  int null = open ("/dev/null", O_RDONLY);
  int leak = fcntl (null, F_DUPFD, 57); /* not close-on-exec */

  g_assert_cmpint (leak, ==, 57);
  signal (SIGUSR1, SIG_IGN);
  run_script (f, "exec > out; PATH=/bin:/usr/bin; echo fds $(ls /proc/$$/fd);"
                 "set -- $(cat /proc/$$/stat); [ $1 = $5 ] || echo group;"
                 "grep SigIgn: /proc/$$/status");
  expect_ok (f);
  text = read_out (f);
  /* the shell has a pipe or two of its own for a moment */
  g_assert_true (g_str_has_prefix (text, "fds 0 1 2"));
  g_assert_null (strstr (text, " 57"));
  ignored = strstr (text, "SigIgn:\t");
  g_assert_nonnull (ignored);
  /* 32 and 33 are the C library's and not to be changed */
  g_assert_cmpuint (g_ascii_strtoull (ignored + 8, NULL, 16) & ~G_GUINT64_CONSTANT (0x180000000), ==, 0);
  signal (SIGUSR1, SIG_DFL);
  close (leak);
  close (null);
}

static void
test_big_state (Fixture *f, gconstpointer data)
{
  g_autofree char *bundle = g_strnfill (3u << 20, 'x');
  g_autofree char *state = NULL;
  g_autofree char *text = NULL;

  f->call.state.bundle = bundle;
  state = vp_oci_state_to_json (&f->call.state);
  /* who reads nothing is not waited for */
  run_script (f, "exit 0");
  expect_ok (f);
  run_script (f, "PATH=/bin:/usr/bin; wc -c > out");
  expect_ok (f);
  text = read_out (f);
  g_assert_cmpint (atoi (text), ==, strlen (state));
}

/* A hook whose state has its own number, which is the shell's. */
static void
test_own_pid (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;

  f->call.own_pid = TRUE;
  run_script (f, "exec > out; while read -r line; do case \"$line\" in *\\\"pid\\\":*) set -- $line; echo $2 $$;; esac; done");
  expect_ok (f);
  text = read_out (f);
  g_print ("# %s", text);
  {
    g_auto (GStrv) words = g_strsplit (g_strchomp (text), " ", 2);

    g_assert_cmpuint (g_strv_length (words), ==, 2);
    g_assert_cmpint (atoi (words[0]), >, 1);
    g_assert_cmpint (atoi (words[0]), ==, atoi (words[1]));
  }
}

static void
test_fails (Fixture *f, gconstpointer data)
{
  run_script (f, "echo no such network >&2; echo try again >&2; exit 3");
  expect_error (f, VP_ERROR_FAILED, "exit status 3: no such network|try again");
  run_script (f, "kill -TERM $$");
  expect_error (f, VP_ERROR_FAILED, "signal 15");
  /* of much, the end */
  run_script (f, "i=0; while [ $i -lt 20000 ]; do echo line $i of it >&2; i=$((i + 1)); done; exit 1");
  expect_error (f, VP_ERROR_FAILED, "line 19999 of it");
  g_assert_cmpuint (strlen (f->error->message), <, 700);
}

static void
test_cannot_start (Fixture *f, gconstpointer data)
{
  f->hook.path = (char *) "/no/such\nhook";
  begin (f);
  expect_error (f, VP_ERROR_NOT_FOUND, "/no/such\\nhook");
  f->hook.path = (char *) "/etc/passwd";
  begin (f);
  expect_error (f, VP_ERROR_FAILED, "Permission denied");
  f->hook.path = (char *) "/bin/true";
  f->call.directory = "/no/such/bundle";
  begin (f);
  expect_error (f, VP_ERROR_FAILED, "/no/such/bundle");
  f->call.directory = "/";
  f->hook.args = NULL;
  begin (f);
  expect_ok (f);
}

/* The process that a script's out names is gone, or will be in a moment. */
static void
expect_gone (Fixture *f)
{
  g_autofree char *text = read_out (f);
  pid_t pid = atoi (text);

  g_assert_cmpint (pid, >, 1);
  for (int i = 0; i < 500 && kill (pid, 0) == 0; i++)
    {
      g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
      g_autofree char *stat = NULL;

      /* nobody may be there to reap it */
      if (g_file_get_contents (path, &stat, NULL, NULL) && strstr (stat, ") Z ") != NULL)
        return;
      g_usleep (10000);
    }
  g_assert_cmpint (kill (pid, 0), ==, -1);
}

#define HANG "sleep 1000 & echo $! > out; wait"

static void
test_hangs (Fixture *f, gconstpointer data)
{
  gint64 started = g_get_monotonic_time ();

  f->call.timeout_ms = 300;
  run_script (f, "PATH=/bin:/usr/bin; " HANG);
  expect_error (f, VP_ERROR_TIMED_OUT, "0.3 s");
  g_assert_cmpint (g_get_monotonic_time () - started, >=, 290000);
  g_assert_cmpint (g_get_monotonic_time () - started, <, 10 * G_USEC_PER_SEC);
  expect_gone (f);
  /* what it says itself comes first */
  f->hook.timeout = 1;
  f->call.timeout_ms = 60000;
  run_script (f, "PATH=/bin:/usr/bin; " HANG);
  expect_error (f, VP_ERROR_TIMED_OUT, "1 s");
  expect_gone (f);
}

static void
test_cancelled (Fixture *f, gconstpointer data)
{
  run_script (f, "PATH=/bin:/usr/bin; " HANG);
  for (int i = 0; i < 500 && !g_file_test (f->out, G_FILE_TEST_EXISTS); i++)
    g_usleep (10000);
  g_usleep (50000);
  g_cancellable_cancel (f->cancellable);
  expect_error (f, VP_ERROR_CANCELLED, "killed");
  expect_gone (f);
}

/* What it leaves in the background, with its stderr, is not waited for. */
static void
test_background (Fixture *f, gconstpointer data)
{
  gint64 started = g_get_monotonic_time ();
  g_autofree char *text = NULL;

  run_script (f, "PATH=/bin:/usr/bin; sleep 1000 & echo $! > out");
  expect_ok (f);
  g_assert_cmpint (g_get_monotonic_time () - started, <, 10 * G_USEC_PER_SEC);
  text = read_out (f);
  g_assert_cmpint (kill (atoi (text), SIGKILL), ==, 0);
}

static void
test_netns (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "fifo", NULL);
  g_autofree char *mine = g_file_read_link ("/proc/self/ns/net", NULL);
  g_autofree char *text = NULL;
  int other[2];
  char *theirs;
  pid_t pid;

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  f->call.netns = path;
  run_script (f, "exit 0");
  expect_error (f, VP_ERROR_FAILED, "network namespace");
  g_unlink (path);
  f->call.netns = "/no/such/namespace";
  run_script (f, "exit 0");
  expect_error (f, VP_ERROR_FAILED, "/no/such/namespace");

  g_assert_cmpint (pipe (other), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      char c = unshare (CLONE_NEWNET) == 0 ? 'y' : 'n';

      (void) !write (other[1], &c, 1);
      pause ();
      _exit (0);
    }
  g_assert_cmpint (read (other[0], &(char){ 0 }, 1), ==, 1);
  theirs = g_strdup_printf ("/proc/%d/ns/net", pid);
  text = g_file_read_link (theirs, NULL);
  if (g_strcmp0 (text, mine) != 0)
    {
      g_autofree char *wanted = g_strdup_printf ("%s\n", text);
      g_autofree char *got = NULL;

      f->call.netns = theirs;
      run_script (f, "PATH=/bin:/usr/bin; readlink /proc/self/ns/net > out");
      expect_ok (f);
      got = read_out (f);
      g_assert_cmpstr (got, ==, wanted);
    }
  else
    g_test_skip ("no network namespace can be made here");
  kill (pid, SIGKILL);
  close (other[0]);
  close (other[1]);
  g_free (theirs);
}

static guint
count_fds (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static void
test_leaves_nothing (Fixture *f, gconstpointer data)
{
  guint before;

  run_script (f, "exit 0");
  expect_ok (f);
  before = count_fds ();
  for (int i = 0; i < 50; i++)
    {
      run_script (f, i % 2 == 0 ? "exit 0" : "exit 1");
      finish (f);
    }
  f->call.directory = "/no/such/bundle";
  run_script (f, "exit 0");
  finish (f);
  g_assert_cmpuint (count_fds (), ==, before);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/hook/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("given", test_given);
  ADD ("nothing-inherited", test_nothing_inherited);
  ADD ("big-state", test_big_state);
  ADD ("own-pid", test_own_pid);
  ADD ("fails", test_fails);
  ADD ("cannot-start", test_cannot_start);
  ADD ("hangs", test_hangs);
  ADD ("cancelled", test_cancelled);
  ADD ("background", test_background);
  ADD ("netns", test_netns);
  ADD ("leaves-nothing", test_leaves_nothing);
#undef ADD
  return g_test_run ();
}
