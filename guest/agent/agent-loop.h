/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <sys/epoll.h>

/* One thread, one epoll, file descriptors and timers. Callbacks may free any watch
 * or timer, also their own. */
typedef struct AgentLoop AgentLoop;
typedef struct AgentWatch AgentWatch;
typedef struct AgentTimer AgentTimer;

typedef void (*AgentWatchFunc) (uint32_t events, void *data);
typedef void (*AgentTimerFunc) (void *data);

/* NULL with errno */
AgentLoop *agent_loop_new (void);
void agent_loop_free (AgentLoop *loop);
/* until agent_loop_quit() */
void agent_loop_run (AgentLoop *loop);
void agent_loop_quit (AgentLoop *loop);

/* @fd stays the caller's and must be open until the watch is freed. @events 0:
 * nothing is reported for now, not even a hang-up. */
AgentWatch *agent_watch_new (AgentLoop *loop, int fd, uint32_t events, AgentWatchFunc func, void *data);
void agent_watch_set (AgentWatch *w, uint32_t events);
void agent_watch_free (AgentWatch *w); /* NULL is fine */

/* Calls @func once, @msec milliseconds from now, and is free then. */
AgentTimer *agent_timer_new (AgentLoop *loop, uint64_t msec, AgentTimerFunc func, void *data);
void agent_timer_free (AgentTimer *t); /* NULL is fine; not after it fired */

/* monotonic milliseconds */
uint64_t agent_now (void);
