/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-net-ns.h"

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
#include "vp-host-mount.h"

static void
is_no_namespace (const char *path, GError **error)
{
  g_autofree char *shown = vp_error_shown (path);

  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
               "network namespace \"%s\": is not a network namespace", shown);
}

int
vp_net_ns_open (const char *path, VpNetNsId *ret_id, GError **error)
{
  VP_AUTO_FD place = open (path, O_PATH | O_CLOEXEC);
  VP_AUTO_FD fd = -1;
  g_autofree char *link = NULL;
  struct statfs fs;
  struct stat st;

  if (place < 0 || fstatfs (place, &fs) < 0)
    {
      g_autofree char *shown = vp_error_shown (path);

      vp_error_set_errno (error, errno, "network namespace \"%s\"", shown);
      return -1;
    }
  if (fs.f_type != NSFS_MAGIC)
    {
      is_no_namespace (path, error);
      return -1;
    }
  /* by the descriptor that was looked at, whatever the path names by now */
  link = g_strdup_printf ("/proc/self/fd/%d", place);
  fd = open (link, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat (fd, &st) < 0)
    {
      vp_error_set_errno (error, errno, "network namespace \"%s\"", path);
      return -1;
    }
  if (ioctl (fd, NS_GET_NSTYPE) != CLONE_NEWNET)
    {
      is_no_namespace (path, error);
      return -1;
    }
  *ret_id = (VpNetNsId){ st.st_dev, st.st_ino };
  return vp_fd_steal (&fd);
}

gboolean
vp_net_ns_is_host (const VpNetNsId *id)
{
  static const char *const paths[] = { "/proc/self/ns/net", "/proc/1/ns/net" };
  struct stat st;

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    if (stat (paths[i], &st) == 0 && st.st_dev == id->dev && st.st_ino == id->ino)
      return TRUE;
  return FALSE;
}

/* ---- threads ---- */

typedef struct
{
  int fd; /* to enter; -1: a new one */
  VpNetNsFunc func;
  gpointer data;
  GError *error;
} Visit;

static gpointer
visit_namespace (gpointer data)
{
  Visit *visit = data;

  if (visit->fd >= 0 ? setns (visit->fd, CLONE_NEWNET) < 0 : unshare (CLONE_NEWNET) < 0)
    vp_error_set_errno (&visit->error, errno,
                        visit->fd >= 0 ? "enter network namespace" : "make network namespace");
  else
    (void)visit->func (visit->data, &visit->error);
  return NULL;
}

gboolean
vp_net_ns_run (int fd, VpNetNsFunc func, gpointer data, GError **error)
{
  Visit job = { fd, func, data, NULL };
  GThread *thread = g_thread_try_new ("netns", visit_namespace, &job, error);

  if (thread == NULL)
    {
      if (error != NULL)
        *error = vp_error_adopt (*error, VP_ERROR_RESOURCE_EXHAUSTED);
      return FALSE;
    }
  (void)g_thread_join (thread);
  if (job.error == NULL)
    return TRUE;
  g_propagate_error (error, job.error);
  return FALSE;
}

static gboolean
pin_own (gpointer data, GError **error)
{
  VP_AUTO_FD fd = open ("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    return vp_error_set_errno (error, errno, "network namespace of a thread");
  return vp_host_mount_pin (fd, data, error);
}

gboolean
vp_net_ns_create (const char *path, GError **error)
{
  return vp_net_ns_run (-1, pin_own, (gpointer)path, error);
}

gboolean
vp_net_ns_remove (const char *path, GError **error)
{
  return vp_host_mount_unpin (path, error);
}
