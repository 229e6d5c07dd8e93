/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* A process on the host that stands for one in a guest (virtpod-proxy): engines take
 * its end for that of the other, so when it is killed the other has to go too. It is
 * nobody's child here. Main thread. */
typedef struct _VpStandinWatch VpStandinWatch;

/* It has ended. Called from the main loop, again and again with growing pauses until
 * the watch is freed: what cannot be done about it now is done later. */
typedef void (*VpStandinGoneFunc) (gpointer user_data);

/* @start: when it was started, as vp_standin_watch_get_start () said of it, so that another
 * process with its number is not taken for it; 0: now is the first time. Cannot fail:
 * one that does not exist has ended. */
VpStandinWatch *vp_standin_watch_new (pid_t pid, guint64 start, VpStandinGoneFunc gone, gpointer user_data);
void vp_standin_watch_free (VpStandinWatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpStandinWatch, vp_standin_watch_free)

pid_t vp_standin_watch_get_pid (VpStandinWatch *self);
guint64 vp_standin_watch_get_start (VpStandinWatch *self); /* clock ticks since the host booted, 0: it was gone already */
