/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent-openat2.h"

/* of the file that has not all its pieces yet */
#define TEMPORARY ".%s.part"
#define DEFAULT_DIR_MODE 0755

static int
open_beneath (int base, const char *path)
{
  return agent_openat2 (base, path, O_PATH | O_DIRECTORY, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* The directory of @path (which is cut at the slash in front of its last element), made
 * with those above it where they are missing; -1 with errno */
static int
make_parent (int base, char *path, const Grpc__CopyFileRequest *r, int is_immediate)
{
  mode_t mode = r->dir_mode != 0 ? r->dir_mode & 07777 : DEFAULT_DIR_MODE;
  char *slash = strrchr (path, '/');
  int fd, above;

  if (slash == NULL)
    return fcntl (base, F_DUPFD_CLOEXEC, 3);
  *slash = '\0';
  fd = open_beneath (base, path);
  if (fd < 0 && errno == ENOENT)
    {
      const char *last = strrchr (path, '/');

      /* @path is cut further, so its last element is taken from a copy */
      char *copy = agent_strdup (last != NULL ? last + 1 : path), *whole = agent_strdup (path);

      above = make_parent (base, path, r, 0);
      if (above >= 0
          && mkdirat (above, copy, mode) == 0
          /* the mask of the agent is not the host's */
          && fchmodat (above, copy, mode, 0) == 0
          && (!is_immediate
              || fchownat (above, copy, (uid_t)r->uid, (gid_t)r->gid, AT_SYMLINK_NOFOLLOW) == 0))
        fd = open_beneath (base, whole);
      agent_close (&above);
      free (copy);
      free (whole);
    }
  return fd;
}

static int
make_directory (int parent, const char *name, const Grpc__CopyFileRequest *r)
{
  int fd, rc = 0;

  if (mkdirat (parent, name, 0700) < 0 && errno != EEXIST)
    return -errno;
  fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 || fchown (fd, (uid_t)r->uid, (gid_t)r->gid) < 0 || fchmod (fd, r->file_mode & 07777) < 0)
    rc = -errno;
  agent_close (&fd);
  return rc;
}

static int
make_link (int parent, const char *name, const Grpc__CopyFileRequest *r)
{
  char target[PATH_MAX];

  if (r->data.len == 0 || r->data.len >= sizeof target || memchr (r->data.data, '\0', r->data.len) != NULL)
    return -EINVAL;
  memcpy (target, r->data.data, r->data.len);
  target[r->data.len] = '\0';
  if (unlinkat (parent, name, 0) < 0 && errno != ENOENT)
    return -errno;
  if (symlinkat (target, parent, name) < 0
      || fchownat (parent, name, (uid_t)r->uid, (gid_t)r->gid, AT_SYMLINK_NOFOLLOW) < 0)
    return -errno;
  return 0;
}

static int
write_piece (int fd, const Grpc__CopyFileRequest *r)
{
  size_t done = 0;

  while (done < r->data.len)
    {
      ssize_t n = pwrite (fd, r->data.data + done, r->data.len - done, (off_t)r->offset + (off_t)done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return -errno;
      done += (size_t)n;
    }
  return 0;
}

static int
add_piece (int parent, const char *name, const Grpc__CopyFileRequest *r)
{
  int64_t end;
  char part[NAME_MAX + 8];
  struct stat st;
  int fd, rc = 0;

  if (r->offset < 0 || r->file_size < 0 || __builtin_add_overflow (r->offset, (int64_t)r->data.len, &end)
      || end > r->file_size)
    return -ERANGE;
  snprintf (part, sizeof part, TEMPORARY, name);
  if (r->offset == 0 && unlinkat (parent, part, 0) < 0 && errno != ENOENT)
    return -errno;
  fd = openat (parent, part, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | (r->offset == 0 ? O_CREAT | O_EXCL : 0),
               0600);
  if (fd < 0)
    return -errno;
  if (fstat (fd, &st) < 0)
    rc = -errno;
  else if (!S_ISREG (st.st_mode) || st.st_size < r->offset)
    rc = -ESPIPE;
  else
    rc = write_piece (fd, r);
  if (rc == 0 && end == r->file_size
      && (ftruncate (fd, end) < 0 || fchown (fd, (uid_t)r->uid, (gid_t)r->gid) < 0
          || fchmod (fd, r->file_mode & 07777) < 0 || renameat (parent, part, parent, name) < 0))
    rc = -errno;
  close (fd);
  return rc;
}

static int
make_any (int parent, const char *name, const Grpc__CopyFileRequest *r)
{
  switch (r->file_mode & S_IFMT)
    {
    case S_IFDIR:
      return make_directory (parent, name, r);
    case S_IFLNK:
      return make_link (parent, name, r);
    case S_IFREG:
    case 0:
      return add_piece (parent, name, r);
    default:
      return -EOPNOTSUPP;
    }
}

VpGrpcCode
agent_copy_file (const char *base, const Grpc__CopyFileRequest *r, char **ret_message)
{
  size_t len = strlen (base);
  const char *name = strrchr (r->path, '/');
  char *path;
  int fd, parent, rc;

  if (!agent_path_is_clean (r->path) || strncmp (r->path, base, len) != 0 || r->path[len] != '/'
      || name[1] == '\0' || strlen (name + 1) > NAME_MAX - sizeof TEMPORARY)
    {
      *ret_message = agent_printf ("path \"%.512s\": must be a clean one below %s", r->path, base);
      return VP_GRPC_INVALID_ARGUMENT;
    }
  rc = agent_mkdir_p (base);
  if (rc < 0)
    {
      *ret_message = agent_printf ("%s: %s", base, strerror (-rc));
      return agent_code_from_errno (rc);
    }
  fd = open (base, O_PATH | O_DIRECTORY | O_CLOEXEC);
  path = agent_strdup (r->path + len + strspn (r->path + len, "/"));
  parent = fd >= 0 ? make_parent (fd, path, r, 1) : -1;
  rc = parent >= 0 ? make_any (parent, name + 1, r) : -errno;
  agent_close (&parent);
  agent_close (&fd);
  free (path);
  if (rc == 0)
    return VP_GRPC_OK;
  *ret_message = agent_printf ("path \"%.512s\": %s", r->path,
                               rc == -ESPIPE   ? "offset is behind what was copied so far"
                               : rc == -ERANGE ? "offset and data do not fit file_size"
                                               : strerror (-rc));
  return rc == -ESPIPE                                        ? VP_GRPC_FAILED_PRECONDITION
         : rc == -ERANGE || rc == -EOPNOTSUPP || rc == -ELOOP ? VP_GRPC_INVALID_ARGUMENT
                                                              : agent_code_from_errno (rc);
}

void
agent_handle_copy_file (Agent *agent, AgentCall *call)
{
  char *base = agent_printf ("%s/shared/containers", agent->state_dir), *message = NULL;
  VpGrpcCode code = agent_copy_file (base, agent_call_request (call), &message);

  if (code == VP_GRPC_OK)
    agent_call_reply (call, NULL);
  else
    agent_call_fail (call, code, "%s", message);
  free (message);
  free (base);
}
