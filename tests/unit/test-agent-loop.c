/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent-loop.h"
#include "agent-reaper.h"

typedef struct
{
  AgentLoop *loop;
  GString *seen;
  AgentWatch *watches[2];
  AgentTimer *timer;
} Scene;

static void
scene_init (Scene *s)
{
  *s = (Scene){ .loop = agent_loop_new (), .seen = g_string_new (NULL) };
}

static void
scene_clear (Scene *s)
{
  agent_loop_free (s->loop);
  g_string_free (s->seen, TRUE);
}

static void
quit (void *data)
{
  agent_loop_quit (((Scene *) data)->loop);
}

static void
see_a (void *data)
{
  Scene *s = data;

  g_string_append_c (s->seen, 'a');
  agent_timer_free (s->timer);
}

static void
see_b (void *data)
{
  g_string_append_c (((Scene *) data)->seen, 'b');
}

static void
test_timers (void)
{
  Scene s;

  scene_init (&s);
  /* far enough apart for a machine that is busy, or only pretends to be one */
  agent_timer_new (s.loop, 600, quit, &s);
  agent_timer_new (s.loop, 300, see_b, &s);
  agent_timer_new (s.loop, 1, see_a, &s);
  agent_timer_new (s.loop, 300, see_b, &s);
  s.timer = agent_timer_new (s.loop, 500, see_b, &s);
  agent_loop_run (s.loop);
  g_assert_cmpstr (s.seen->str, ==, "abb");
  scene_clear (&s);
}

static void
free_both (uint32_t events, void *data)
{
  Scene *s = data;

  g_string_append_c (s->seen, 'w');
  agent_watch_free (s->watches[0]);
  agent_watch_free (s->watches[1]);
  agent_loop_quit (s->loop);
}

/* both are ready in the same round; the first one called frees both */
static void
test_watch_freed (void)
{
  int fds[2];
  Scene s;

  scene_init (&s);
  g_assert_cmpint (pipe (fds), ==, 0);
  g_assert_cmpint (write (fds[1], "x", 1), ==, 1);
  s.watches[0] = agent_watch_new (s.loop, fds[0], EPOLLIN, free_both, &s);
  s.watches[1] = agent_watch_new (s.loop, fds[1], EPOLLOUT, free_both, &s);
  agent_loop_run (s.loop);
  g_assert_cmpstr (s.seen->str, ==, "w");
  scene_clear (&s);
  close (fds[0]);
  close (fds[1]);
}

/* A program of its own: who looks for leaks is not to look in a copy of this one. */
static pid_t
child (int status)
{
  char script[] = "exit 0";
  char *const args[] = { "sh", "-c", script, NULL };
  pid_t pid = fork ();

  script[5] = (char) ('0' + status);
  if (pid == 0)
    {
      execv ("/bin/sh", args);
      _exit (127);
    }
  return pid;
}

static void
child_gone (pid_t pid, int status, void *data)
{
  Scene *s = data;

  g_string_append_printf (s->seen, "%d", WEXITSTATUS (status));
  agent_loop_quit (s->loop);
}

static void
test_reaper (void)
{
  AgentReaper *r;
  pid_t pid;
  Scene s;

  scene_init (&s);
  r = agent_reaper_new (s.loop);
  pid = child (3);
  agent_reaper_watch (r, pid, child_gone, &s);
  agent_loop_run (s.loop);
  g_assert_cmpstr (s.seen->str, ==, "3");

  /* ended before its number was known, while somebody was about to tell it */
  agent_reaper_hold (r);
  pid = child (5);
  for (int i = 0; i < 600 && kill (pid, 0) == 0; i++)
    {
      agent_timer_new (s.loop, 100, quit, &s);
      agent_loop_run (s.loop);
    }
  g_assert_cmpint (waitpid (pid, NULL, WNOHANG), ==, -1);
  agent_reaper_watch (r, pid, child_gone, &s);
  g_assert_cmpstr (s.seen->str, ==, "3");
  agent_loop_run (s.loop);
  g_assert_cmpstr (s.seen->str, ==, "35");
  agent_reaper_release (r);
  agent_reaper_free (r);
  scene_clear (&s);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent-loop/timers", test_timers);
  g_test_add_func ("/agent-loop/watch-freed", test_watch_freed);
  g_test_add_func ("/agent-loop/reaper", test_reaper);
  return g_test_run ();
}
