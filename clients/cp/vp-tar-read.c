/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-tar-read.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-fd.h"
#include "vp-tar-end.h"

#define CHUNK 65536
#define MAX_DEFERRED 65536

typedef struct archive VpArchive;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpArchive, archive_read_free)

/* ---- the stream ---------------------------------------------------------------- */

typedef struct
{
  int fd;
  VpTarEnd *end;
  guint64 bytes;
  VpTarProgress progress;
  gpointer user_data;
  guint8 data[CHUNK];
} Source;

/* Bytes read, 0 at the end of the stream, -1 and errno. */
static ssize_t
source_read (Source *self)
{
  ssize_t n;

  do
    {
      n = read (self->fd, self->data, sizeof self->data);
      if (n < 0 && errno == EAGAIN)
        {
          GPollFD wait = { .fd = self->fd, .events = G_IO_IN };

          (void) g_poll (&wait, 1, -1);
          errno = EINTR;
        }
    }
  while (n < 0 && errno == EINTR);
  if (n <= 0)
    return n;
  self->bytes += (guint64) n;
  (void) vp_tar_end_feed (self->end, self->data, (gsize) n);
  if (self->progress != NULL)
    self->progress (self->bytes, self->user_data);
  return n;
}

static la_ssize_t
on_read (struct archive *archive, void *user_data, const void **ret_data)
{
  Source *self = user_data;
  ssize_t n = source_read (self);

  *ret_data = self->data;
  if (n < 0)
    archive_set_error (archive, errno, "read");
  return n;
}

static Source *
source_new (int fd)
{
  Source *self = g_new0 (Source, 1);

  self->fd = fd;
  self->end = vp_tar_end_new ();
  return self;
}

static void
source_free (Source *self)
{
  vp_tar_end_free (self->end);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Source, source_free)

static gboolean
set_archive_error (struct archive *archive, GError **error)
{
  const char *message = archive_error_string (archive);
  g_autofree char *shown = vp_error_shown (message != NULL ? message : "unknown");

  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, _("the stream is no tar archive: %s"), shown);
  return FALSE;
}

static gboolean
check_end (Source *source, GError **error)
{
  while (source_read (source) > 0) /* what tar pads with */
    ;
  if (vp_tar_end_get_state (source->end) == VP_TAR_ENDED)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_AGENT_FAILED, "%s",
               _("the stream ended before the archive did: the container, its guest or virtpodd stopped on the way"));
  return FALSE;
}

/* What the reader of archives complains of; a stream that was cut is cut, whatever
 * it makes of that. */
static gboolean
explain (Source *source, struct archive *archive, GError **error)
{
  if (vp_tar_end_get_state (source->end) == VP_TAR_MORE && source_read (source) == 0)
    return check_end (source, error);
  return set_archive_error (archive, error);
}

static struct archive *
open_archive (Source *source, GError **error)
{
  g_autoptr (VpArchive) archive = archive_read_new ();

  if (archive_read_support_format_tar (archive) != ARCHIVE_OK
      || archive_read_open (archive, source, NULL, on_read, NULL) != ARCHIVE_OK)
    {
      explain (source, archive, error);
      return NULL;
    }
  return g_steal_pointer (&archive);
}

/* ---- names --------------------------------------------------------------------- */

typedef struct
{
  const VpTarRead *how;
  Source *source;
  struct archive *archive;
  int dirfd;
  GHashTable *made;    /* "DEVICE:INODE" of files */
  GPtrArray *deferred; /* Deferred: directories we could not write in otherwise */
  guint64 skipped;
} Extraction;

typedef struct
{
  char **elements;
  mode_t mode;
} Deferred;

static void
deferred_free (gpointer data)
{
  Deferred *self = data;

  g_strfreev (self->elements);
  g_free (self);
}

static gboolean
refuse (GError **error, const char *name, const char *why)
{
  g_autofree char *shown = vp_error_shown (name);

  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "\"%s\": %s", shown, why);
  return FALSE;
}

/* The elements of @name on the host; none: the directory itself. */
static char **
split_name (Extraction *self, const char *name, GError **error)
{
  g_autoptr (GPtrArray) elements = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) words = NULL;
  gboolean at_top = self->how->top != NULL;

  if (name == NULL || *name == '\0')
    return refuse (error, "", _("a member without a name")), NULL;
  if (*name == '/')
    return refuse (error, name, _("a member with an absolute name")), NULL;
  words = g_strsplit (name, "/", -1);
  for (char **word = words; *word != NULL; word++)
    {
      if (**word == '\0' || g_str_equal (*word, "."))
        continue;
      if (g_str_equal (*word, ".."))
        return refuse (error, name, _("a member that leads out")), NULL;
      if (at_top && !g_str_equal (*word, self->how->top))
        return refuse (error, name, _("a member that was not asked for")), NULL;
      if (!at_top)
        g_ptr_array_add (elements, g_strdup (*word));
      else if (self->how->as != NULL)
        g_ptr_array_add (elements, g_strdup (self->how->as));
      at_top = FALSE;
    }
  if (at_top)
    return refuse (error, name, _("a member that was not asked for")), NULL;
  g_ptr_array_add (elements, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&elements), FALSE);
}

/* One element, which is never a symbolic link. */
static int
enter (int fd, const char *element, gboolean create)
{
  int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int next = openat (fd, element, flags);

  if (next < 0 && errno == ENOENT && create && mkdirat (fd, element, 0755) == 0)
    next = openat (fd, element, flags);
  return next;
}

/* The directory that the last of @elements is in, made when it is missing. */
static int
open_parent (Extraction *self, char **elements, gboolean create, GError **error)
{
  VP_AUTO_FD fd = openat (self->dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

  for (; fd >= 0 && elements[0] != NULL && elements[1] != NULL; elements++)
    {
      int next = enter (fd, elements[0], create);

      if (next < 0)
        {
          g_autofree char *shown = vp_error_shown (elements[0]);

          vp_error_set_errno (error, errno == ELOOP ? ENOTDIR : errno, "\"%s\"", shown);
          return -1;
        }
      vp_fd_clear (&fd);
      fd = next;
    }
  if (fd < 0)
    vp_error_set_errno (error, errno, "directory");
  return vp_fd_steal (&fd);
}

static const char *
last (char **elements)
{
  return elements[g_strv_length (elements) - 1];
}

/* ---- members ------------------------------------------------------------------- */

/* Makes place for what is called @name. */
static gboolean
make_room (Extraction *self, int parent, const char *name, GError **error)
{
  g_autofree char *shown = vp_error_shown (name);
  struct stat st;

  if (fstatat (parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT || vp_error_set_errno (error, errno, "\"%s\"", shown);
  if (self->how->no_overwrite)
    return vp_error_set_errno (error, EEXIST, "\"%s\"", shown);
  if (S_ISDIR (st.st_mode))
    return vp_error_set_errno (error, EISDIR, "\"%s\"", shown);
  return unlinkat (parent, name, 0) == 0 || vp_error_set_errno (error, errno, "\"%s\"", shown);
}

static char *
identity (const struct stat *st)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64) st->st_dev, (guint64) st->st_ino);
}

static gboolean
write_at (int fd, const guint8 *data, gsize len, guint64 offset, const char *shown, GError **error)
{
  while (len > 0)
    {
      ssize_t n = pwrite (fd, data, len, (off_t) offset);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return vp_error_set_errno (error, errno, "\"%s\"", shown);
      data += n;
      len -= (gsize) n;
      offset += (guint64) n;
    }
  return TRUE;
}

static gboolean
write_content (Extraction *self, int fd, struct archive_entry *entry, const char *shown, GError **error)
{
  la_int64_t size = archive_entry_size (entry);
  const void *data;
  size_t len;
  la_int64_t offset;
  int result;

  while ((result = archive_read_data_block (self->archive, &data, &len, &offset)) == ARCHIVE_OK)
    {
      if (offset < 0 || offset > size || (la_int64_t) len > size - offset)
        return refuse (error, shown, _("a member with more content than it said"));
      if (!write_at (fd, data, len, (guint64) offset, shown, error))
        return FALSE;
    }
  if (result != ARCHIVE_EOF)
    return explain (self->source, self->archive, error);
  /* the end may be a hole */
  return ftruncate (fd, size) == 0 || vp_error_set_errno (error, errno, "\"%s\"", shown);
}

/* Owner first: changing it would take rights away again. */
static gboolean
set_attributes (Extraction *self, int fd, struct archive_entry *entry, const char *shown, GError **error)
{
  const struct timespec times[]
      = { { .tv_nsec = UTIME_OMIT },
          { .tv_sec = archive_entry_mtime (entry), .tv_nsec = archive_entry_mtime_nsec (entry) } };

  if (self->how->keep_owner
      && fchown (fd, (uid_t) archive_entry_uid (entry), (gid_t) archive_entry_gid (entry)) < 0)
    return vp_error_set_errno (error, errno, "\"%s\"", shown);
  if (fchmod (fd, archive_entry_perm (entry) & 0777) < 0)
    return vp_error_set_errno (error, errno, "\"%s\"", shown);
  if (archive_entry_mtime_is_set (entry))
    (void) futimens (fd, times);
  return TRUE;
}

static gboolean
extract_file (Extraction *self, int parent, const char *name, struct archive_entry *entry, GError **error)
{
  g_autofree char *shown = vp_error_shown (name);
  VP_AUTO_FD fd = -1;
  struct stat st;

  if (!make_room (self, parent, name, error))
    return FALSE;
  fd = openat (parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0 || fstat (fd, &st) < 0)
    return vp_error_set_errno (error, errno, "\"%s\"", shown);
  g_hash_table_add (self->made, identity (&st));
  return write_content (self, fd, entry, shown, error) && set_attributes (self, fd, entry, shown, error);
}

static gboolean
extract_directory (Extraction *self, int parent, char **elements, struct archive_entry *entry, GError **error)
{
  const char *name = last (elements);
  g_autofree char *shown = vp_error_shown (name);
  mode_t mode = archive_entry_perm (entry) & 0777;
  VP_AUTO_FD fd = -1;
  Deferred *deferred;

  if (mkdirat (parent, name, 0700) < 0)
    {
      VP_AUTO_FD there = -1;

      if (errno == EEXIST)
        there = enter (parent, name, FALSE);
      return there >= 0 || vp_error_set_errno (error, errno == ELOOP ? ENOTDIR : errno, "\"%s\"", shown);
    }
  fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return vp_error_set_errno (error, errno, "\"%s\"", shown);
  if (self->how->keep_owner && fchown (fd, (uid_t) archive_entry_uid (entry), (gid_t) archive_entry_gid (entry)) < 0)
    return vp_error_set_errno (error, errno, "\"%s\"", shown);
  if (fchmod (fd, mode | 0700) < 0)
    return vp_error_set_errno (error, errno, "\"%s\"", shown);
  if ((mode & 0700) == 0700)
    return TRUE;
  if (self->deferred->len >= MAX_DEFERRED)
    return refuse (error, name, _("too many directories nobody may write in"));
  deferred = g_new0 (Deferred, 1);
  deferred->elements = g_strdupv (elements);
  deferred->mode = mode;
  g_ptr_array_add (self->deferred, deferred);
  return TRUE;
}

static gboolean
extract_hard_link (Extraction *self, int parent, const char *name, const char *target, GError **error)
{
  g_auto (GStrv) elements = split_name (self, target, error);
  g_autofree char *shown = vp_error_shown (target);
  g_autofree char *who = NULL;
  VP_AUTO_FD from = -1;
  struct stat st;

  if (elements == NULL)
    return FALSE;
  if (elements[0] == NULL)
    return refuse (error, target, _("a link to a directory"));
  from = open_parent (self, elements, FALSE, error);
  if (from < 0)
    return FALSE;
  if (fstatat (from, last (elements), &st, AT_SYMLINK_NOFOLLOW) < 0)
    return vp_error_set_errno (error, errno, "\"%s\"", shown);
  who = identity (&st);
  if (!S_ISREG (st.st_mode) || !g_hash_table_contains (self->made, who))
    return refuse (error, target, _("a link to what the stream did not make"));
  if (!make_room (self, parent, name, error))
    return FALSE;
  return linkat (from, last (elements), parent, name, 0) == 0
         || vp_error_set_errno (error, errno, "\"%s\"", shown);
}

static gboolean
extract_symlink (Extraction *self, int parent, const char *name, struct archive_entry *entry, GError **error)
{
  const char *target = archive_entry_symlink (entry);
  g_autofree char *shown = vp_error_shown (name);

  if (target == NULL || *target == '\0')
    return refuse (error, name, _("a link without a target"));
  if (!make_room (self, parent, name, error))
    return FALSE;
  if (symlinkat (target, parent, name) < 0)
    return vp_error_set_errno (error, errno, "\"%s\"", shown);
  if (self->how->keep_owner)
    (void) fchownat (parent, name, (uid_t) archive_entry_uid (entry), (gid_t) archive_entry_gid (entry),
                     AT_SYMLINK_NOFOLLOW);
  return TRUE;
}

static gboolean
extract_member (Extraction *self, struct archive_entry *entry, GError **error)
{
  mode_t type = archive_entry_filetype (entry);
  const char *link = archive_entry_hardlink (entry);
  g_auto (GStrv) elements = split_name (self, archive_entry_pathname (entry), error);
  VP_AUTO_FD parent = -1;

  if (elements == NULL)
    return FALSE;
  if (elements[0] == NULL) /* the directory that everything goes into */
    return (link == NULL && type == S_IFDIR)
           || vp_error_set_errno (error, ENOTDIR, "\"%s\"", self->how->top != NULL ? self->how->top : "/");
  if (link == NULL && type != S_IFREG && type != S_IFDIR && type != S_IFLNK)
    {
      self->skipped++;
      return TRUE;
    }
  parent = open_parent (self, elements, TRUE, error);
  if (parent < 0)
    return FALSE;
  if (link != NULL)
    return extract_hard_link (self, parent, last (elements), link, error);
  if (type == S_IFDIR)
    return extract_directory (self, parent, elements, entry, error);
  if (type == S_IFLNK)
    return extract_symlink (self, parent, last (elements), entry, error);
  return extract_file (self, parent, last (elements), entry, error);
}

/* Innermost first: a directory that nobody may enter keeps its own from being found. */
static gboolean
finish_directories (Extraction *self, GError **error)
{
  for (guint i = self->deferred->len; i > 0; i--)
    {
      Deferred *deferred = g_ptr_array_index (self->deferred, i - 1);
      VP_AUTO_FD parent = open_parent (self, deferred->elements, FALSE, error);
      VP_AUTO_FD fd = -1;

      if (parent < 0)
        return FALSE;
      fd = openat (parent, last (deferred->elements), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (fd < 0 || fchmod (fd, deferred->mode) < 0)
        return vp_error_set_errno (error, errno, "\"%s\"", last (deferred->elements));
    }
  return TRUE;
}

static gboolean
extract_all (Extraction *self, GError **error)
{
  struct archive_entry *entry;
  int result;

  while ((result = archive_read_next_header (self->archive, &entry)) == ARCHIVE_OK)
    if (!extract_member (self, entry, error))
      return FALSE;
  return result == ARCHIVE_EOF || explain (self->source, self->archive, error);
}

gboolean
vp_tar_extract (int fd, int dirfd, const VpTarRead *how, guint64 *ret_skipped, GError **error)
{
  g_autoptr (Source) source = source_new (fd);
  g_autoptr (VpArchive) archive = open_archive (source, error);
  g_autoptr (GHashTable) made = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) deferred = g_ptr_array_new_with_free_func (deferred_free);
  Extraction self = {
    .how = how, .source = source, .archive = archive, .dirfd = dirfd, .made = made, .deferred = deferred,
  };

  if (archive == NULL)
    return FALSE;
  source->progress = how->progress;
  source->user_data = how->user_data;
  if (!extract_all (&self, error))
    {
      (void) finish_directories (&self, NULL);
      return FALSE;
    }
  *ret_skipped = self.skipped;
  return finish_directories (&self, error) && check_end (source, error);
}

mode_t
vp_tar_peek (int fd, GError **error)
{
  g_autoptr (Source) source = source_new (fd);
  g_autoptr (VpArchive) archive = open_archive (source, error);
  struct archive_entry *entry;
  int result;

  if (archive == NULL)
    return 0;
  result = archive_read_next_header (archive, &entry);
  if (result == ARCHIVE_OK && archive_entry_filetype (entry) != 0)
    return archive_entry_filetype (entry);
  if (result == ARCHIVE_EOF)
    g_set_error (error, VP_ERROR, VP_ERROR_AGENT_FAILED, "%s", _("the archive is empty"));
  else
    explain (source, archive, error);
  return 0;
}

gboolean
vp_tar_pass (int fd, int out, VpTarProgress progress, gpointer user_data, GError **error)
{
  g_autoptr (Source) source = source_new (fd);
  ssize_t n;

  source->progress = progress;
  source->user_data = user_data;
  while ((n = source_read (source)) > 0)
    for (ssize_t done = 0; done < n;)
      {
        ssize_t written = write (out, source->data + done, (gsize) (n - done));

        if (written < 0 && errno != EINTR)
          return vp_error_set_errno (error, errno, _("standard output"));
        done += MAX (written, 0);
      }
  if (n < 0)
    return vp_error_set_errno (error, errno, _("the stream"));
  return check_end (source, error);
}
