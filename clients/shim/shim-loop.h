/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <sys/epoll.h>

/* The one loop of the shim: everything happens in it, nothing waits. */
typedef struct ShimWatch ShimWatch;
typedef struct ShimTimer ShimTimer;
typedef void (*ShimWatchFunc) (uint32_t events, void *data);
typedef void (*ShimTimerFunc) (void *data);

int shim_loop_init (void); /* 0 or -errno */
void shim_loop_run (void); /* until shim_loop_quit() */
void shim_loop_quit (void);

/* The file descriptor stays the caller's, who ends the watch before closing it.
 * @events: of EPOLLIN and EPOLLOUT; errors and hang-ups come in any case. */
ShimWatch *shim_watch_new (int fd, uint32_t events, ShimWatchFunc func, void *data);
void shim_watch_set (ShimWatch *self, uint32_t events);
void shim_watch_end (ShimWatch *self); /* NULL is nothing */

/* Fires once, and is gone then. */
ShimTimer *shim_timer_new (unsigned msec, ShimTimerFunc func, void *data);
void shim_timer_end (ShimTimer *self); /* one that has not fired; NULL is nothing */
