/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-failpoint.h"
#include "vp-fd.h"
#include "vp-id.h"
#include "vp-names.h"

#define RECORD_MAX_BYTES VP_JSON_MAX_BYTES
#define LOCK_NAME "lock"

struct _VpStore
{
  GObject parent;
  char *state_dir;
  int state_fd;
  int sandboxes_fd;
  int lock_fd;
};

G_DEFINE_FINAL_TYPE (VpStore, vp_store, G_TYPE_OBJECT)

static void
vp_store_finalize (GObject *object)
{
  VpStore *self = VP_STORE (object);

  vp_fd_clear (&self->sandboxes_fd);
  vp_fd_clear (&self->state_fd);
  vp_fd_clear (&self->lock_fd);
  g_free (self->state_dir);
  G_OBJECT_CLASS (vp_store_parent_class)->finalize (object);
}

static void
vp_store_class_init (VpStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = vp_store_finalize;
}

static void
vp_store_init (VpStore *self)
{
  self->state_fd = -1;
  self->sandboxes_fd = -1;
  self->lock_fd = -1;
}

/* A directory another user owns or can write to would let him plant sockets and records. */
static gboolean
check_directory (int fd, const char *path, GError **error)
{
  struct stat st;

  if (fstat (fd, &st) < 0)
    return vp_error_set_errno (error, errno, "state directory \"%s\"", path);
  if (st.st_uid != geteuid () || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_NOT_AUTHORIZED,
                   "state directory \"%s\": must belong to uid %u and be writable by nobody else", path, geteuid ());
      return FALSE;
    }
  return TRUE;
}

static gboolean
take_lock (VpStore *self, int dirfd, GError **error)
{
  self->lock_fd = openat (dirfd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (self->lock_fd < 0)
    return vp_error_set_errno (error, errno, "state directory \"%s\": lock", self->state_dir);
  if (flock (self->lock_fd, LOCK_EX | LOCK_NB) == 0)
    return TRUE;
  if (errno != EWOULDBLOCK)
    return vp_error_set_errno (error, errno, "state directory \"%s\": lock", self->state_dir);
  g_set_error (error, VP_ERROR, VP_ERROR_BUSY, "state directory \"%s\": another daemon is using it", self->state_dir);
  return FALSE;
}

/* The longest path a Unix socket below the directory gets must fit sun_path. */
static gboolean
check_length (const char *state_dir, GError **error)
{
  const gsize max = 107 - strlen ("/" VP_DIR_SANDBOXES "/") - VP_DOMAIN_NAME_MAX - strlen ("/" VP_FILE_CONSOLE_SOCKET);

  if (strlen (state_dir) <= max)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
               "state directory \"%s\": longer than %zu bytes, too long for the sockets below it", state_dir, max);
  return FALSE;
}

VpStore *
vp_store_open (const char *state_dir, GError **error)
{
  g_autoptr (VpStore) self = g_object_new (VP_TYPE_STORE, NULL);
  VP_AUTO_FD dirfd = -1;

  self->state_dir = g_strdup (state_dir);
  if (!check_length (state_dir, error))
    return NULL;
  if (g_mkdir_with_parents (state_dir, 0711) < 0)
    {
      vp_error_set_errno (error, errno, "state directory \"%s\"", state_dir);
      return NULL;
    }
  dirfd = vp_fd_open (state_dir, O_RDONLY | O_DIRECTORY, "state directory", error);
  if (dirfd < 0 || !check_directory (dirfd, state_dir, error) || !take_lock (self, dirfd, error))
    return NULL;
  if (mkdirat (dirfd, VP_DIR_SANDBOXES, 0711) < 0 && errno != EEXIST)
    {
      vp_error_set_errno (error, errno, "state directory \"%s\"", state_dir);
      return NULL;
    }
  self->sandboxes_fd = openat (dirfd, VP_DIR_SANDBOXES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (self->sandboxes_fd < 0)
    {
      vp_error_set_errno (error, errno, "state directory \"%s/%s\"", state_dir, VP_DIR_SANDBOXES);
      return NULL;
    }
  self->state_fd = vp_fd_steal (&dirfd);
  return g_steal_pointer (&self);
}

const char *
vp_store_get_state_dir (VpStore *self)
{
  return self->state_dir;
}

char *
vp_store_dup_directory (VpStore *self, const char *name)
{
  return g_build_filename (self->state_dir, VP_DIR_SANDBOXES, name, NULL);
}

static int
open_sandbox (VpStore *self, const char *name, GError **error)
{
  int fd = openat (self->sandboxes_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

  if (fd < 0)
    vp_error_set_errno (error, errno, "record of \"%s\"", name);
  return fd;
}

gboolean
vp_store_add (VpStore *self, const char *name, const char *record, gsize len, GError **error)
{
  if (!VP_FAILPOINT ("store.add.before", error))
    return FALSE;
  if (mkdirat (self->sandboxes_fd, name, 0711) < 0)
    return vp_error_set_errno (error, errno, "directory of \"%s\"", name);
  if (VP_FAILPOINT ("store.add.after", error) && vp_store_save (self, name, record, len, error))
    return TRUE;
  (void) vp_fd_remove_tree (self->sandboxes_fd, name, NULL);
  return FALSE;
}

gboolean
vp_store_save (VpStore *self, const char *name, const char *record, gsize len, GError **error)
{
  VP_AUTO_FD fd = open_sandbox (self, name, error);

  return fd >= 0 && VP_FAILPOINT ("store.save.before", error)
         && vp_fd_replace_file (fd, VP_FILE_RECORD, record, len, error) && VP_FAILPOINT ("store.save.after", error);
}

/* Takes @dirfd, which may be -1 with @error set. */
static char *
load_file (int dirfd, const char *file, const char *what, gsize *ret_len, GError **error)
{
  VP_AUTO_FD owned = dirfd;
  VP_AUTO_FD fd = -1;

  if (owned < 0)
    return NULL;
  fd = openat (owned, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    {
      vp_error_set_errno (error, errno, "%s", what);
      return NULL;
    }
  return vp_fd_read_all (fd, RECORD_MAX_BYTES, what, ret_len, error);
}

char *
vp_store_load (VpStore *self, const char *name, gsize *ret_len, GError **error)
{
  g_autofree char *what = g_strdup_printf ("record of \"%s\"", name);

  return load_file (open_sandbox (self, name, error), VP_FILE_RECORD, what, ret_len, error);
}

/* ---- specs ---- */

static int
open_specs (VpStore *self, const char *name, gboolean make, GError **error)
{
  VP_AUTO_FD sandbox = open_sandbox (self, name, error);
  int fd;

  if (sandbox < 0)
    return -1;
  if (make && mkdirat (sandbox, VP_DIR_SPECS, 0700) < 0 && errno != EEXIST)
    {
      vp_error_set_errno (error, errno, "specs of \"%s\"", name);
      return -1;
    }
  fd = openat (sandbox, VP_DIR_SPECS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    vp_error_set_errno (error, errno, "specs of \"%s\"", name);
  return fd;
}

gboolean
vp_store_save_spec (VpStore *self, const char *name, const char *container, const char *text, gsize len,
                    GError **error)
{
  VP_AUTO_FD fd = open_specs (self, name, TRUE, error);

  return fd >= 0 && VP_FAILPOINT ("store.spec.before", error)
         && vp_fd_replace_file (fd, container, text, len, error) && VP_FAILPOINT ("store.spec.after", error);
}

char *
vp_store_load_spec (VpStore *self, const char *name, const char *container, gsize *ret_len, GError **error)
{
  g_autofree char *what = g_strdup_printf ("spec of container \"%s\"", container);

  return load_file (open_specs (self, name, FALSE, error), container, what, ret_len, error);
}

void
vp_store_remove_spec (VpStore *self, const char *name, const char *container)
{
  VP_AUTO_FD fd = open_specs (self, name, FALSE, NULL);

  VP_FAILPOINT_ONLY ("store.remove-spec.before");
  if (fd >= 0)
    (void) unlinkat (fd, container, 0);
  VP_FAILPOINT_ONLY ("store.remove-spec.after");
}

/* ---- ends of a record ---- */

char *
vp_store_quarantine (VpStore *self, const char *name, GError **error)
{
  g_autofree char *target
      = g_strdup_printf ("%s.%" G_GINT64_FORMAT ".json", name, g_get_real_time () / G_TIME_SPAN_MILLISECOND);
  VP_AUTO_FD sandbox = open_sandbox (self, name, error);
  VP_AUTO_FD place = -1;

  if (sandbox < 0)
    return NULL;
  if (faccessat (sandbox, VP_FILE_RECORD, F_OK, AT_SYMLINK_NOFOLLOW) == 0
      && mkdirat (self->state_fd, VP_DIR_QUARANTINE, 0700) < 0 && errno != EEXIST)
    {
      vp_error_set_errno (error, errno, "%s/%s", self->state_dir, VP_DIR_QUARANTINE);
      return NULL;
    }
  place = openat (self->state_fd, VP_DIR_QUARANTINE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (place < 0 || !VP_FAILPOINT ("store.quarantine.before", NULL) || renameat (sandbox, VP_FILE_RECORD, place, target) < 0)
    {
      vp_error_set_errno (error, errno, "record of \"%s\"", name);
      return NULL;
    }
  VP_FAILPOINT_ONLY ("store.quarantine.after");
  return g_build_filename (self->state_dir, VP_DIR_QUARANTINE, target, NULL);
}

gboolean
vp_store_remove (VpStore *self, const char *name, GError **error)
{
  VP_AUTO_FD fd = openat (self->sandboxes_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

  if (!VP_FAILPOINT ("store.remove.before", error))
    return FALSE;
  if (fd >= 0)
    (void) unlinkat (fd, VP_FILE_RECORD, 0);
  VP_FAILPOINT_ONLY ("store.remove.between");
  if (!vp_fd_remove_tree (self->sandboxes_fd, name, error))
    return FALSE;
  VP_FAILPOINT_ONLY ("store.remove.after");
  return TRUE;
}

GStrv
vp_store_list (VpStore *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->state_dir, VP_DIR_SANDBOXES, NULL);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_autoptr (GDir) dir = g_dir_open (path, 0, error);
  const char *name;

  if (dir == NULL)
    return NULL;
  while ((name = g_dir_read_name (dir)) != NULL)
    if (vp_id_check (name, "name", NULL))
      g_strv_builder_add (names, name);
  return g_strv_builder_end (names);
}
