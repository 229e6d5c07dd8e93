/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-progress.h"

#include <unistd.h>

#include "vp-output.h"

#define DELAY_MS 1000
#define COUNT_MS 200 /* between two counts */

struct _VpProgress
{
  char *text;
  guint timer;
  gboolean shown;
  gint64 began; /* counters only; 0: there is no terminal */
  gint64 next;
};

static gboolean
on_delay (gpointer user_data)
{
  VpProgress *self = user_data;

  self->timer = 0;
  self->shown = TRUE;
  g_printerr ("%s", self->text);
  return G_SOURCE_REMOVE;
}

VpProgress *
vp_progress_new (const char *text)
{
  VpProgress *self = g_new0 (VpProgress, 1);

  self->text = g_strdup (text);
  if (isatty (STDERR_FILENO))
    self->timer = g_timeout_add (DELAY_MS, on_delay, self);
  return self;
}

VpProgress *
vp_progress_new_counter (const char *text)
{
  VpProgress *self = g_new0 (VpProgress, 1);

  self->text = g_strdup (text);
  if (isatty (STDERR_FILENO))
    {
      self->began = g_get_monotonic_time ();
      self->next = self->began + DELAY_MS * 1000;
    }
  return self;
}

void
vp_progress_count (VpProgress *self, guint64 bytes)
{
  gint64 now = self->began == 0 ? 0 : g_get_monotonic_time ();
  g_autofree char *done = NULL;
  g_autofree char *speed = NULL;

  if (now == 0 || now < self->next)
    return;
  self->next = now + COUNT_MS * 1000;
  self->shown = TRUE;
  done = vp_output_bytes (bytes);
  speed = vp_output_bytes ((guint64) ((double) bytes * G_USEC_PER_SEC / (double) (now - self->began)));
  g_printerr ("\r\033[K%s %s, %s/s", self->text, done, speed);
}

void
vp_progress_free (VpProgress *self)
{
  if (self == NULL)
    return;
  if (self->timer != 0)
    g_source_remove (self->timer);
  if (self->shown)
    g_printerr ("\r\033[K");
  g_free (self->text);
  g_free (self);
}
