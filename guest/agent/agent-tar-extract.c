/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent-tar-private.h"
#include "agent-tar-reader.h"
#include "agent-util.h"
#include "vp-agent-names.h"

#define MAX_DEPTH 256

/* A directory that was made; it gets its mode and times when the last of what is in it
 * was, for that changes them and needs the right to write. */
typedef struct
{
  AgentList link;
  char *name;
  uint32_t mode, uid, gid;
  struct timespec times[2];
} Directory;

typedef struct
{
  int top;     /* everything is made beneath it */
  int is_root; /* it is "/" itself: no symbolic link leads out of it */
  AgentTarFlags flags;
  int error;
  AgentTarReader reader;
  AgentTarEntry entry;
  AgentList made; /* each below the one before it */
} Extract;

static int
open_beneath (Extract *x, const char *name, int flags)
{
  return x->is_root ? agent_tar_open_in_root (x->top, name, flags)
                    : agent_tar_open_beneath (x->top, name, flags);
}

static void
times_of (const AgentTarEntry *e, struct timespec times[2])
{
  times[0] = times[1] = (struct timespec){ .tv_sec = e->mtime, .tv_nsec = e->mtime_nsec };
}

/* Puts @name into its plain form: no "." and no empty elements. 0, or a status. */
static int
clean_name (Extract *x, char *name)
{
  char copy[AGENT_TAR_PATH_MAX], *save = NULL, *to = name;
  unsigned depth = 0;

  if (name[0] == '/')
    return agent_tar_complain (x->error, VP_TAR_BAD_ARCHIVE, name, "absolute names are refused");
  strcpy (copy, name);
  *to = '\0';
  for (char *element = strtok_r (copy, "/", &save); element != NULL; element = strtok_r (NULL, "/", &save))
    {
      if (strcmp (element, ".") == 0)
        continue;
      if (strcmp (element, "..") == 0)
        return agent_tar_complain (x->error, VP_TAR_BAD_ARCHIVE, element, "names with \"..\" are refused");
      if (++depth > MAX_DEPTH)
        return agent_tar_complain (x->error, VP_TAR_BAD_ARCHIVE, NULL, "more than %d levels of directories",
                                   MAX_DEPTH);
      if (to != name)
        *to++ = '/';
      to = stpcpy (to, element);
    }
  return 0;
}

/* ---- directories ------------------------------------------------------------------- */

static int
report (Extract *x, const char *name, const char *what)
{
  int outside = errno == EXDEV || errno == ELOOP;

  return agent_tar_complain (x->error, outside ? VP_TAR_BAD_ARCHIVE : VP_TAR_FAILED, name, "%s: %s", what,
                             outside ? "a symbolic link on the way leads out" : strerror (errno));
}

static Directory *
last_made (Extract *x)
{
  return agent_list_is_empty (&x->made) ? NULL : agent_container_of (x->made.prev, Directory, link);
}

/* What changes owner or mode is open, and is what was made: whoever may write to the
 * directory could have put something else there. */
static int
give_away (Extract *x, int fd, uint32_t uid, uint32_t gid)
{
  struct stat st;

  if ((x->flags & AGENT_TAR_NO_SAME_OWNER) != 0)
    return 0;
  /* who may not give files away may still have those of its own */
  if (fstat (fd, &st) < 0)
    return -1;
  if (st.st_uid == uid && st.st_gid == gid)
    return 0;
  return fchownat (fd, "", uid, gid, AT_EMPTY_PATH);
}

static int
is_ours (int fd, mode_t type)
{
  struct stat st;

  return fstat (fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid ()
         && (type == S_IFDIR || st.st_nlink == 1);
}

static int
finish_directory (Extract *x, Directory *d)
{
  int fd = open_beneath (x, d->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), rc = 0;

  if (fd < 0)
    rc = report (x, d->name, "open");
  else if (is_ours (fd, S_IFDIR))
    {
      if (give_away (x, fd, d->uid, d->gid) < 0)
        rc = report (x, d->name, "chown");
      if (rc == 0 && fchmod (fd, d->mode) < 0)
        rc = report (x, d->name, "chmod");
      if (rc == 0 && futimens (fd, d->times) < 0)
        rc = report (x, d->name, "times");
    }
  agent_close (&fd);
  agent_list_remove (&d->link);
  free (d->name);
  free (d);
  return rc;
}

/* Finishes the directories that @name is not in; NULL: all. */
static int
leave_directories (Extract *x, const char *name)
{
  Directory *d;
  int rc = 0;

  while (rc == 0 && (d = last_made (x)) != NULL)
    {
      size_t len = strlen (d->name);

      if (name != NULL && strncmp (name, d->name, len) == 0 && name[len] == '/')
        break;
      rc = finish_directory (x, d);
    }
  return rc;
}

static void
remember_directory (Extract *x, const AgentTarEntry *e)
{
  Directory *d = agent_new (Directory);

  d->name = agent_strdup (e->name);
  d->mode = (x->flags & AGENT_TAR_NO_SAME_OWNER) != 0 ? e->mode & 01777 : e->mode;
  d->uid = e->uid;
  d->gid = e->gid;
  times_of (e, d->times);
  agent_list_append (&x->made, &d->link);
}

/* The directory that @name is in, and @name's last element; with @make, those that are
 * missing are made. -1 with errno. */
static int
open_parent (Extract *x, char *name, int make, const char **ret_last)
{
  const int flags = O_PATH | O_DIRECTORY;
  char *slash = strrchr (name, '/');
  int fd;

  *ret_last = slash != NULL ? slash + 1 : name;
  if (slash == NULL)
    return fcntl (x->top, F_DUPFD_CLOEXEC, 3);
  *slash = '\0';
  fd = open_beneath (x, name, flags);
  if (fd < 0 && errno == ENOENT && make)
    {
      const char *last;
      int above = open_parent (x, name, 1, &last);

      if (above >= 0 && (mkdirat (above, last, 0755) == 0 || errno == EEXIST))
        fd = open_beneath (x, name, flags);
      agent_close (&above);
    }
  *slash = '/';
  return fd;
}

/* A directory that is there already stays as it is, also if a symbolic link leads to it,
 * as they do in /lib and its like: its owner has decided about it. */
static int
make_directory (Extract *x, int parent, const char *last, const AgentTarEntry *e)
{
  struct stat st;
  int fd;

  if (mkdirat (parent, last, 0700) == 0)
    {
      remember_directory (x, e);
      return 0;
    }
  if (errno != EEXIST)
    return report (x, e->name, "mkdir");
  fd = open_beneath (x, e->name, O_PATH | O_DIRECTORY);
  if (fd >= 0)
    {
      close (fd);
      return 0;
    }
  if ((errno != ENOTDIR && errno != ENOENT) || (x->flags & AGENT_TAR_NO_OVERWRITE) != 0)
    return report (x, e->name, "mkdir");
  if (fstatat (parent, last, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR (st.st_mode)
      || unlinkat (parent, last, 0) < 0 || mkdirat (parent, last, 0700) < 0)
    return report (x, e->name, "mkdir");
  remember_directory (x, e);
  return 0;
}

/* ---- everything else ----------------------------------------------------------------- */

/* Makes room for @last */
static int
remove_old (Extract *x, int parent, const char *last, const char *name)
{
  struct stat st;

  if (fstatat (parent, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? 0 : report (x, name, "stat");
  errno = (x->flags & AGENT_TAR_NO_OVERWRITE) != 0 ? EEXIST : EISDIR;
  if (S_ISDIR (st.st_mode) || (x->flags & AGENT_TAR_NO_OVERWRITE) != 0)
    return agent_tar_complain (x->error, VP_TAR_FAILED, name, "cannot be replaced: %s", strerror (errno));
  return unlinkat (parent, last, 0) == 0 || errno == ENOENT ? 0 : report (x, name, "unlink");
}

static int
write_all (int fd, const uint8_t *data, size_t len)
{
  while (len > 0)
    {
      ssize_t n = write (fd, data, len);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return -1;
      data += n;
      len -= (size_t)n;
    }
  return 0;
}

static int
bad_archive (Extract *x)
{
  return agent_tar_complain (x->error, VP_TAR_BAD_ARCHIVE, NULL, "the archive %s", x->reader.error);
}

static int
fill_file (Extract *x, int fd, const AgentTarEntry *e)
{
  mode_t mode = (x->flags & AGENT_TAR_NO_SAME_OWNER) != 0 ? e->mode & 0777 : e->mode;
  struct timespec times[2];
  const uint8_t *data;
  ssize_t n;

  while ((n = agent_tar_reader_read (&x->reader, &data)) > 0)
    if (write_all (fd, data, (size_t)n) < 0)
      return report (x, e->name, "write");
  if (n < 0)
    return bad_archive (x);
  times_of (e, times);
  /* the owner first: that takes away the bits to run as another user */
  if (give_away (x, fd, e->uid, e->gid) < 0)
    return report (x, e->name, "chown");
  if (fchmod (fd, mode) < 0)
    return report (x, e->name, "chmod");
  return futimens (fd, times) < 0 ? report (x, e->name, "times") : 0;
}

static int
make_file (Extract *x, int parent, const char *last, const AgentTarEntry *e)
{
  int fd = openat (parent, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
  int rc = fd >= 0 ? fill_file (x, fd, e) : report (x, e->name, "create");

  /* some file systems say only now that there was no room */
  if (fd >= 0 && close (fd) < 0 && rc == 0)
    rc = report (x, e->name, "close");
  return rc;
}

static int
make_hard_link (Extract *x, int parent, const char *last, AgentTarEntry *e)
{
  const char *old_last;
  int old, rc;

  rc = clean_name (x, e->link);
  if (rc > 0 || strcmp (e->link, e->name) == 0)
    return rc;
  rc = remove_old (x, parent, last, e->name);
  if (rc > 0)
    return rc;
  old = open_parent (x, e->link, 0, &old_last);
  if (old < 0)
    return report (x, e->name, "link");
  rc = linkat (old, old_last, parent, last, 0) < 0 ? report (x, e->name, "link") : 0;
  close (old);
  return rc;
}

/* Owner and times of a node that was just made; 0 or -1 */
static int
finish_node (Extract *x, int parent, const char *last, mode_t type, const AgentTarEntry *e)
{
  int fd = openat (parent, last, O_PATH | O_NOFOLLOW | O_CLOEXEC), rc = -1;
  struct timespec times[2];

  times_of (e, times);
  if (fd < 0)
    return -1;
  errno = EBUSY;
  if (is_ours (fd, type))
    rc = give_away (x, fd, e->uid, e->gid);
  if (rc == 0)
    rc = utimensat (fd, "", times, AT_EMPTY_PATH);
  agent_close (&fd);
  return rc;
}

/* Symbolic links, whose target is nobody's business here, pipes and devices */
static int
make_node (Extract *x, int parent, const char *last, const AgentTarEntry *e)
{
  mode_t type = e->type == AGENT_TAR_SYMLINK     ? S_IFLNK
                : e->type == AGENT_TAR_FIFO      ? S_IFIFO
                : e->type == AGENT_TAR_CHARACTER ? S_IFCHR
                                                 : S_IFBLK;
  int is_device = type == S_IFCHR || type == S_IFBLK;
  int rc;

  if (is_device && (x->flags & AGENT_TAR_DEVICES) == 0)
    return agent_tar_complain (x->error, VP_TAR_BAD_ARCHIVE, e->name, "devices are refused");
  if (type == S_IFLNK)
    rc = symlinkat (e->link, parent, last);
  else
    rc = mknodat (parent, last, type | (e->mode & 0777), is_device ? makedev (e->major, e->minor) : 0);
  if (rc < 0)
    return report (x, e->name, type == S_IFLNK ? "symlink" : "mknod");
  return finish_node (x, parent, last, type, e) < 0 ? report (x, e->name, "owner and times") : 0;
}

static int
make_entry (Extract *x, AgentTarEntry *e)
{
  const char *last;
  int parent, rc;

  rc = clean_name (x, e->name);
  /* the directory itself is there */
  if (rc > 0 || e->name[0] == '\0')
    return rc;
  rc = leave_directories (x, e->name);
  if (rc > 0)
    return rc;
  parent = open_parent (x, e->name, 1, &last);
  if (parent < 0)
    return report (x, e->name, "directory");
  if (e->type == AGENT_TAR_DIRECTORY)
    rc = make_directory (x, parent, last, e);
  else if (e->type == AGENT_TAR_HARD_LINK)
    rc = make_hard_link (x, parent, last, e);
  else
    {
      rc = remove_old (x, parent, last, e->name);
      if (rc == 0)
        rc = e->type == AGENT_TAR_FILE ? make_file (x, parent, last, e) : make_node (x, parent, last, e);
    }
  close (parent);
  return rc;
}

static int
make_all (Extract *x)
{
  int rc, more;

  while ((more = agent_tar_reader_next (&x->reader, &x->entry)) > 0)
    {
      rc = make_entry (x, &x->entry);
      if (rc > 0)
        return rc;
    }
  return more < 0 ? bad_archive (x) : leave_directories (x, NULL);
}

/* The directory @path, made with those above it if it is not there; -1 with errno */
static int
make_top (int root, char *path)
{
  int fd = agent_tar_open_in_root (root, path, O_PATH | O_DIRECTORY), above;
  char *slash = strrchr (path, '/');

  if (fd >= 0 || errno != ENOENT || slash == NULL)
    return fd;
  *slash = '\0';
  above = path[0] != '\0' ? make_top (root, path) : agent_tar_open_in_root (root, "/", O_PATH | O_DIRECTORY);
  *slash = '/';
  if (slash[1] == '\0')
    return above;
  if (above >= 0 && (mkdirat (above, slash + 1, 0755) == 0 || errno == EEXIST))
    fd = agent_tar_open_in_root (root, path, O_PATH | O_DIRECTORY);
  agent_close (&above);
  return fd;
}

static int
open_top (int root, const char *path, AgentTarFlags flags)
{
  char *copy;
  int fd;

  if ((flags & AGENT_TAR_MKDIR) == 0)
    return agent_tar_open_in_root (root, path, O_PATH | O_DIRECTORY);
  copy = agent_strdup (path);
  fd = make_top (root, copy);
  free (copy);
  return fd;
}

static int
is_same (int a, int b)
{
  struct stat of_a, of_b;

  return fstat (a, &of_a) == 0 && fstat (b, &of_b) == 0 && of_a.st_dev == of_b.st_dev
         && of_a.st_ino == of_b.st_ino;
}

int
agent_tar_extract (int root, const char *path, AgentTarFlags flags, int in, int error)
{
  Extract *x;
  int rc, top = open_top (root, path, flags);

  if (top < 0)
    return agent_tar_complain (error, errno == ENOENT || errno == ENOTDIR ? VP_TAR_NO_PATH : VP_TAR_FAILED,
                               path, "%s", strerror (errno));
  x = agent_new (Extract);
  x->top = top;
  x->is_root = is_same (top, root);
  x->error = error;
  x->flags = flags;
  /* only root can give files away */
  if (geteuid () != 0)
    x->flags |= AGENT_TAR_NO_SAME_OWNER;
  agent_list_init (&x->made);
  agent_tar_reader_init (&x->reader, in);
  umask (0);
  rc = make_all (x);
  if (rc == 0)
    agent_tar_reader_drain (&x->reader);
  while (last_made (x) != NULL)
    (void)finish_directory (x, last_made (x));
  agent_tar_reader_clear (&x->reader);
  close (top);
  free (x);
  return rc;
}
