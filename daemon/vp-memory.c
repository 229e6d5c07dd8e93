/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-memory.h"

#include <malloc.h>

#include <glib.h>

static guint timer;

/* One heap for all threads: each of glibc's others grows to the largest job that ever ran on
 * one of its threads. Nearly all allocation is the main thread's, so nobody waits for the lock. */
void
vp_memory_init (void)
{
#ifdef __GLIBC__
  (void) mallopt (M_ARENA_MAX, 1);
#endif
}

static gboolean
on_settled (gpointer user_data)
{
  timer = 0;
#ifdef __GLIBC__
  (void) malloc_trim (0);
#endif
  return G_SOURCE_REMOVE;
}

void
vp_memory_settle (void)
{
  if (timer == 0)
    timer = g_timeout_add_seconds_full (G_PRIORITY_LOW, VP_MEMORY_SETTLE_SECONDS, on_settled, NULL, NULL);
}

void
vp_memory_stop (void)
{
  g_clear_handle_id (&timer, g_source_remove);
}
