/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-mount-ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "vp-error.h"
#include "vp-fd.h"

struct _VpMountNs
{
  gatomicrefcount ref_count;
  int fd;
};

VpMountNs *
vp_mount_ns_ref (VpMountNs *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
vp_mount_ns_unref (VpMountNs *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  vp_fd_clear (&self->fd);
  g_free (self);
}

/* ---- which one it is ---- */

static gboolean
is_same (int fd, const char *path)
{
  struct stat a, b;

  return fstat (fd, &a) == 0 && stat (path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static gboolean
check_kind (int fd, const char *what, GError **error)
{
  struct statfs fs;

  /* what is no namespace is not asked: the number of the call may mean something to a device */
  if (fstatfs (fd, &fs) == 0 && fs.f_type == NSFS_MAGIC && ioctl (fd, NS_GET_NSTYPE) == CLONE_NEWNS)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: is not a mount namespace", what);
  return FALSE;
}

static gboolean
check_owner (int fd, const char *what, GError **error)
{
  VP_AUTO_FD owner = ioctl (fd, NS_GET_USERNS);

  if (owner >= 0 && is_same (owner, "/proc/self/ns/user"))
    return TRUE;
  /* EPERM: it is none of ours nor below it */
  if (owner < 0 && errno != EPERM)
    return vp_error_set_errno (error, errno, "%s: ask for its user namespace", what);
  g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED, "%s: belongs to another user namespace", what);
  return FALSE;
}

gboolean
vp_mount_ns_open (int fd, const char *what, VpMountNs **ret_ns, GError **error)
{
  VpMountNs *self;
  int own;

  if (!check_kind (fd, what, error))
    return FALSE;
  if (is_same (fd, "/proc/self/ns/mnt"))
    {
      *ret_ns = NULL;
      return TRUE;
    }
  if (!check_owner (fd, what, error))
    return FALSE;
  own = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  if (own < 0)
    return vp_error_set_errno (error, errno, "%s: duplicate it", what);
  self = g_new (VpMountNs, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->fd = own;
  *ret_ns = self;
  return TRUE;
}

/* ---- going there ---- */

typedef struct
{
  int fd;
  VpMountNsFunc func;
  gpointer data;
  GError *error;
} Visit;

static gpointer
visit_namespace (gpointer data)
{
  Visit *visit = data;

  /* its own root and working directory first: those of the process are all threads' */
  if (unshare (CLONE_FS) < 0 || setns (visit->fd, CLONE_NEWNS) < 0)
    vp_error_set_errno (&visit->error, errno, "enter mount namespace");
  else
    (void)visit->func (visit->data, &visit->error);
  return NULL;
}

gboolean
vp_mount_ns_run (VpMountNs *self, VpMountNsFunc func, gpointer data, GError **error)
{
  Visit visit = { -1, func, data, NULL };
  GThread *thread;

  if (self == NULL)
    return func (data, error);
  visit.fd = self->fd;
  thread = g_thread_try_new ("mountns", visit_namespace, &visit, error);
  if (thread == NULL)
    {
      if (error != NULL)
        *error = vp_error_adopt (*error, VP_ERROR_RESOURCE_EXHAUSTED);
      return FALSE;
    }
  (void)g_thread_join (thread);
  if (visit.error == NULL)
    return TRUE;
  g_propagate_error (error, visit.error);
  return FALSE;
}
