/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* With a control group of this kernel's own; as root, where version 2 is mounted. */
#include <errno.h>
#include <glib.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent-freeze.h"

typedef struct
{
  AgentLoop *loop;
  char *cgroup;
  pid_t child; /* busy, in the group */
  int rc;
} Scene;

/* where version 2 of control groups is mounted, or NULL */
static char *
find_mount (void)
{
  FILE *f = setmntent ("/proc/self/mounts", "re");
  char *found = NULL;
  struct mntent *m;

  while (f != NULL && found == NULL && (m = getmntent (f)) != NULL)
    if (strcmp (m->mnt_type, "cgroup2") == 0)
      found = g_strdup (m->mnt_dir);
  if (f != NULL)
    endmntent (f);
  return found;
}

static void
write_file (const char *cgroup, const char *file, const char *text)
{
  g_autofree char *path = g_build_filename (cgroup, file, NULL);
  FILE *f = fopen (path, "we");

  g_assert_nonnull (f);
  g_assert_cmpint (fputs (text, f), >=, 0);
  g_assert_cmpint (fclose (f), ==, 0);
}

static pid_t
busy_child (const char *cgroup)
{
  g_autofree char *text = NULL;
  pid_t child = fork ();

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    for (;;)
      ;
  text = g_strdup_printf ("%d", (int) child);
  write_file (cgroup, "cgroup.procs", text);
  return child;
}

/* 0 and the test is skipped where there are no groups to be had */
static int
scene_init (Scene *s)
{
  g_autofree char *mount = find_mount ();

  *s = (Scene){ .rc = 1 };
  if (mount == NULL)
    g_test_skip ("version 2 of control groups is not mounted");
  else
    {
      s->cgroup = g_strdup_printf ("%s/virtpod-test-freeze.%d", mount, (int) getpid ());
      if (mkdir (s->cgroup, 0755) == 0)
        {
          s->loop = agent_loop_new ();
          s->child = busy_child (s->cgroup);
          return 1;
        }
      /* root's may be read-only, in a container */
      g_assert_true (errno == EROFS || errno == EACCES || errno == EPERM);
      g_autofree char *why = g_strdup_printf ("mkdir %s: %s", s->cgroup, g_strerror (errno));
      g_test_skip (why);
      g_clear_pointer (&s->cgroup, g_free);
    }
  return 0;
}

static void
end_child (Scene *s)
{
  kill (s->child, SIGKILL);
  g_assert_cmpint (waitpid (s->child, NULL, 0), ==, s->child);
  s->child = 0;
}

/* what has ended leaves its group a little later */
static void
remove_group (Scene *s)
{
  while (rmdir (s->cgroup) < 0)
    {
      g_assert_cmpint (errno, ==, EBUSY);
      g_usleep (1000);
    }
}

static void
scene_clear (Scene *s)
{
  agent_loop_free (s->loop);
  g_free (s->cgroup);
}

static void
done (int rc, void *data)
{
  Scene *s = data;

  g_assert_cmpint (s->rc, ==, 1);
  s->rc = rc;
  agent_loop_quit (s->loop);
}

static void
freeze (void *data)
{
  write_file (((Scene *) data)->cgroup, "cgroup.freeze", "1");
}

static void
die (void *data)
{
  Scene *s = data;

  end_child (s);
  remove_group (s);
}

/* user time of @pid in ticks */
static guint64
time_of (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", (int) pid);
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  words = g_strsplit (strrchr (text, ')'), " ", 0);
  return g_ascii_strtoull (words[12], NULL, 10);
}

static void
test_frozen (void)
{
  Scene s;
  guint64 before;

  if (!scene_init (&s))
    return;
  agent_timer_new (s.loop, 20, freeze, &s);
  g_assert_nonnull (agent_freeze_wait (s.loop, s.cgroup, 60000, done, &s));
  agent_loop_run (s.loop);
  g_assert_cmpint (s.rc, ==, 0);
  before = time_of (s.child);
  g_usleep (100000);
  g_assert_cmpuint (time_of (s.child), <=, before + 1);
  /* it is already */
  s.rc = 1;
  g_assert_nonnull (agent_freeze_wait (s.loop, s.cgroup, 60000, done, &s));
  agent_loop_run (s.loop);
  g_assert_cmpint (s.rc, ==, 0);
  g_assert_cmpint (agent_freeze_thaw (s.cgroup), ==, 0);
  while (time_of (s.child) <= before + 1)
    g_usleep (1000);
  die (&s);
  scene_clear (&s);
}

static void
test_never (void)
{
  Scene s;

  if (!scene_init (&s))
    return;
  g_assert_nonnull (agent_freeze_wait (s.loop, s.cgroup, 30, done, &s));
  agent_loop_run (s.loop);
  g_assert_cmpint (s.rc, ==, -ETIMEDOUT);
  die (&s);
  scene_clear (&s);
}

/* the group is removed while it is waited for, and then there is none */
static void
test_gone (void)
{
  Scene s;

  if (!scene_init (&s))
    return;
  agent_timer_new (s.loop, 20, die, &s);
  g_assert_nonnull (agent_freeze_wait (s.loop, s.cgroup, 60000, done, &s));
  agent_loop_run (s.loop);
  g_assert_cmpint (s.rc, ==, -ENODEV);
  g_assert_null (agent_freeze_wait (s.loop, s.cgroup, 60000, done, &s));
  g_assert_cmpint (errno, ==, ENOENT);
  g_assert_cmpint (agent_freeze_thaw (s.cgroup), ==, -ENOENT);
  scene_clear (&s);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent/freeze/frozen", test_frozen);
  g_test_add_func ("/agent/freeze/never", test_never);
  g_test_add_func ("/agent/freeze/gone", test_gone);
  return g_test_run ();
}
