/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-tar-write.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-fd.h"

#define CHUNK 65536
#define MAX_DEPTH 200 /* each level keeps a directory open */

typedef struct archive VpArchive;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpArchive, archive_write_free)
typedef struct archive_entry VpArchiveEntry;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpArchiveEntry, archive_entry_free)

typedef struct
{
  const VpTarWrite *how;
  struct archive *archive;
  int out;
  int out_errno; /* of the write that failed */
  guint64 bytes;
  guint64 skipped;
} Creation;

/* closedir() closes; what is opened for it must not be closed twice. */
static void
close_directory (DIR **dir)
{
  if (*dir != NULL)
    (void) closedir (*dir);
}

static la_ssize_t
on_write (struct archive *archive, void *user_data, const void *data, size_t len)
{
  Creation *self = user_data;
  ssize_t n;

  do
    {
      n = write (self->out, data, len);
      if (n < 0 && errno == EAGAIN)
        {
          GPollFD wait = { .fd = self->out, .events = G_IO_OUT };

          (void) g_poll (&wait, 1, -1);
          errno = EINTR;
        }
    }
  while (n < 0 && errno == EINTR);
  if (n < 0)
    {
      self->out_errno = errno;
      archive_set_error (archive, errno, "write");
      return -1;
    }
  self->bytes += (guint64) n;
  if (self->how->progress != NULL)
    self->how->progress (self->bytes, self->how->user_data);
  return n;
}

static gboolean
set_archive_error (Creation *self, const char *name, GError **error)
{
  const char *message = archive_error_string (self->archive);
  g_autofree char *shown = vp_error_shown (name);

  if (self->out_errno == EPIPE)
    g_set_error (error, VP_ERROR, VP_ERROR_CANCELLED, "%s", _("nobody reads the stream any more"));
  else
    g_set_error (error, VP_ERROR, VP_ERROR_FAILED, "\"%s\": %s", shown, message != NULL ? message : "unknown");
  return FALSE;
}

static gboolean
set_file_error (int errsv, const char *name, GError **error)
{
  g_autofree char *shown = vp_error_shown (name);

  return vp_error_set_errno (error, errsv, "\"%s\"", shown);
}

/* ---- members ------------------------------------------------------------------- */

static gboolean
write_header (Creation *self, const char *name, const struct stat *st, const char *link, GError **error)
{
  g_autoptr (VpArchiveEntry) entry = archive_entry_new ();

  archive_entry_copy_stat (entry, st);
  archive_entry_copy_pathname (entry, name);
  if (link != NULL)
    archive_entry_copy_symlink (entry, link);
  if (!S_ISREG (st->st_mode))
    archive_entry_set_size (entry, 0);
  if (!self->how->keep_owner)
    {
      archive_entry_set_uid (entry, 0);
      archive_entry_set_gid (entry, 0);
    }
  /* what nobody asked for, and what makes every header a pax one */
  archive_entry_unset_atime (entry);
  archive_entry_unset_ctime (entry);
  archive_entry_unset_birthtime (entry);
  return archive_write_header (self->archive, entry) == ARCHIVE_OK || set_archive_error (self, name, error);
}

/* As many bytes as the header says, whatever becomes of the file. */
static gboolean
write_content (Creation *self, int fd, const char *name, guint64 size, GError **error)
{
  guint8 data[CHUNK];

  while (size > 0)
    {
      gsize wanted = (gsize) MIN (size, sizeof data);
      ssize_t n = read (fd, data, wanted);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return set_file_error (errno, name, error);
      if (n == 0)
        {
          memset (data, 0, wanted);
          n = (ssize_t) wanted;
        }
      if (archive_write_data (self->archive, data, (gsize) n) != n)
        return set_archive_error (self, name, error);
      size -= (guint64) n;
    }
  return TRUE;
}

static gboolean
write_link (Creation *self, int dirfd, const char *file, const char *name, const struct stat *st, GError **error)
{
  char target[PATH_MAX];
  ssize_t n = readlinkat (dirfd, file, target, sizeof target - 1);

  if (n < 0)
    return set_file_error (errno, name, error);
  target[n] = '\0';
  return write_header (self, name, st, target, error);
}

static gboolean write_member (Creation *self, int dirfd, const char *file, const char *name, gboolean follow, int depth,
                              GError **error);

/* Takes @fd. @name NULL: the directory itself is no member. */
static gboolean
write_directory (Creation *self, int fd, const char *name, int depth, GError **error)
{
  __attribute__ ((cleanup (close_directory))) DIR *dir = fdopendir (fd);
  struct dirent *file;

  if (dir == NULL)
    {
      int errsv = errno;

      (void) close (fd);
      return set_file_error (errsv, name != NULL ? name : ".", error);
    }
  if (depth >= MAX_DEPTH)
    return set_file_error (ENAMETOOLONG, name, error);
  while (errno = 0, (file = readdir (dir)) != NULL)
    {
      g_autofree char *inner = name == NULL ? g_strdup (file->d_name) : g_strconcat (name, "/", file->d_name, NULL);

      if (g_str_equal (file->d_name, ".") || g_str_equal (file->d_name, ".."))
        continue;
      if (!write_member (self, dirfd (dir), file->d_name, inner, FALSE, depth + 1, error))
        return FALSE;
    }
  return errno == 0 || set_file_error (errno, name != NULL ? name : ".", error);
}

/* @file below @dirfd, called @name in the stream. */
static gboolean
write_member (Creation *self, int dirfd, const char *file, const char *name, gboolean follow, int depth, GError **error)
{
  const char *shown = name != NULL ? name : file;
  VP_AUTO_FD fd = -1;
  struct stat st;

  if (fstatat (dirfd, file, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
    /* a file that was removed while its directory was read was never there */
    return (errno == ENOENT && depth > 0) || set_file_error (errno, shown, error);
  if (S_ISLNK (st.st_mode))
    return name == NULL ? set_file_error (ENOTDIR, shown, error) : write_link (self, dirfd, file, name, &st, error);
  if (!S_ISREG (st.st_mode) && !S_ISDIR (st.st_mode))
    {
      self->skipped++;
      return TRUE;
    }
  fd = openat (dirfd, file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
  if (fd < 0 || fstat (fd, &st) < 0)
    return (errno == ENOENT && depth > 0) || set_file_error (errno, shown, error);
  if (S_ISREG (st.st_mode) && name != NULL)
    return write_header (self, name, &st, NULL, error)
           && write_content (self, fd, name, (guint64) st.st_size, error);
  if (!S_ISDIR (st.st_mode))
    return set_file_error (ENOTDIR, shown, error);
  return (name == NULL || write_header (self, name, &st, NULL, error))
         && write_directory (self, vp_fd_steal (&fd), name, depth, error);
}

gboolean
vp_tar_create (int fd, const char *source, const VpTarWrite *how, guint64 *ret_skipped, GError **error)
{
  g_autoptr (VpArchive) archive = archive_write_new ();
  Creation self = { .how = how, .archive = archive, .out = fd };

  /* names are bytes, whatever the locale makes of them; no needless buffering */
  if (archive_write_set_format_pax_restricted (archive) != ARCHIVE_OK
      || archive_write_set_options (archive, "hdrcharset=BINARY") != ARCHIVE_OK
      || archive_write_set_bytes_per_block (archive, CHUNK) != ARCHIVE_OK
      || archive_write_set_bytes_in_last_block (archive, 1) != ARCHIVE_OK
      || archive_write_open (archive, &self, NULL, on_write, NULL) != ARCHIVE_OK)
    return set_archive_error (&self, source, error);
  if (!write_member (&self, AT_FDCWD, source, how->as, how->follow, 0, error))
    {
      /* no end of archive: it must not look complete */
      (void) archive_write_fail (archive);
      return FALSE;
    }
  *ret_skipped = self.skipped;
  return archive_write_close (archive) == ARCHIVE_OK || set_archive_error (&self, source, error);
}
