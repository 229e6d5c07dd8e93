/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "agent-cgroup.h"
#include "agent-log.h"
#include "agent-sandbox.h"
#include "agent.pb-c.h"

#define MAX_PENDING (sizeof ((AgentSandbox *) 0)->oom_pending / sizeof (char *))

static void
reply_event (AgentCall *call, const char *id)
{
  Grpc__OOMEvent event = GRPC__OOMEVENT__INIT;

  event.container_id = (char *) id;
  agent_call_reply (call, &event.base);
}

static void
tell (AgentSandbox *s, const char *id)
{
  AgentCall *call = agent_call_unpark (&s->oom_waits);

  agent_warning ("container %s: out of memory", id);
  if (call != NULL)
    {
      reply_event (call, id);
      return;
    }
  if (s->n_oom_pending == MAX_PENDING)
    {
      free (s->oom_pending[0]);
      memmove (s->oom_pending, s->oom_pending + 1, --s->n_oom_pending * sizeof s->oom_pending[0]);
    }
  s->oom_pending[s->n_oom_pending++] = agent_strdup (id);
}

void
agent_oom_check (AgentSandbox *s, AgentContainer *c)
{
  uint64_t kills = agent_cgroup_read_key (c->cgroup, "memory.events", "oom_kill");

  if (kills > c->oom_kills)
    tell (s, c->id);
  if (kills > 0)
    c->oom_kills = kills;
}

static void
events_changed (uint32_t events, void *data)
{
  AgentSandbox *s = data;
  char buf[4096] __attribute__ ((aligned (__alignof__(struct inotify_event))));
  ssize_t n;

  while ((n = read (s->inotify, buf, sizeof buf)) > 0)
    for (char *p = buf; p < buf + n; p += sizeof (struct inotify_event) + ((struct inotify_event *) p)->len)
      agent_list_foreach (it, &s->containers)
      {
        AgentContainer *c = agent_container_of (it, AgentContainer, link);

        if (c->oom_watch == ((struct inotify_event *) p)->wd && c->cgroup != NULL)
          agent_oom_check (s, c);
      }
}

int
agent_oom_init (AgentSandbox *s)
{
  agent_list_init (&s->oom_waits);
  s->inotify = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
  if (s->inotify < 0)
    return -errno;
  s->inotify_watch = agent_watch_new (s->agent->loop, s->inotify, EPOLLIN, events_changed, s);
  return 0;
}

void
agent_oom_clear (AgentSandbox *s)
{
  agent_watch_free (s->inotify_watch);
  agent_close (&s->inotify);
  while (s->n_oom_pending > 0)
    free (s->oom_pending[--s->n_oom_pending]);
}

void
agent_oom_watch (AgentSandbox *s, AgentContainer *c)
{
  char *path = agent_printf ("%s/memory.events", c->cgroup);

  c->oom_watch = inotify_add_watch (s->inotify, path, IN_MODIFY);
  if (c->oom_watch < 0)
    agent_debug ("container %s: cannot watch %s: %m", c->id, path);
  free (path);
}

void
agent_oom_unwatch (AgentSandbox *s, AgentContainer *c)
{
  if (c->oom_watch >= 0)
    inotify_rm_watch (s->inotify, c->oom_watch);
  c->oom_watch = -1;
}

void
agent_handle_get_oom_event (Agent *agent, AgentCall *call)
{
  AgentSandbox *s = agent->sandbox;
  char *id;

  if (s->n_oom_pending == 0)
    {
      agent_call_park (call, &s->oom_waits);
      return;
    }
  id = s->oom_pending[0];
  memmove (s->oom_pending, s->oom_pending + 1, --s->n_oom_pending * sizeof s->oom_pending[0]);
  reply_event (call, id);
  free (id);
}
