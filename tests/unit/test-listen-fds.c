/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "vp-listen-fds.h"
#include "vp-log.h"

#define CHECK(condition) \
  do                                                                 \
    if (!(condition))                                                \
      {                                                              \
        g_printerr ("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
        _exit (1);                                                   \
      }                                                              \
  while (0)

/* What a test does is done in a process of its own, with the descriptors 3, 4 and
 * 5 of /dev/null and the variables as a service manager sets them. */
static void
in_service (const char *count, const char *names, void (*func) (void))
{
  pid_t child = fork ();
  int status;

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      g_autofree char *pid = g_strdup_printf ("%d", (int) getpid ());
      int null = open ("/dev/null", O_RDWR);

      for (int fd = 3; fd <= 5; fd++)
        CHECK (null == fd || dup2 (null, fd) == fd);
      (void) close (6);
      g_setenv ("LISTEN_PID", pid, TRUE);
      g_setenv ("LISTEN_FDS", count, TRUE);
      if (names != NULL)
        g_setenv ("LISTEN_FDNAMES", names, TRUE);
      else
        g_unsetenv ("LISTEN_FDNAMES");
      func ();
      CHECK (g_getenv ("LISTEN_PID") == NULL);
      CHECK (g_getenv ("LISTEN_FDS") == NULL);
      CHECK (g_getenv ("LISTEN_FDNAMES") == NULL);
      _exit (0);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
}

static gboolean
closed_on_exec (int fd)
{
  return (fcntl (fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static void
take_by_name (void)
{
  CHECK (vp_listen_fds_receive () == 3);
  CHECK (closed_on_exec (3) && closed_on_exec (4) && closed_on_exec (5));
  CHECK (vp_listen_fds_take ("other") == -1);
  CHECK (vp_listen_fds_take ("") == -1);
  CHECK (vp_listen_fds_take ("b") == 4);
  CHECK (vp_listen_fds_take ("b") == -1);
  CHECK (g_strcmp0 (vp_listen_fds_find ("vp-"), "vp-x") == 0);
  CHECK (vp_listen_fds_take ("vp-x") == 5);
  CHECK (vp_listen_fds_find ("vp-") == NULL);
  CHECK (g_strcmp0 (vp_listen_fds_find (""), "a") == 0);
  CHECK (vp_listen_fds_take ("a") == 3);
}

static void
take_one_of_two (void)
{
  CHECK (vp_listen_fds_receive () == 2);
  CHECK (vp_listen_fds_take ("a") == 3);
  CHECK (vp_listen_fds_take ("a") == 4);
  CHECK (vp_listen_fds_take ("a") == -1);
  CHECK (!closed_on_exec (5));
}

static void
take_nameless (void)
{
  CHECK (vp_listen_fds_receive () == 2);
  CHECK (closed_on_exec (3) && closed_on_exec (4));
  CHECK (vp_listen_fds_take ("a") == -1);
  CHECK (vp_listen_fds_take ("unknown") == 3);
}

static void
take_nothing (void)
{
  CHECK (vp_listen_fds_receive () == 0);
  CHECK (!closed_on_exec (3));
  CHECK (vp_listen_fds_take ("a") == -1);
  CHECK (vp_listen_fds_find ("") == NULL);
}

static void
take_what_is_there (void)
{
  CHECK (vp_listen_fds_receive () == 3);
  CHECK (vp_listen_fds_take ("a") == -1);
}

static void
of_another_process (void)
{
  g_setenv ("LISTEN_PID", "1", TRUE);
  take_nothing ();
}

static void
of_nobody (void)
{
  g_unsetenv ("LISTEN_PID");
  take_nothing ();
}

static void
test_names (void)
{
  in_service ("3", "a:b:vp-x", take_by_name);
  in_service ("2", "a:a", take_one_of_two);
}

static void
test_nameless (void)
{
  in_service ("2", NULL, take_nameless);
  in_service ("2", "a", take_nameless);
  in_service ("2", "a:b:c", take_nameless);
}

static void
test_not_ours (void)
{
  in_service ("1", "a", of_another_process);
  in_service ("1", "a", of_nobody);
}

static void
test_bad_count (void)
{
  const char *counts[] = { "", "0", "-1", "x", "1x", "99999999999999999999" };

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    in_service (counts[i], "a", take_nothing);
  /* more than there are */
  in_service ("4", "a:b:c:d", take_what_is_there);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  vp_log_init (); /* warnings are expected and must not be fatal */
  g_test_add_func ("/listen-fds/names", test_names);
  g_test_add_func ("/listen-fds/nameless", test_nameless);
  g_test_add_func ("/listen-fds/not-ours", test_not_ours);
  g_test_add_func ("/listen-fds/bad-count", test_bad_count);
  return g_test_run ();
}
