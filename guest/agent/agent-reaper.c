/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-reaper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent-log.h"
#include "agent-util.h"

/* exits remembered while held; more than that many at once are nobody's */
#define MAX_UNCLAIMED 4096

typedef struct
{
  pid_t pid;
  int status;
  AgentExitFunc func; /* NULL: an exit nobody has claimed yet */
  void *data;
  AgentList link;
} Entry;

struct AgentReaper
{
  AgentLoop *loop;
  int fd;
  AgentWatch *watch;
  AgentTimer *timer;
  AgentList watched;
  AgentList unclaimed;
  AgentList claimed; /* exits to be told from the loop */
  unsigned n_unclaimed;
  unsigned held;
};

static Entry *
find (AgentList *list, pid_t pid)
{
  agent_list_foreach (it, list)
  {
    Entry *e = agent_container_of (it, Entry, link);

    if (e->pid == pid)
      return e;
  }
  return NULL;
}

static void
tell (Entry *e)
{
  agent_list_remove (&e->link);
  e->func (e->pid, e->status, e->data);
  free (e);
}

static void
reap (uint32_t events, void *data)
{
  AgentReaper *r = data;
  struct signalfd_siginfo si[8];
  pid_t pid;
  int status;

  while (read (r->fd, si, sizeof si) > 0)
    ;
  while ((pid = waitpid (-1, &status, WNOHANG)) > 0)
    {
      Entry *e = find (&r->watched, pid);

      if (e != NULL)
        {
          e->status = status;
          tell (e);
        }
      else if (r->held > 0 && r->n_unclaimed < MAX_UNCLAIMED)
        {
          e = agent_new (Entry);
          e->pid = pid;
          e->status = status;
          agent_list_append (&r->unclaimed, &e->link);
          r->n_unclaimed++;
        }
    }
}

AgentReaper *
agent_reaper_new (AgentLoop *loop)
{
  AgentReaper *r = agent_new (AgentReaper);
  sigset_t mask;

  signal (SIGPIPE, SIG_IGN);
  prctl (PR_SET_CHILD_SUBREAPER, 1);
  sigemptyset (&mask);
  sigaddset (&mask, SIGCHLD);
  sigprocmask (SIG_BLOCK, &mask, NULL);
  r->fd = signalfd (-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
  if (r->fd < 0)
    {
      free (r);
      return NULL;
    }
  r->loop = loop;
  agent_list_init (&r->watched);
  agent_list_init (&r->unclaimed);
  agent_list_init (&r->claimed);
  r->watch = agent_watch_new (loop, r->fd, EPOLLIN, reap, r);
  return r;
}

static void
forget (AgentList *list)
{
  agent_list_foreach_safe (it, list)
  {
    agent_list_remove (it);
    free (agent_container_of (it, Entry, link));
  }
}

void
agent_reaper_free (AgentReaper *r)
{
  if (r == NULL)
    return;
  agent_watch_free (r->watch);
  agent_timer_free (r->timer);
  forget (&r->watched);
  forget (&r->unclaimed);
  forget (&r->claimed);
  close (r->fd);
  free (r);
}

static void
tell_claimed (void *data)
{
  AgentReaper *r = data;

  r->timer = NULL;
  while (!agent_list_is_empty (&r->claimed))
    tell (agent_container_of (r->claimed.next, Entry, link));
}

void
agent_reaper_watch (AgentReaper *r, pid_t pid, AgentExitFunc func, void *data)
{
  Entry *e = find (&r->unclaimed, pid);

  if (e != NULL)
    {
      agent_list_remove (&e->link);
      r->n_unclaimed--;
      agent_list_append (&r->claimed, &e->link);
      if (r->timer == NULL)
        r->timer = agent_timer_new (r->loop, 0, tell_claimed, r);
    }
  else
    {
      e = agent_new (Entry);
      e->pid = pid;
      agent_list_append (&r->watched, &e->link);
    }
  e->func = func;
  e->data = data;
}

void
agent_reaper_unwatch (AgentReaper *r, pid_t pid)
{
  Entry *e = find (&r->watched, pid);

  if (e == NULL)
    e = find (&r->claimed, pid);
  if (e == NULL)
    return;
  agent_list_remove (&e->link);
  free (e);
}

void
agent_reaper_hold (AgentReaper *r)
{
  r->held++;
}

void
agent_reaper_release (AgentReaper *r)
{
  if (--r->held > 0)
    return;
  forget (&r->unclaimed);
  r->n_unclaimed = 0;
}
