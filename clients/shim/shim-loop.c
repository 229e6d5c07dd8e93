/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "shim-util.h"

#define EVENTS_AT_ONCE 16

struct ShimWatch
{
  int fd;
  uint32_t events;
  int ended;
  ShimWatchFunc func;
  void *data;
  ShimWatch *next_dead;
};

struct ShimTimer
{
  uint64_t due;
  ShimTimerFunc func;
  void *data;
  ShimTimer *next;
};

static int epoll_fd = -1;
static int quit;
static ShimTimer *timers; /* the soonest first */
static ShimWatch *dead;   /* to free when no event can name them any more */

int
shim_loop_init (void)
{
  epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  return epoll_fd < 0 ? -errno : 0;
}

void
shim_loop_quit (void)
{
  quit = 1;
}

static void
bury (void)
{
  while (dead != NULL)
    {
      ShimWatch *next = dead->next_dead;

      free (dead);
      dead = next;
    }
}

static int
time_to_wait (void)
{
  uint64_t now = shim_now ();

  if (timers == NULL)
    return -1;
  return timers->due <= now ? 0 : timers->due - now > INT_MAX ? INT_MAX : (int) (timers->due - now);
}

static void
fire_timers (void)
{
  uint64_t now = shim_now ();

  while (timers != NULL && timers->due <= now)
    {
      ShimTimer *timer = timers;
      ShimTimerFunc func = timer->func;
      void *data = timer->data;

      shim_timer_end (timer);
      func (data);
    }
}

void
shim_loop_run (void)
{
  struct epoll_event events[EVENTS_AT_ONCE];

  while (!quit)
    {
      int n = epoll_wait (epoll_fd, events, EVENTS_AT_ONCE, time_to_wait ());

      for (int i = 0; i < n; i++)
        {
          ShimWatch *watch = events[i].data.ptr;

          if (!watch->ended)
            watch->func (events[i].events, watch->data);
        }
      fire_timers ();
      bury ();
    }
  quit = 0;
}

ShimWatch *
shim_watch_new (int fd, uint32_t events, ShimWatchFunc func, void *data)
{
  ShimWatch *self = shim_alloc (sizeof *self);
  struct epoll_event event = { .events = events, .data.ptr = self };

  self->fd = fd;
  self->events = events;
  self->func = func;
  self->data = data;
  if (epoll_ctl (epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
    shim_log ("epoll: file descriptor %d: error %d", fd, errno);
  return self;
}

void
shim_watch_set (ShimWatch *self, uint32_t events)
{
  struct epoll_event event = { .events = events, .data.ptr = self };

  if (self->events == events)
    return;
  self->events = events;
  (void) epoll_ctl (epoll_fd, EPOLL_CTL_MOD, self->fd, &event);
}

void
shim_watch_end (ShimWatch *self)
{
  if (self == NULL)
    return;
  (void) epoll_ctl (epoll_fd, EPOLL_CTL_DEL, self->fd, NULL);
  self->ended = 1;
  self->next_dead = dead;
  dead = self;
}

ShimTimer *
shim_timer_new (unsigned msec, ShimTimerFunc func, void *data)
{
  ShimTimer *self = shim_alloc (sizeof *self);
  ShimTimer **place = &timers;

  self->due = shim_now () + msec;
  self->func = func;
  self->data = data;
  while (*place != NULL && (*place)->due <= self->due)
    place = &(*place)->next;
  self->next = *place;
  *place = self;
  return self;
}

void
shim_timer_end (ShimTimer *self)
{
  ShimTimer **place = &timers;

  if (self == NULL)
    return;
  while (*place != self)
    place = &(*place)->next;
  *place = self->next;
  free (self);
}
