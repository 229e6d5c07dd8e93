/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-port.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent-log.h"
#include "agent-util.h"

#define PORTS_DIR "/sys/class/virtio-ports"
#define FIRST_PAUSE_NSEC 1000000L
#define MAX_PAUSE_NSEC 100000000L

/* /dev/vportNpM of the port called @name, NULL if there is none yet; malloc'd */
static char *
find_port (const char *name)
{
  DIR *dir = opendir (PORTS_DIR);
  char *found = NULL;
  struct dirent *e;

  if (dir == NULL)
    return NULL;
  while (found == NULL && (e = readdir (dir)) != NULL)
    {
      char *path, buf[128];

      if (e->d_name[0] == '.')
        continue;
      path = agent_printf (PORTS_DIR "/%s/name", e->d_name);
      if (agent_read_file (path, buf, sizeof buf) > 0)
        {
          buf[strcspn (buf, "\n")] = '\0';
          if (strcmp (buf, name) == 0)
            found = agent_printf ("/dev/%s", e->d_name);
        }
      free (path);
    }
  closedir (dir);
  return found;
}

int
agent_port_open (const char *name)
{
  struct timespec pause = { 0, FIRST_PAUSE_NSEC };

  for (;;)
    {
      char *path = find_port (name);
      int fd = path != NULL ? open (path, O_RDWR | O_CLOEXEC | O_NONBLOCK) : -1;
      int rc = fd >= 0 ? fd : -errno;

      /* the name is there a moment before the node and the handshake are */
      if (path == NULL || (fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO)))
        rc = -EAGAIN;
      free (path);
      if (rc != -EAGAIN)
        return rc;
      nanosleep (&pause, NULL);
      if (pause.tv_nsec < MAX_PAUSE_NSEC)
        pause.tv_nsec *= 2;
    }
}
