/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-progress.h"

#include <unistd.h>

#define DELAY_MS 1000

struct _VpProgress
{
  char *text;
  guint timer;
  gboolean shown;
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
