/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <gio/gio.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-pidwatch.h"

static pid_t
fork_sleeper (void)
{
  pid_t pid = fork ();

  if (pid == 0)
    {
      pause ();
      _exit (0);
    }
  g_assert_cmpint (pid, >, 0);
  return pid;
}

static void
on_exited (VpPidwatch *watch, guint *count)
{
  (*count)++;
}

static void
test_child (void)
{
  pid_t pid = fork_sleeper ();
  pid_t bystander = fork ();
  g_autoptr (GError) error = NULL;
  g_autoptr (VpPidwatch) watch = NULL;
  guint count = 0;
  gint64 start;
  int status;

  if (bystander == 0)
    _exit (7); /* ends first and must be left for whoever waits for it */
  watch = vp_pidwatch_open (pid, &error);
  g_assert_no_error (error);
  g_signal_connect (watch, "exited", G_CALLBACK (on_exited), &count);
  g_assert_cmpint (vp_pidwatch_get_pid (watch), ==, pid);
  g_assert_false (g_main_context_iteration (NULL, FALSE));

  start = g_get_monotonic_time ();
  g_assert_true (vp_pidwatch_kill (watch, SIGTERM, &error));
  while (count == 0)
    g_main_context_iteration (NULL, TRUE);
  g_test_message ("told after %" G_GINT64_FORMAT " us", g_get_monotonic_time () - start);
  g_assert_true (vp_pidwatch_has_exited (watch));
  g_assert_true (vp_pidwatch_get_status (watch, &status));
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGTERM);
  g_assert_cmpint (kill (pid, 0), ==, -1);
  g_assert_cmpint (errno, ==, ESRCH);

  g_assert_false (vp_pidwatch_kill (watch, SIGTERM, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  g_assert_cmpint (waitpid (bystander, &status, 0), ==, bystander);
  g_assert_cmpint (WEXITSTATUS (status), ==, 7);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (count, ==, 1);
}

/* already a zombie when the watch is made */
static void
test_zombie (void)
{
  g_autoptr (VpPidwatch) watch = NULL;
  siginfo_t info;
  guint count = 0;
  int status;
  pid_t pid = fork ();

  if (pid == 0)
    _exit (3);
  g_assert_cmpint (waitid (P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), ==, 0);
  watch = vp_pidwatch_open (pid, NULL);
  g_assert_nonnull (watch);
  g_signal_connect (watch, "exited", G_CALLBACK (on_exited), &count);
  while (count == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (vp_pidwatch_get_status (watch, &status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 3);
}

/* a grandchild is watched but is not ours to reap */
static void
test_foreign (void)
{
  g_autoptr (VpPidwatch) watch = NULL;
  guint count = 0;
  int fds[2], status;
  pid_t grandchild, child;

  g_assert_cmpint (pipe (fds), ==, 0);
  child = fork ();
  if (child == 0)
    {
      grandchild = fork_sleeper ();
      if (write (fds[1], &grandchild, sizeof grandchild) != sizeof grandchild)
        _exit (1);
      waitpid (grandchild, &status, 0);
      _exit (0);
    }
  g_assert_cmpint (read (fds[0], &grandchild, sizeof grandchild), ==, sizeof grandchild);
  close (fds[0]);
  close (fds[1]);

  watch = vp_pidwatch_open (grandchild, NULL);
  g_assert_nonnull (watch);
  g_signal_connect (watch, "exited", G_CALLBACK (on_exited), &count);
  g_assert_true (vp_pidwatch_kill (watch, SIGKILL, NULL));
  while (count == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (vp_pidwatch_get_status (watch, &status));
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
}

static void
test_errors (void)
{
  g_autoptr (GError) error = NULL;
  pid_t pid = fork_sleeper ();
  VpPidwatch *watch = vp_pidwatch_open (pid, NULL);
  int status;

  g_object_unref (watch); /* a dropped watch says nothing and reaps nothing */
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);

  g_assert_null (vp_pidwatch_open (pid, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (vp_pidwatch_open (0, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pidwatch/child", test_child);
  g_test_add_func ("/pidwatch/zombie", test_zombie);
  g_test_add_func ("/pidwatch/foreign", test_foreign);
  g_test_add_func ("/pidwatch/errors", test_errors);
  return g_test_run ();
}
