/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-pidwatch.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-fd.h"

struct _VpPidwatch
{
  GObject parent_instance;
  pid_t pid;
  int pidfd;
  GSource *source;
  gboolean exited;
  gboolean status_known;
  int status;
};

G_DEFINE_FINAL_TYPE (VpPidwatch, vp_pidwatch, G_TYPE_OBJECT)

enum
{
  SIGNAL_EXITED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

static void
vp_pidwatch_init (VpPidwatch *self)
{
  self->pidfd = -1;
}

static void
vp_pidwatch_dispose (GObject *object)
{
  VpPidwatch *self = VP_PIDWATCH (object);

  if (self->source != NULL)
    {
      g_source_destroy (self->source);
      g_clear_pointer (&self->source, g_source_unref);
    }
  vp_fd_clear (&self->pidfd);
  G_OBJECT_CLASS (vp_pidwatch_parent_class)->dispose (object);
}

static void
vp_pidwatch_class_init (VpPidwatchClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = vp_pidwatch_dispose;
  signals[SIGNAL_EXITED]
      = g_signal_new ("exited", VP_TYPE_PIDWATCH, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

/* Takes the process out of the process table when it is ours to take. The
 * pidfd names exactly this process, so a wrong one cannot be hit; one that is
 * nobody's child of ours says ECHILD. */
static void
reap (VpPidwatch *self)
{
  siginfo_t info = { 0 };
  int r;

  do
    r = waitid (P_PIDFD, (id_t) self->pidfd, &info, WEXITED | WNOHANG);
  while (r < 0 && errno == EINTR);
  if (r < 0 || info.si_pid == 0)
    return;
  self->status_known = TRUE;
  /* as wait(2) packs it */
  if (info.si_code == CLD_EXITED)
    self->status = W_EXITCODE (info.si_status, 0);
  else
    self->status = info.si_status | (info.si_code == CLD_DUMPED ? WCOREFLAG : 0);
}

static gboolean
on_pidfd (gint fd, GIOCondition condition, gpointer data)
{
  g_autoptr (VpPidwatch) self = g_object_ref (data);

  reap (self);
  self->exited = TRUE;
  g_clear_pointer (&self->source, g_source_unref);
  g_signal_emit (self, signals[SIGNAL_EXITED], 0);
  return G_SOURCE_REMOVE;
}

VpPidwatch *
vp_pidwatch_open (pid_t pid, GError **error)
{
  VP_AUTO_FD fd = -1;
  VpPidwatch *self;

  if (pid <= 0)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "process %d: is not a process id", (int) pid);
      return NULL;
    }
  fd = (int) syscall (SYS_pidfd_open, pid, 0); /* close-on-exec by itself */
  if (fd < 0)
    {
      vp_error_set_errno (error, errno, "process %d", (int) pid);
      return NULL;
    }

  self = g_object_new (VP_TYPE_PIDWATCH, NULL);
  self->pid = pid;
  self->pidfd = vp_fd_steal (&fd);
  self->source = g_unix_fd_source_new (self->pidfd, G_IO_IN);
  g_source_set_priority (self->source, G_PRIORITY_HIGH);
  g_source_set_callback (self->source, G_SOURCE_FUNC (on_pidfd), self, NULL);
  g_source_attach (self->source, g_main_context_get_thread_default ());
  return self;
}

pid_t
vp_pidwatch_get_pid (VpPidwatch *self)
{
  return self->pid;
}

gboolean
vp_pidwatch_has_exited (VpPidwatch *self)
{
  return self->exited;
}

gboolean
vp_pidwatch_get_status (VpPidwatch *self, int *ret_status)
{
  if (!self->status_known)
    return FALSE;
  *ret_status = self->status;
  return TRUE;
}

gboolean
vp_pidwatch_kill (VpPidwatch *self, int signum, GError **error)
{
  if (syscall (SYS_pidfd_send_signal, self->pidfd, signum, NULL, 0) == 0)
    return TRUE;
  return vp_error_set_errno (error, errno, "process %d", (int) self->pid);
}
