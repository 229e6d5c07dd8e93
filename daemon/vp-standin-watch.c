/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-standin-watch.h"

#include <string.h>

#include "vp-pidwatch.h"

#define FIRST_PAUSE_MS 1000
#define LONGEST_PAUSE_MS 60000
#define STAT_START 22 /* the field, counted as in proc(5) */

struct _VpStandinWatch
{
  pid_t pid;
  guint64 start;
  VpPidwatch *watch; /* NULL: it has ended */
  guint timer;
  guint pause_ms;
  VpStandinGoneFunc gone;
  gpointer user_data;
};

/* 0: there is no such process. */
static guint64
read_start (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", (int) pid);
  g_autofree char *text = NULL;
  const char *rest;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  /* its name, the second field, may have anything in it */
  rest = strrchr (text, ')');
  for (guint field = 2; rest != NULL && field < STAT_START; field++)
    rest = strchr (rest + 1, ' ');
  return rest != NULL ? g_ascii_strtoull (rest + 1, NULL, 10) : 0;
}

static gboolean
on_time (gpointer user_data)
{
  VpStandinWatch *self = user_data;

  self->timer = g_timeout_add (self->pause_ms, on_time, self);
  self->pause_ms = MIN (self->pause_ms * 2, LONGEST_PAUSE_MS);
  self->gone (self->user_data); /* may free it */
  return G_SOURCE_REMOVE;
}

static void
on_exited (VpPidwatch *watch, gpointer user_data)
{
  VpStandinWatch *self = user_data;

  self->timer = g_idle_add (on_time, self);
}

VpStandinWatch *
vp_standin_watch_new (pid_t pid, guint64 start, VpStandinGoneFunc gone, gpointer user_data)
{
  VpStandinWatch *self = g_new0 (VpStandinWatch, 1);

  self->pid = pid;
  self->pause_ms = FIRST_PAUSE_MS;
  self->gone = gone;
  self->user_data = user_data;
  /* first held, then looked at: what is looked at is what is held */
  self->watch = vp_pidwatch_open (pid, NULL);
  self->start = self->watch != NULL ? read_start (pid) : 0;
  if (self->start == 0 || (start != 0 && start != self->start))
    {
      self->start = start;
      g_clear_object (&self->watch);
      self->timer = g_idle_add (on_time, self);
    }
  else
    g_signal_connect (self->watch, "exited", G_CALLBACK (on_exited), self);
  return self;
}

void
vp_standin_watch_free (VpStandinWatch *self)
{
  if (self == NULL)
    return;
  if (self->watch != NULL)
    g_signal_handlers_disconnect_by_data (self->watch, self);
  g_clear_object (&self->watch);
  g_clear_handle_id (&self->timer, g_source_remove);
  g_free (self);
}

pid_t
vp_standin_watch_get_pid (VpStandinWatch *self)
{
  return self->pid;
}

guint64
vp_standin_watch_get_start (VpStandinWatch *self)
{
  return self->start;
}
