/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-net-file.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-error.h"

#define EVENTS (IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
/* with them the directory has gone, and what was in it */
#define DIRECTORY_EVENTS (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)

struct _VpNetFile
{
  char *path;
  char *name; /* in its directory, */
  int watch;  /* which others may be in as well */
  gboolean told;
  VpNetFileFunc gone;
  gpointer user_data;
};

/* Closing such a descriptor takes the kernel tens of milliseconds, so it stays. */
static int inotify = -1;
static GPtrArray *files; /* NULL: there was none yet */

static gboolean
is_gone (const VpNetFile *self)
{
  struct stat st;

  return lstat (self->path, &st) < 0 && errno == ENOENT;
}

static gboolean
concerns (const VpNetFile *self, const struct inotify_event *event)
{
  if (event->mask & IN_Q_OVERFLOW)
    return is_gone (self);
  if (event->wd != self->watch)
    return FALSE;
  return (event->mask & DIRECTORY_EVENTS) != 0
         || (event->len > 0 && (event->mask & (IN_DELETE | IN_MOVED_FROM)) && g_str_equal (event->name, self->name));
}

/* One by one, from the start each time: who is told may free any of them. */
static VpNetFile *
find_concerned (const struct inotify_event *event)
{
  for (guint i = 0; i < files->len; i++)
    {
      VpNetFile *file = files->pdata[i];

      if (!file->told && concerns (file, event))
        return file;
    }
  return NULL;
}

static gboolean
on_events (int fd, GIOCondition condition, gpointer user_data)
{
  char buffer[4096] __attribute__ ((aligned (__alignof__ (struct inotify_event))));
  gssize n = read (fd, buffer, sizeof buffer);
  gssize at = 0;

  while (at < n)
    {
      const struct inotify_event *event = (const struct inotify_event *)(const void *)(buffer + at);
      VpNetFile *file;

      while ((file = find_concerned (event)) != NULL)
        {
          file->told = TRUE;
          file->gone (file->user_data);
        }
      at += (gssize)(sizeof *event + event->len);
    }
  return G_SOURCE_CONTINUE;
}

static gboolean
begin_inotify (GError **error)
{
  if (files != NULL)
    return TRUE;
  inotify = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
  if (inotify < 0)
    return vp_error_set_errno (error, errno, "inotify");
  files = g_ptr_array_new ();
  g_unix_fd_add (inotify, G_IO_IN, on_events, NULL);
  return TRUE;
}

void
vp_net_file_start (void)
{
  (void)begin_inotify (NULL);
}

VpNetFile *
vp_net_file_watch (const char *path, VpNetFileFunc gone, gpointer user_data, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  VpNetFile *self;
  int watch;

  if (!begin_inotify (error))
    return NULL;
  watch = inotify_add_watch (inotify, directory, EVENTS);
  if (watch < 0)
    {
      g_autofree char *shown = vp_error_shown (directory);

      vp_error_set_errno (error, errno, "watch \"%s\"", shown);
      return NULL;
    }
  self = g_new0 (VpNetFile, 1);
  self->path = g_strdup (path);
  self->name = g_path_get_basename (path);
  self->watch = watch;
  self->gone = gone;
  self->user_data = user_data;
  g_ptr_array_add (files, self);
  return self;
}

static gboolean
is_shared (int watch)
{
  for (guint i = 0; i < files->len; i++)
    if (((const VpNetFile *)files->pdata[i])->watch == watch)
      return TRUE;
  return FALSE;
}

void
vp_net_file_free (VpNetFile *self)
{
  if (self == NULL)
    return;
  g_ptr_array_remove (files, self);
  if (!is_shared (self->watch))
    (void)inotify_rm_watch (inotify, self->watch);
  g_free (self->path);
  g_free (self->name);
  g_free (self);
}
