/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-signals.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "vp-error.h"
#include "vp-fd.h"

struct _VpSignals
{
  int fd;
  guint source;
  VpSignalFunc func;
  gpointer user_data;
};

static const struct
{
  int signo;
  const char *name; /* as Container1.Kill takes it; NULL: not for the container */
  gboolean ends;
} table[] = {
  { SIGHUP, "HUP", TRUE },    { SIGINT, "INT", TRUE },    { SIGQUIT, "QUIT", TRUE },
  { SIGTERM, "TERM", TRUE },  { SIGUSR1, "USR1", FALSE }, { SIGUSR2, "USR2", FALSE },
  { SIGALRM, "ALRM", FALSE }, { SIGWINCH, NULL, FALSE },  { SIGCONT, NULL, FALSE },
};

static void
fill_set (sigset_t *set)
{
  sigemptyset (set);
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    sigaddset (set, table[i].signo);
}

void
vp_signals_block (void)
{
  sigset_t set;

  fill_set (&set);
  (void) sigprocmask (SIG_BLOCK, &set, NULL);
  /* a terminal or pipe that is gone is an error of write(), not the end */
  (void) signal (SIGPIPE, SIG_IGN);
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  VpSignals *self = user_data;
  struct signalfd_siginfo info;

  while (read (fd, &info, sizeof info) == (ssize_t) sizeof info)
    self->func ((int) info.ssi_signo, self->user_data);
  return G_SOURCE_CONTINUE;
}

VpSignals *
vp_signals_new (VpSignalFunc func, gpointer user_data, GError **error)
{
  VpSignals *self;
  sigset_t set;
  int fd;

  fill_set (&set);
  fd = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0)
    {
      vp_error_set_errno (error, errno, "signalfd");
      return NULL;
    }
  self = g_new0 (VpSignals, 1);
  self->fd = fd;
  self->func = func;
  self->user_data = user_data;
  self->source = g_unix_fd_add (fd, G_IO_IN, on_readable, self);
  return self;
}

void
vp_signals_free (VpSignals *self)
{
  if (self == NULL)
    return;
  g_source_remove (self->source);
  vp_fd_clear (&self->fd);
  g_free (self);
}

const char *
vp_signals_get_name (int signo)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (table[i].signo == signo)
      return table[i].name;
  return NULL;
}

gboolean
vp_signals_ends (int signo)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (table[i].signo == signo)
      return table[i].ends;
  return FALSE;
}
