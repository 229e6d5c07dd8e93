/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-connect-worker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vp-agent-names.h"

#define NOBODY 65534
#define BUFFER 65536

/* ---- one direction ---- */

typedef struct
{
  int from, to;
  int to_is_socket;
  int ended; /* there is no more to read */
  int done;  /* and nothing left to write, or nobody to write it to */
  size_t start, len;
  char data[BUFFER];
} Flow;

/* The other side reads the end; what goes the other way goes on. */
static void
finish (Flow *f)
{
  f->done = 1;
  if (f->to_is_socket)
    shutdown (f->to, SHUT_WR);
  else
    close (f->to);
}

static int
is_later (ssize_t n)
{
  return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* A connection that was reset has ended. */
static void
fill (Flow *f)
{
  ssize_t n = read (f->from, f->data, sizeof f->data);

  if (is_later (n))
    return;
  f->start = 0;
  f->len = n > 0 ? (size_t)n : 0;
  f->ended = n <= 0;
  if (f->ended)
    finish (f);
}

static void
drain (Flow *f)
{
  ssize_t n = f->to_is_socket ? send (f->to, f->data + f->start, f->len, MSG_NOSIGNAL)
                              : write (f->to, f->data + f->start, f->len);

  if (is_later (n))
    return;
  if (n < 0)
    {
      finish (f);
      return;
    }
  f->start += (size_t)n;
  f->len -= (size_t)n;
}

/* What it waits for: room for what it has, else more. */
static struct pollfd
wish (const Flow *f)
{
  struct pollfd none = { .fd = -1 };

  if (f->done)
    return none;
  return f->len > 0 ? (struct pollfd){ .fd = f->to, .events = POLLOUT }
                    : (struct pollfd){ .fd = f->from, .events = POLLIN };
}

static void
carry (int sock, int in, int out)
{
  static Flow up, down;

  up = (Flow){ .from = in, .to = sock, .to_is_socket = 1 };
  down = (Flow){ .from = sock, .to = out };
  while (!up.done || !down.done)
    {
      struct pollfd fds[2] = { wish (&up), wish (&down) };

      if (poll (fds, 2, -1) < 0 && errno != EINTR)
        return;
      if (fds[0].revents != 0)
        (up.len > 0 ? drain : fill) (&up);
      if (fds[1].revents != 0)
        (down.len > 0 ? drain : fill) (&down);
    }
}

/* ---- the connection ---- */

static int
connect_to (const struct sockaddr *address, socklen_t len)
{
  int fd = socket (address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int error;

  if (fd < 0 || connect (fd, address, len) == 0)
    return fd;
  error = errno;
  close (fd);
  errno = error;
  return -1;
}

/* A server may listen on either; the error that is told is that of IPv4, unless there is
 * none of that. */
static int
connect_loopback (unsigned port)
{
  struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons ((uint16_t)port) };
  struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons ((uint16_t)port) };
  int fd, error;

  v4.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  fd = connect_to ((struct sockaddr *)&v4, sizeof v4);
  if (fd >= 0)
    return fd;
  error = errno;
  v6.sin6_addr = in6addr_loopback;
  fd = connect_to ((struct sockaddr *)&v6, sizeof v6);
  if (fd < 0 && error != EAFNOSUPPORT)
    errno = error;
  return fd;
}

static int
set_nonblocking (int fd)
{
  int flags = fcntl (fd, F_GETFL);

  return flags < 0 ? -1 : fcntl (fd, F_SETFL, flags | O_NONBLOCK);
}

/* Nothing of what is left to do needs a right. Tests are not root. */
static int
drop_rights (void)
{
  if (geteuid () != 0)
    return 0;
  if (setgroups (0, NULL) < 0 || setresgid (NOBODY, NOBODY, NOBODY) < 0
      || setresuid (NOBODY, NOBODY, NOBODY) < 0)
    return -1;
  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl (PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -1 : 0;
}

int
agent_connect_main (unsigned port, int in, int out, int err)
{
  int on = 1, sock = connect_loopback (port);

  if (sock < 0)
    {
      int refused = errno == ECONNREFUSED;

      dprintf (err, "port %u: %s\n", port, refused ? "nobody listens on it" : strerror (errno));
      return refused ? VP_CONNECT_REFUSED : VP_CONNECT_FAILED;
    }
  signal (SIGPIPE, SIG_IGN);
  setsockopt (sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (drop_rights () < 0 || set_nonblocking (sock) < 0 || set_nonblocking (in) < 0 || set_nonblocking (out) < 0)
    {
      dprintf (err, "port %u: %s\n", port, strerror (errno));
      return VP_CONNECT_FAILED;
    }
  /* a pipe that is new has room for it */
  if (write (out, VP_CONNECT_READY, 1) != 1)
    return VP_CONNECT_FAILED;
  carry (sock, in, out);
  close (sock);
  return 0;
}

/* ---- the process ---- */

static int
parse_port (const Grpc__Process *process, unsigned *ret)
{
  const char *text = process->n_args == 2 ? process->args[1] : "";
  size_t len = strspn (text, "0123456789");

  if (len == 0 || len > 5 || text[len] != '\0')
    return -1;
  *ret = (unsigned)atoi (text);
  return *ret > 0 && *ret <= 65535 ? 0 : -1;
}

int
agent_connect_worker_check (const Grpc__Process *process, const char **ret_error)
{
  unsigned port;

  *ret_error = "args: must be a port, 1 to 65535";
  return parse_port (process, &port);
}

static int
work (void *data)
{
  const unsigned *port = data;

  return agent_connect_main (*port, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO);
}

int
agent_connect_worker_start (AgentProcess *p, const Grpc__Process *process)
{
  unsigned port;

  if (parse_port (process, &port) < 0)
    return -EINVAL;
  return agent_process_fork (p, work, &port);
}
