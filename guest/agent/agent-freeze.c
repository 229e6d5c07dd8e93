/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-freeze.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent-util.h"

struct AgentFreeze
{
  int events; /* cgroup.events, which the kernel has something urgent in when it changes */
  AgentWatch *watch;
  AgentTimer *timer;
  AgentFreezeFunc func;
  void *data;
};

/* 1: it is, 0: not yet, or -errno */
static int
is_frozen (int events)
{
  char buf[256];
  ssize_t n = pread (events, buf, sizeof buf - 1, 0);

  if (n < 0)
    return -errno;
  buf[n] = '\0';
  return strstr (buf, "frozen 1\n") != NULL;
}

static void
finish (AgentFreeze *f, int rc)
{
  AgentFreezeFunc func = f->func;
  void *data = f->data;

  agent_watch_free (f->watch);
  agent_timer_free (f->timer);
  agent_close (&f->events);
  free (f);
  func (rc, data);
}

static void
changed (uint32_t events __attribute__ ((unused)), void *data)
{
  AgentFreeze *f = data;
  int rc = is_frozen (f->events);

  if (rc != 0)
    finish (f, rc < 0 ? rc : 0);
}

static void
too_late (void *data)
{
  AgentFreeze *f = data;
  int rc = is_frozen (f->events);

  f->timer = NULL;
  finish (f, rc == 0 ? -ETIMEDOUT : rc < 0 ? rc : 0);
}

AgentFreeze *
agent_freeze_wait (AgentLoop *loop, const char *cgroup, uint64_t msec, AgentFreezeFunc func, void *data)
{
  AgentFreeze *f = agent_new (AgentFreeze);
  char *path = agent_printf ("%s/cgroup.events", cgroup);
  int error;

  f->func = func;
  f->data = data;
  f->events = open (path, O_RDONLY | O_CLOEXEC);
  free (path);
  if (f->events >= 0)
    {
      /* what has changed before the first read of a file is told again: the loop
       * looks once more than it must, and never once too seldom */
      f->watch = agent_watch_new (loop, f->events, EPOLLPRI, changed, f);
      f->timer = f->watch != NULL ? agent_timer_new (loop, msec, too_late, f) : NULL;
    }
  if (f->timer != NULL)
    return f;
  error = errno;
  agent_watch_free (f->watch);
  agent_close (&f->events);
  free (f);
  errno = error;
  return NULL;
}

int
agent_freeze_thaw (const char *cgroup)
{
  char *path = agent_printf ("%s/cgroup.freeze", cgroup);
  int rc = agent_write_file (path, "0", 1, 0);

  free (path);
  return rc;
}
