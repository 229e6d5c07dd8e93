/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "shim-util.h"

#define LOWER "lowerdir="

typedef struct
{
  const char *name;
  unsigned long set, clear;
} Word;

static const Word words[] = {
  { "async", 0, MS_SYNCHRONOUS },
  { "atime", 0, MS_NOATIME },
  { "bind", MS_BIND, 0 },
  { "defaults", 0, 0 },
  { "dev", 0, MS_NODEV },
  { "diratime", 0, MS_NODIRATIME },
  { "dirsync", MS_DIRSYNC, 0 },
  { "exec", 0, MS_NOEXEC },
  { "noatime", MS_NOATIME, 0 },
  { "nodev", MS_NODEV, 0 },
  { "nodiratime", MS_NODIRATIME, 0 },
  { "noexec", MS_NOEXEC, 0 },
  { "norelatime", 0, MS_RELATIME },
  { "nostrictatime", 0, MS_STRICTATIME },
  { "nosuid", MS_NOSUID, 0 },
  { "rbind", MS_BIND | MS_REC, 0 },
  { "relatime", MS_RELATIME, 0 },
  { "ro", MS_RDONLY, 0 },
  { "rw", 0, MS_RDONLY },
  { "strictatime", MS_STRICTATIME, 0 },
  { "suid", 0, MS_NOSUID },
  { "sync", MS_SYNCHRONOUS, 0 },
};

static const Word *
find_word (const char *option)
{
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp (words[i].name, option) == 0)
      return &words[i];
  return NULL;
}

ShimMountOptions
shim_mount_options_parse (char *const *options, size_t n)
{
  ShimMountOptions self = { 0, NULL };
  size_t len = 0;

  for (size_t i = 0; i < n; i++)
    len += strlen (options[i]) + 1;
  self.data = shim_alloc (len + 1);
  for (size_t i = 0; i < n; i++)
    {
      const Word *word = find_word (options[i]);

      if (word != NULL)
        {
          self.flags = (self.flags & ~word->clear) | word->set;
          continue;
        }
      if (*self.data != '\0')
        strcat (self.data, ",");
      strcat (self.data, options[i]);
    }
  return self;
}

/* Bytes up to and with the last "/" that all paths of a list of @len bytes begin with. */
static size_t
common_directory (const char *list, size_t len)
{
  size_t common = 0;

  while (common < len && list[common] != ':')
    common++;
  for (size_t at = 0; at < len;)
    {
      size_t same = 0;

      while (same < common && at + same < len && list[at + same] == list[same])
        same++;
      common = same;
      while (at < len && list[at] != ':')
        at++;
      at++;
    }
  while (common > 0 && list[common - 1] != '/')
    common--;
  return common;
}

char *
shim_mount_options_shorten (ShimMountOptions *options)
{
  char *lower = strncmp (options->data, LOWER, strlen (LOWER)) == 0 ? options->data : strstr (options->data, "," LOWER);
  char *list, *out;
  size_t len, common;
  char *directory;

  if (lower == NULL)
    return NULL;
  list = lower + (*lower == ',') + strlen (LOWER);
  len = strcspn (list, ",");
  common = common_directory (list, len);
  /* a path that is the directory itself, or that has an escape in it, is not one to cut */
  if (common <= 1 || memchr (list, '\\', len) != NULL)
    return NULL;
  directory = shim_printf ("%.*s", (int) common, list);
  out = list;
  for (size_t at = 0; at < len; at++)
    {
      if (at == 0 || list[at - 1] == ':')
        at += common;
      *out++ = list[at];
    }
  memmove (out, list + len, strlen (list + len) + 1);
  return directory;
}

static int
mount_one (const Task__Mount *what, const char *target)
{
  ShimMountOptions options = shim_mount_options_parse (what->options, what->n_options);
  size_t page = (size_t) sysconf (_SC_PAGESIZE);
  char *directory = strlen (options.data) >= page ? shim_mount_options_shorten (&options) : NULL;
  int error = 0;

  if (strcmp (what->type, "bind") == 0)
    options.flags |= MS_BIND;
  if (*what->target != '\0')
    error = -ENOTSUP;
  else if (strlen (options.data) >= page)
    error = -E2BIG;
  else if (directory != NULL && chdir (directory) < 0)
    error = -errno;
  else if (mount (what->source, target, what->type, options.flags, options.data) < 0)
    error = -errno;
  /* the rest of the flags is not taken from the first call of a bind */
  else if ((options.flags & MS_BIND) != 0 && (options.flags & ~(unsigned long) (MS_BIND | MS_REC)) != 0
           && mount (NULL, target, NULL, (options.flags & ~(unsigned long) MS_REC) | MS_REMOUNT, NULL) < 0)
    {
      error = -errno;
      (void) umount2 (target, MNT_DETACH);
    }
  if (directory != NULL)
    (void) chdir ("/");
  free (directory);
  free (options.data);
  return error;
}

int
shim_mount_all (Task__Mount *const *mounts, size_t n, const char *target, size_t *ret_what)
{
  int error;

  for (size_t i = 0; i < n; i++)
    {
      error = mount_one (mounts[i], target);
      if (error == 0)
        continue;
      *ret_what = i;
      while (i-- > 0)
        (void) umount2 (target, MNT_DETACH | UMOUNT_NOFOLLOW);
      return error;
    }
  return 0;
}

int
shim_unmount_all (const char *target)
{
  while (umount2 (target, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
    ;
  return errno == EINVAL || errno == ENOENT ? 0 : -errno;
}
