/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-util.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID_MAX 128

static void *
not_null (void *p)
{
  static const char text[] = "virtpod-agent: out of memory\n";

  if (p == NULL)
    {
      if (write (STDERR_FILENO, text, sizeof text - 1) < 0)
        abort ();
      abort ();
    }
  return p;
}

void *
agent_alloc (size_t size)
{
  return not_null (calloc (1, size));
}

void *
agent_alloc_dirty (size_t size)
{
  return not_null (malloc (size));
}

char *
agent_strdup (const char *s)
{
  return s != NULL ? not_null (strdup (s)) : NULL;
}

char *
agent_strndup (const char *s, size_t max)
{
  return not_null (strndup (s, max));
}

char *
agent_printf (const char *format, ...)
{
  char *out = NULL;
  va_list args;
  int n;

  va_start (args, format);
  n = vasprintf (&out, format, args);
  va_end (args);
  return not_null (n >= 0 ? out : NULL);
}

void
agent_close (int *fd)
{
  int saved = errno;

  if (*fd >= 0)
    close (*fd);
  *fd = -1;
  errno = saved;
}

static int
is_alnum (char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int
agent_id_is_valid (const char *id)
{
  size_t len = strnlen (id, ID_MAX + 1);

  if (len == 0 || len > ID_MAX || !is_alnum (id[0]))
    return 0;
  for (size_t i = 0; i < len; i++)
    if (!is_alnum (id[i]) && strchr ("_.+-", id[i]) == NULL)
      return 0;
  return 1;
}

int
agent_path_is_clean (const char *path)
{
  if (path[0] != '/' || strlen (path) >= 4096)
    return 0;
  while (*path != '\0')
    {
      size_t n;

      path += strspn (path, "/");
      n = strcspn (path, "/");
      if ((n == 1 && path[0] == '.') || (n == 2 && path[0] == '.' && path[1] == '.'))
        return 0;
      path += n;
    }
  return 1;
}

void
agent_list_init (AgentList *l)
{
  l->prev = l->next = l;
}

void
agent_list_append (AgentList *head, AgentList *l)
{
  l->prev = head->prev;
  l->next = head;
  head->prev->next = l;
  head->prev = l;
}

void
agent_list_remove (AgentList *l)
{
  l->prev->next = l->next;
  l->next->prev = l->prev;
  agent_list_init (l);
}

int
agent_list_is_empty (const AgentList *head)
{
  return head->next == head;
}

ssize_t
agent_read_file (const char *path, char *buf, size_t size)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  size_t have = 0;
  ssize_t n = 0;

  if (fd < 0)
    return -errno;
  while (have < size - 1 && (n = read (fd, buf + have, size - 1 - have)) > 0)
    have += (size_t) n;
  if (n < 0)
    n = -errno;
  close (fd);
  buf[have] = '\0';
  return n < 0 ? n : (ssize_t) have;
}

int
agent_scan_uint (const char **p, uint64_t *ret)
{
  const char *at = *p + strspn (*p, " \t");
  char *end;

  if (*at < '0' || *at > '9')
    return -EINVAL;
  errno = 0;
  *ret = strtoull (at, &end, 10);
  if (errno != 0)
    return -EINVAL;
  *p = end;
  return 0;
}

int
agent_read_uint (const char *path, uint64_t max_value, uint64_t *ret)
{
  char buf[64], *end;
  ssize_t n = agent_read_file (path, buf, sizeof buf);
  unsigned long long v;

  if (n < 0)
    return (int) n;
  if (strncmp (buf, "max", 3) == 0)
    {
      *ret = max_value;
      return 0;
    }
  errno = 0;
  v = strtoull (buf, &end, 10);
  if (errno != 0 || end == buf)
    return -EINVAL;
  *ret = v;
  return 0;
}

int
agent_write_file (const char *path, const void *data, size_t len, int create)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC | (create ? O_CREAT | O_TRUNC | O_NOFOLLOW : 0), 0600);
  const char *p = data;

  if (fd < 0)
    return -errno;
  while (len > 0)
    {
      ssize_t n = write (fd, p, len);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          int rc = -errno;
          close (fd);
          return rc;
        }
      p += n;
      len -= (size_t) n;
    }
  close (fd);
  return 0;
}

int
agent_mkdir_p (const char *path)
{
  char *copy = agent_strdup (path);
  int rc = 0;

  for (char *p = copy + 1; rc == 0; p++)
    if (*p == '/' || *p == '\0')
      {
        char c = *p;

        *p = '\0';
        if (mkdir (copy, 0755) < 0 && errno != EEXIST)
          rc = -errno;
        *p = c;
        if (c == '\0')
          break;
      }
  free (copy);
  return rc;
}

/* a mount point as mountinfo writes it: \ooo for blanks */
static void
unescape (char *s)
{
  char *out = s;

  for (; *s != '\0'; s++)
    if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] != '\0' && s[3] != '\0')
      {
        *out++ = (char) ((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
        s += 3;
      }
    else
      *out++ = *s;
  *out = '\0';
}

/* mountinfo is in the order of mounting, so the last one that matches has nothing on it */
static char *
find_last_mount (const char *path)
{
  FILE *f = fopen ("/proc/self/mountinfo", "re");
  size_t len = strlen (path), size = 0;
  char *line = NULL, *found = NULL;

  if (f == NULL)
    return NULL;
  while (getline (&line, &size, f) > 0)
    {
      char *rest = line, *target = NULL;

      /* the fifth word */
      for (int i = 0; i < 5; i++)
        target = strsep (&rest, " ");
      if (target == NULL)
        continue;
      unescape (target);
      if (strncmp (target, path, len) == 0 && (target[len] == '/' || target[len] == '\0'))
        {
          free (found);
          found = agent_strdup (target);
        }
    }
  free (line);
  fclose (f);
  return found;
}

int
agent_unmount_below (const char *path)
{
  char *target;

  while ((target = find_last_mount (path)) != NULL)
    {
      int rc = umount2 (target, MNT_DETACH | UMOUNT_NOFOLLOW);

      free (target);
      if (rc < 0)
        return -errno;
    }
  return 0;
}

static int
remove_one (const char *path, const struct stat *st, int type, struct FTW *ftw)
{
  return remove (path) == 0 || errno == ENOENT ? 0 : -1;
}

int
agent_remove_tree (const char *path)
{
  int rc = agent_unmount_below (path);

  if (rc < 0)
    return rc;
  if (nftw (path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0 || errno == ENOENT)
    return 0;
  return -errno;
}
