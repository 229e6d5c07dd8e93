/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_TRIES 64

/* In a file of its own, so that a test can put another in its place. */
int
agent_openat2 (int dir, const char *path, int flags, uint64_t resolve)
{
  /* unlike the older calls, this one refuses flags that have no meaning */
  int all = flags | O_CLOEXEC | ((flags & O_PATH) == 0 ? O_NOCTTY : 0);
  struct open_how how = { .flags = (uint64_t) (unsigned) all, .resolve = resolve };
  int fd = -1;

  for (int i = 0; i < MAX_TRIES; i++)
    {
      fd = (int) syscall (SYS_openat2, dir, path, &how, sizeof how);
      if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
        break;
    }
  return fd;
}
