/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent-tar-private.h"
#include "agent-util.h"
#include "vp-agent-names.h"

#define BUFFER_SIZE (64u << 10)
#define MAX_DEPTH 256
#define MAX_LINKED 16384
#define LINK_BUCKETS 256
/* of lines about single files; more of them tell nothing new */
#define MAX_COMPLAINTS 20

/* a file with several names, of which the first has its content */
typedef struct
{
  AgentList link;
  dev_t device;
  ino_t inode;
  char *name;
} Linked;

typedef struct
{
  int out, error;
  AgentTarFlags flags;
  int status;
  unsigned n_complaints, depth;
  dev_t device; /* of the top */
  uint8_t *buffer;
  size_t used;
  AgentTarEntry entry;
  char name[AGENT_TAR_PATH_MAX]; /* of what is being looked at */
  AgentList linked[LINK_BUCKETS];
  unsigned n_linked;
} Create;

static int add_tree (Create *c, int parent, const char *last);

/* One file is not in the archive, or not as it should be; the others are. */
static void
complain (Create *c, const char *what)
{
  if (c->status < VP_TAR_INCOMPLETE)
    c->status = VP_TAR_INCOMPLETE;
  if (c->n_complaints++ < MAX_COMPLAINTS)
    agent_tar_complain (c->error, 0, c->name, "%s", what);
}

static int
stop (Create *c, const char *what)
{
  c->status = agent_tar_complain (c->error, VP_TAR_FAILED, what != NULL ? NULL : c->name, "%s",
                                  what != NULL ? what : strerror (errno));
  return -1;
}

static int
flush (Create *c)
{
  size_t done = 0;

  while (done < c->used)
    {
      ssize_t n = write (c->out, c->buffer + done, c->used - done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return stop (c, errno == EPIPE ? "nobody reads the archive" : strerror (errno));
      done += (size_t)n;
    }
  c->used = 0;
  return 0;
}

/* @data NULL: zeros. 0 or -1 */
static int
put (Create *c, const uint8_t *data, size_t len)
{
  while (len > 0)
    {
      size_t n = BUFFER_SIZE - c->used < len ? BUFFER_SIZE - c->used : len;

      if (data != NULL)
        memcpy (c->buffer + c->used, data, n);
      else
        memset (c->buffer + c->used, 0, n);
      data = data != NULL ? data + n : NULL;
      c->used += n;
      len -= n;
      if (c->used == BUFFER_SIZE && flush (c) < 0)
        return -1;
    }
  return 0;
}

static int
put_entry (Create *c)
{
  size_t len;
  uint8_t *blocks = agent_tar_pack (&c->entry, &len);
  int rc;

  if (blocks == NULL)
    return stop (c, NULL);
  rc = put (c, blocks, len);
  free (blocks);
  return rc;
}

static void
describe (Create *c, const struct stat *st, AgentTarType type)
{
  AgentTarEntry *e = &c->entry;

  e->type = type;
  snprintf (e->name, sizeof e->name, "%s", c->name);
  e->link[0] = '\0';
  e->mode = st->st_mode & 07777;
  e->uid = st->st_uid;
  e->gid = st->st_gid;
  e->size = type == AGENT_TAR_FILE ? (uint64_t)st->st_size : 0;
  e->mtime = st->st_mtim.tv_sec;
  e->mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
  e->major = major (st->st_rdev);
  e->minor = minor (st->st_rdev);
}

/* The name @st's file has in the archive already, or NULL; remembers it then. */
static const char *
find_linked (Create *c, const struct stat *st)
{
  AgentList *bucket = &c->linked[(st->st_ino ^ st->st_dev) % LINK_BUCKETS];
  Linked *l;

  if (st->st_nlink < 2)
    return NULL;
  agent_list_foreach (it, bucket)
  {
    l = agent_container_of (it, Linked, link);
    if (l->inode == st->st_ino && l->device == st->st_dev)
      return l->name;
  }
  /* above this each name gets the content, which is right but for the space */
  if (c->n_linked == MAX_LINKED)
    return NULL;
  c->n_linked++;
  l = agent_new (Linked);
  l->device = st->st_dev;
  l->inode = st->st_ino;
  l->name = agent_strdup (c->name);
  agent_list_append (bucket, &l->link);
  return NULL;
}

/* Exactly as much as the header said, whatever the file has become meanwhile */
static int
put_content (Create *c, int fd, uint64_t size)
{
  uint64_t left = size;

  while (left > 0)
    {
      size_t room = BUFFER_SIZE - c->used;
      ssize_t n = read (fd, c->buffer + c->used, room < left ? room : (size_t)left);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          complain (c, n < 0 ? strerror (errno) : "became shorter while it was read");
          break;
        }
      c->used += (size_t)n;
      left -= (uint64_t)n;
      if (c->used == BUFFER_SIZE && flush (c) < 0)
        return -1;
    }
  while (left > 0)
    {
      size_t n = left < BUFFER_SIZE ? (size_t)left : BUFFER_SIZE;

      if (put (c, NULL, n) < 0)
        return -1;
      left -= n;
    }
  return put (c, NULL, (AGENT_TAR_BLOCK - size % AGENT_TAR_BLOCK) % AGENT_TAR_BLOCK);
}

/* @last of @parent opened, if it is still what @st is; -1 and a line about it */
static int
open_same (Create *c, int parent, const char *last, int flags, struct stat *st)
{
  /* a pipe in its place must not block */
  int fd = openat (parent, last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags);
  struct stat now;

  if (fd < 0 || fstat (fd, &now) < 0)
    {
      complain (c, strerror (errno));
      agent_close (&fd);
      return -1;
    }
  if (now.st_dev != st->st_dev || now.st_ino != st->st_ino
      || (now.st_mode & S_IFMT) != (st->st_mode & S_IFMT))
    {
      complain (c, "was replaced while it was read");
      agent_close (&fd);
      return -1;
    }
  *st = now;
  return fd;
}

/* @fd is taken */
static int
add_open_file (Create *c, int fd, const struct stat *st)
{
  const char *first = find_linked (c, st);
  int rc;

  describe (c, st, first != NULL ? AGENT_TAR_HARD_LINK : AGENT_TAR_FILE);
  if (first != NULL)
    snprintf (c->entry.link, sizeof c->entry.link, "%s", first);
  rc = put_entry (c);
  if (rc == 0 && first == NULL)
    rc = put_content (c, fd, c->entry.size);
  close (fd);
  return rc;
}

/* What has content that the kernel makes up as it is asked */
static int
is_made_up (int fd)
{
  static const long kinds[] = {
    PROC_SUPER_MAGIC, SYSFS_MAGIC,   CGROUP2_SUPER_MAGIC, CGROUP_SUPER_MAGIC,
    DEBUGFS_MAGIC,    TRACEFS_MAGIC, SECURITYFS_MAGIC,    BPF_FS_MAGIC,
  };
  struct statfs fs;

  if (fstatfs (fd, &fs) < 0)
    return 0;
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    if ((long)fs.f_type == kinds[i])
      return 1;
  return 0;
}

static int
add_children (Create *c, DIR *dir)
{
  size_t len = strlen (c->name);
  struct dirent *e;
  int rc = 0;

  while (rc == 0 && (errno = 0, e = readdir (dir)) != NULL)
    {
      if (strcmp (e->d_name, ".") == 0 || strcmp (e->d_name, "..") == 0)
        continue;
      if (len + 1 + strlen (e->d_name) + 2 > sizeof c->name)
        {
          complain (c, "has entries whose names are too long");
          continue;
        }
      c->name[len] = '/';
      strcpy (c->name + len + 1, e->d_name);
      rc = add_tree (c, dirfd (dir), e->d_name);
      c->name[len] = '\0';
    }
  if (rc == 0 && errno != 0)
    complain (c, strerror (errno));
  return rc;
}

/* @fd is taken */
static int
add_open_directory (Create *c, int fd, const struct stat *st)
{
  size_t len = strlen (c->name);
  DIR *dir;
  int rc;

  describe (c, st, AGENT_TAR_DIRECTORY);
  /* there is room: add_children() leaves it */
  strcpy (c->entry.name + len, "/");
  rc = put_entry (c);
  if (rc < 0 || is_made_up (fd) || ((c->flags & AGENT_TAR_ONE_FILE_SYSTEM) != 0 && st->st_dev != c->device))
    {
      close (fd);
      return rc;
    }
  if (c->depth >= MAX_DEPTH)
    {
      complain (c, "is too deep: its content is left out");
      close (fd);
      return 0;
    }
  dir = fdopendir (fd);
  if (dir == NULL)
    {
      complain (c, strerror (errno));
      close (fd);
      return 0;
    }
  c->depth++;
  rc = add_children (c, dir);
  c->depth--;
  closedir (dir);
  return rc;
}

static int
add_link (Create *c, int parent, const char *last, const struct stat *st)
{
  ssize_t n;

  describe (c, st, AGENT_TAR_SYMLINK);
  n = readlinkat (parent, last, c->entry.link, sizeof c->entry.link);
  if (n < 0 || (size_t)n >= sizeof c->entry.link)
    {
      complain (c, n < 0 ? strerror (errno) : "leads to a name that is too long");
      return 0;
    }
  c->entry.link[n] = '\0';
  return put_entry (c);
}

/* What @parent has under the name @last, as c->name; -1 if the archive cannot go on */
static int
add_tree (Create *c, int parent, const char *last)
{
  struct stat st;
  int fd;

  if (fstatat (parent, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
    {
      complain (c, strerror (errno));
      return 0;
    }
  switch (st.st_mode & S_IFMT)
    {
    case S_IFREG:
      fd = open_same (c, parent, last, 0, &st);
      return fd >= 0 ? add_open_file (c, fd, &st) : 0;
    case S_IFDIR:
      fd = open_same (c, parent, last, O_DIRECTORY, &st);
      return fd >= 0 ? add_open_directory (c, fd, &st) : 0;
    case S_IFLNK:
      return add_link (c, parent, last, &st);
    case S_IFIFO:
      describe (c, &st, AGENT_TAR_FIFO);
      return put_entry (c);
    case S_IFCHR:
      describe (c, &st, AGENT_TAR_CHARACTER);
      return put_entry (c);
    case S_IFBLK:
      describe (c, &st, AGENT_TAR_BLOCK_DEVICE);
      return put_entry (c);
    default:
      /* sockets are nothing without who listens */
      return 0;
    }
}

static int
no_path (Create *c, const char *path)
{
  int status = errno == ENOENT || errno == ENOTDIR ? VP_TAR_NO_PATH : VP_TAR_FAILED;

  c->status = agent_tar_complain (c->error, status, path, "%s", strerror (errno));
  return -1;
}

/* The top is reached through links that lead elsewhere in @root, so it is opened as what
 * it is rather than by its name in its directory. */
static int
add_followed (Create *c, int root, const char *path)
{
  int fd = agent_tar_open_in_root (root, path, O_PATH);
  struct stat st;

  if (fd < 0)
    return no_path (c, path);
  if (fstat (fd, &st) == 0 && (S_ISDIR (st.st_mode) || S_ISREG (st.st_mode)))
    {
      close (fd);
      fd = agent_tar_open_in_root (root, path, O_RDONLY | O_NONBLOCK);
      if (fd < 0 || fstat (fd, &st) < 0)
        {
          agent_close (&fd);
          return no_path (c, path);
        }
      c->device = st.st_dev;
      if (S_ISDIR (st.st_mode))
        return add_open_directory (c, fd, &st);
      if (S_ISREG (st.st_mode))
        return add_open_file (c, fd, &st);
    }
  close (fd);
  return stop (c, "is neither a file nor a directory");
}

/* @path in two, malloc'd: what is in front of its last element, and that; a slash at the
 * end is a way to ask for what a link leads to */
static void
split (const char *path, char **ret_parent, char **ret_last, int *ret_follow)
{
  size_t len = strlen (path);
  char *slash;

  while (len > 1 && path[len - 1] == '/')
    len--;
  *ret_follow = path[len] == '/' || len == 1;
  *ret_parent = agent_strndup (path, len);
  slash = strrchr (*ret_parent, '/');
  *ret_last = agent_strdup (slash + 1);
  slash[slash == *ret_parent] = '\0';
}

static int
add_path (Create *c, int root, const char *path)
{
  struct stat st;
  char *above, *last;
  int parent, follow, rc = -1;

  split (path, &above, &last, &follow);
  parent = agent_tar_open_in_root (root, above, O_PATH | O_DIRECTORY);
  if (last[0] == '\0' || strcmp (last, ".") == 0 || strcmp (last, "..") == 0)
    {
      strcpy (c->name, ".");
      rc = add_followed (c, root, path);
    }
  else if (parent < 0 || fstatat (parent, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
    rc = no_path (c, path);
  else
    {
      /* the kernel knows it, so it is no longer than NAME_MAX */
      snprintf (c->name, sizeof c->name, "%s", last);
      c->device = st.st_dev;
      if (S_ISLNK (st.st_mode) && (follow || (c->flags & AGENT_TAR_DEREFERENCE) != 0))
        rc = add_followed (c, root, path);
      else
        rc = add_tree (c, parent, last);
    }
  agent_close (&parent);
  free (above);
  free (last);
  return rc;
}

int
agent_tar_create (int root, const char *path, AgentTarFlags flags, int out, int error)
{
  Create *c = agent_new (Create);
  int status;

  c->out = out;
  c->error = error;
  c->flags = flags;
  c->buffer = agent_alloc (BUFFER_SIZE);
  for (size_t i = 0; i < LINK_BUCKETS; i++)
    agent_list_init (&c->linked[i]);
  /* two blocks of zeros are the end: an archive without them is not whole */
  if (add_path (c, root, path) == 0 && put (c, NULL, 2 * AGENT_TAR_BLOCK) == 0)
    (void)flush (c);
  for (size_t i = 0; i < LINK_BUCKETS; i++)
    agent_list_foreach_safe (it, &c->linked[i])
    {
      Linked *l = agent_container_of (it, Linked, link);

      free (l->name);
      free (l);
    }
  status = c->status;
  free (c->buffer);
  free (c);
  return status;
}
