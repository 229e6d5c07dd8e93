/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "agent-log.h"
#include "agent-util.h"

#define EVENTS_AT_ONCE 32

struct AgentLoop
{
  int epoll;
  int quit;
  AgentList timers; /* the soonest first */
  AgentList dead;   /* watches to free when no event can name them any more */
};

struct AgentWatch
{
  AgentLoop *loop;
  int fd;
  uint32_t events; /* 0: not in the epoll set */
  AgentWatchFunc func;
  void *data;
  AgentList link; /* in loop->dead */
};

struct AgentTimer
{
  uint64_t due;
  AgentTimerFunc func;
  void *data;
  AgentList link;
};

uint64_t
agent_now (void)
{
  struct timespec ts;

  clock_gettime (CLOCK_MONOTONIC, &ts);
  return (uint64_t) ts.tv_sec * 1000 + (uint64_t) ts.tv_nsec / 1000000;
}

AgentLoop *
agent_loop_new (void)
{
  int epoll = epoll_create1 (EPOLL_CLOEXEC);
  AgentLoop *loop;

  if (epoll < 0)
    return NULL;
  loop = agent_new (AgentLoop);
  loop->epoll = epoll;
  agent_list_init (&loop->timers);
  agent_list_init (&loop->dead);
  return loop;
}

static void
bury (AgentLoop *loop)
{
  agent_list_foreach_safe (it, &loop->dead)
  {
    agent_list_remove (it);
    free (agent_container_of (it, AgentWatch, link));
  }
}

void
agent_loop_free (AgentLoop *loop)
{
  if (loop == NULL)
    return;
  bury (loop);
  agent_list_foreach_safe (it, &loop->timers)
  {
    agent_list_remove (it);
    free (agent_container_of (it, AgentTimer, link));
  }
  close (loop->epoll);
  free (loop);
}

void
agent_loop_quit (AgentLoop *loop)
{
  loop->quit = 1;
}

static int
time_to_wait (const AgentLoop *loop)
{
  const AgentTimer *t;
  uint64_t now = agent_now ();

  if (agent_list_is_empty (&loop->timers))
    return -1;
  t = agent_container_of (loop->timers.next, AgentTimer, link);
  if (t->due <= now)
    return 0;
  return t->due - now < INT_MAX ? (int) (t->due - now) : INT_MAX;
}

static void
fire_timers (AgentLoop *loop)
{
  uint64_t now = agent_now ();

  while (!agent_list_is_empty (&loop->timers))
    {
      AgentTimer *t = agent_container_of (loop->timers.next, AgentTimer, link);
      AgentTimerFunc func = t->func;
      void *data = t->data;

      if (t->due > now)
        break;
      agent_timer_free (t);
      func (data);
    }
}

void
agent_loop_run (AgentLoop *loop)
{
  struct epoll_event events[EVENTS_AT_ONCE];

  for (loop->quit = 0; !loop->quit;)
    {
      int n = epoll_wait (loop->epoll, events, EVENTS_AT_ONCE, time_to_wait (loop));

      if (n < 0 && errno != EINTR)
        agent_error ("epoll_wait: %m");
      for (int i = 0; i < n; i++)
        {
          AgentWatch *w = events[i].data.ptr;

          /* an earlier callback of this round may have freed or silenced it */
          if (w->events != 0)
            w->func (events[i].events, w->data);
        }
      fire_timers (loop);
      bury (loop);
    }
}

AgentWatch *
agent_watch_new (AgentLoop *loop, int fd, uint32_t events, AgentWatchFunc func, void *data)
{
  AgentWatch *w = agent_new (AgentWatch);

  w->loop = loop;
  w->fd = fd;
  w->func = func;
  w->data = data;
  agent_list_init (&w->link);
  agent_watch_set (w, events);
  return w;
}

void
agent_watch_set (AgentWatch *w, uint32_t events)
{
  struct epoll_event ev = { .events = events, .data.ptr = w };
  int op = events == 0 ? EPOLL_CTL_DEL : w->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

  if (w->events == events)
    return;
  if (epoll_ctl (w->loop->epoll, op, w->fd, &ev) < 0)
    {
      agent_error ("epoll_ctl on file descriptor %d: %m", w->fd);
      return;
    }
  w->events = events;
}

void
agent_watch_free (AgentWatch *w)
{
  if (w == NULL)
    return;
  agent_watch_set (w, 0);
  w->events = 0;
  agent_list_append (&w->loop->dead, &w->link);
}

AgentTimer *
agent_timer_new (AgentLoop *loop, uint64_t msec, AgentTimerFunc func, void *data)
{
  AgentTimer *t = agent_new (AgentTimer);
  AgentList *before = loop->timers.prev;

  t->due = agent_now () + msec;
  t->func = func;
  t->data = data;
  while (before != &loop->timers && agent_container_of (before, AgentTimer, link)->due > t->due)
    before = before->prev;
  /* behind @before is in front of the one after it */
  agent_list_append (before->next, &t->link);
  return t;
}

void
agent_timer_free (AgentTimer *t)
{
  if (t == NULL)
    return;
  agent_list_remove (&t->link);
  free (t);
}
