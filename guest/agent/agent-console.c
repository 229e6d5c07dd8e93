/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent-util.h"

int
agent_console_open (AgentConsole *c, const char *dir)
{
  static unsigned counter;
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int rc;

  c->path = agent_printf ("%s/console-%u", dir, counter++);
  c->fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (c->fd >= 0 && strlen (c->path) < sizeof address.sun_path)
    {
      strcpy (address.sun_path, c->path);
      unlink (c->path);
      if (bind (c->fd, (struct sockaddr *) &address, sizeof address) == 0 && listen (c->fd, 1) == 0)
        return 0;
    }
  else if (c->fd >= 0)
    errno = ENAMETOOLONG;
  rc = -errno;
  agent_console_close (c);
  return rc;
}

static int
receive (int connection)
{
  union
  {
    struct cmsghdr header;
    char space[CMSG_SPACE (sizeof (int))];
  } control;
  char byte[256];
  struct iovec iov = { byte, sizeof byte };
  struct msghdr message = {
    .msg_iov = &iov,
    .msg_iovlen = 1,
    .msg_control = &control,
    .msg_controllen = sizeof control,
  };
  struct cmsghdr *c;
  int fd;

  if (recvmsg (connection, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) < 0)
    return -errno;
  c = CMSG_FIRSTHDR (&message);
  if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS
      || c->cmsg_len != CMSG_LEN (sizeof fd))
    return -EPROTO;
  memcpy (&fd, CMSG_DATA (c), sizeof fd);
  return fd;
}

int
agent_console_take (AgentConsole *c)
{
  int connection = accept4 (c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  int fd;

  if (connection < 0)
    return -errno;
  fd = receive (connection);
  close (connection);
  return fd;
}

void
agent_console_close (AgentConsole *c)
{
  agent_close (&c->fd);
  if (c->path != NULL)
    unlink (c->path);
  free (c->path);
  c->path = NULL;
}
