/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod-proxy stands on the host for one process in a guest: what container
 * engines take for the container is the process id of this.
 *
 * It holds the standard streams, by which the daemon finds them, before and after
 * a restart; bytes do not pass through it. It passes on signals and the
 * size of its terminal, and ends with the status of the process. The command
 * that starts it tells it over the socket at CONTROL_FD what to stand for. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "place.h"
#include "vp-bus.h"
#include "vp-names.h"

#define CONTROL_FD 3
#define RETRY_MS 500
#define MESSAGE_MAX 16384 /* what this program is sent on purpose has some hundred bytes */
#define STATUS_GONE 137 /* of a process nobody knows any more: as if it had been killed */

/* what cannot come from outside, is about ourselves or ends us anyway */
static const int own_signals[]
    = { SIGCHLD, SIGPIPE, SIGTTIN, SIGTTOU, SIGTSTP, SIGURG, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };

typedef struct
{
  VpBus bus;
  char address[1024];
  char path[2048]; /* of the Process1 object */
  char root[4096]; /* directory that is to be "/", empty: the host's */
  int host_root;   /* where the bus is found then, -1 */
  char netns[4096]; /* network namespace to be in, empty: the host's */
  int host_net;     /* where the bus may be, too; -1 */
  int own_net;      /* that namespace, -1 */
  int signals;
  uint32_t wait_serial;   /* of the call of Wait under way; 0: none */
  uint32_t resize_serial; /* of the last call of ResizeTty */
  int resize_again;       /* the process was not there yet */
} Proxy;

static void
say (const char *text)
{
  (void) send (CONTROL_FD, text, strlen (text) + 1, MSG_NOSIGNAL);
}

static int
open_signals (void)
{
  sigset_t set;

  sigfillset (&set);
  for (size_t i = 0; i < sizeof own_signals / sizeof *own_signals; i++)
    sigdelset (&set, own_signals[i]);
  if (sigprocmask (SIG_SETMASK, &set, NULL) < 0)
    return -1;
  (void) signal (SIGPIPE, SIG_IGN);
  (void) signal (SIGTTIN, SIG_IGN);
  (void) signal (SIGTTOU, SIG_IGN);
  (void) signal (SIGTSTP, SIG_IGN);
  return signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The text at *@at of @end bytes and its NUL; moves on. */
static int
take_text (const char *data, size_t *at, size_t end, char *out, size_t size)
{
  size_t len = strnlen (data + *at, end - *at);

  if (len == end - *at || len >= size)
    return -1;
  memcpy (out, data + *at, len + 1);
  *at += len + 1;
  return 0;
}

/* ADDRESS, PATH, ROOT and NETNS, each with its NUL, in one packet. With a ROOT there
 * are more, which place_hear () takes. */
static int
hear (Proxy *self)
{
  static char data[sizeof self->address + sizeof self->path + sizeof self->root + sizeof self->netns];
  size_t at = 0;
  ssize_t n;

  do
    n = recv (CONTROL_FD, data, sizeof data, 0);
  while (n < 0 && errno == EINTR);
  if (n <= 0 || take_text (data, &at, (size_t) n, self->address, sizeof self->address) < 0
      || take_text (data, &at, (size_t) n, self->path, sizeof self->path) < 0
      || take_text (data, &at, (size_t) n, self->root, sizeof self->root) < 0)
    return -1;
  return take_text (data, &at, (size_t) n, self->netns, sizeof self->netns);
}

static int
enter_root (Proxy *self)
{
  int error;

  if (*self->root == '\0')
    return 0;
  self->host_root = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (self->host_root < 0)
    return -errno;
  error = place_hear (CONTROL_FD);
  return error == 0 ? place_enter (self->root) : error;
}

/* Engines set up a container's network where its process is (buildah). */
static int
enter_netns (Proxy *self)
{
  if (*self->netns == '\0')
    return 0;
  self->host_net = open ("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  self->own_net = open (self->netns, O_RDONLY | O_CLOEXEC);
  return self->host_net < 0 || self->own_net < 0 || setns (self->own_net, CLONE_NEWNET) < 0 ? -errno : 0;
}

/* ---- calls ----------------------------------------------------------------------- */

static void
call_wait (Proxy *self)
{
  const VpBusCall call = { VP_BUS_NAME, self->path, VP_IFACE_PROCESS, "Wait", "", 0 };

  self->wait_serial = vp_bus_call (&self->bus, &call);
  if (self->wait_serial == 0)
    vp_bus_close (&self->bus);
}

static void
send_size (Proxy *self)
{
  const VpBusCall call = { VP_BUS_NAME, self->path, VP_IFACE_PROCESS, "ResizeTty", "qq", 0 };
  struct winsize size;

  self->resize_again = 0;
  if (ioctl (STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
    self->resize_serial = vp_bus_call (&self->bus, &call, (int) size.ws_col, (int) size.ws_row);
}

static void
forward_signals (Proxy *self)
{
  const VpBusCall call = { VP_BUS_NAME, self->path, VP_IFACE_PROCESS, "Kill", "s", 0 };
  struct signalfd_siginfo info;
  char number[16];

  while (read (self->signals, &info, sizeof info) == (ssize_t) sizeof info)
    {
      (void) snprintf (number, sizeof number, "%u", info.ssi_signo);
      if (info.ssi_signo == SIGWINCH)
        send_size (self);
      else if (info.ssi_signo != SIGCONT || info.ssi_code != SI_KERNEL) /* those go with a terminal that hangs up */
        (void) vp_bus_call (&self->bus, &call, number);
    }
}

/* Connects, and asks; whoever owns the daemon's name next is heard of. */
static int
attach (Proxy *self)
{
  static const VpBusCall match
      = { "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch", "s", 0 };
  int error = 0;

  /* a socket stays what it is in the namespace that it was made in */
  if ((self->host_root >= 0 && fchdir (self->host_root) < 0)
      || (self->host_net >= 0 && setns (self->host_net, CLONE_NEWNET) < 0))
    error = -errno;
  if (error == 0)
    error = vp_bus_open (&self->bus, self->address, 1);
  (void) chdir ("/");
  if (self->own_net >= 0)
    (void) setns (self->own_net, CLONE_NEWNET);
  if (error == 0
      && vp_bus_call (&self->bus, &match,
                         "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" VP_BUS_NAME "'")
             == 0)
    error = -EPIPE;
  if (error != 0)
    {
      vp_bus_close (&self->bus);
      return error;
    }
  call_wait (self);
  return 0;
}

/* ---- answers --------------------------------------------------------------------- */

/* Whether the daemon said, of itself, that there is no such process (any more). */
static int
is_gone (const char *error)
{
  static const char *const names[] = {
    VP_ERROR_PREFIX "NotFound",
    VP_ERROR_PREFIX "InvalidState",
    "org.freedesktop.DBus.Error.UnknownObject",
    "org.freedesktop.DBus.Error.UnknownMethod",
    "org.freedesktop.DBus.Error.UnknownInterface",
  };

  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp (error, names[i]) == 0)
      return 1;
  return 0;
}

/* Anything but a status or "gone" means to ask again: the daemon restarts, or is busy. */
static void
on_wait_answer (Proxy *self, const VpBusMessage *message)
{
  uint32_t status;

  self->wait_serial = 0;
  if (message->type == VP_BUS_METHOD_RETURN && vp_bus_message_get_number (message, &status) == 0)
    _exit ((int) (status & 0xff));
  if (message->type == VP_BUS_ERROR && message->error != NULL && is_gone (message->error))
    _exit (STATUS_GONE);
}

static void
on_message (Proxy *self, const VpBusMessage *message)
{
  const char *owner;

  if (message->type == VP_BUS_SIGNAL && message->member != NULL && strcmp (message->member, "NameOwnerChanged") == 0)
    {
      owner = vp_bus_message_get_string (message, 2);
      if (owner != NULL && *owner != '\0')
        call_wait (self);
    }
  else if (message->reply_serial == 0 || (message->type != VP_BUS_METHOD_RETURN && message->type != VP_BUS_ERROR))
    return;
  else if (message->reply_serial == self->wait_serial)
    on_wait_answer (self, message);
  else if (message->reply_serial == self->resize_serial)
    self->resize_again = message->type == VP_BUS_ERROR;
}

static void
on_bus_ready (Proxy *self)
{
  VpBusMessage message;
  int found = vp_bus_read (&self->bus);

  while (found >= 0 && (found = vp_bus_next (&self->bus, &message)) > 0)
    on_message (self, &message);
  if (found < 0)
    {
      vp_bus_close (&self->bus);
      self->wait_serial = 0;
    }
}

static void
loop (Proxy *self)
{
  for (;;)
    {
      struct pollfd fds[] = { { .fd = self->bus.fd, .events = POLLIN }, { .fd = self->signals, .events = POLLIN } };
      int idle = self->wait_serial != 0 && !self->resize_again;
      int n = poll (fds, 2, idle ? -1 : RETRY_MS);

      if (n > 0 && fds[0].revents != 0)
        on_bus_ready (self);
      if (n > 0 && fds[1].revents != 0)
        forward_signals (self);
      if (n != 0)
        continue;
      if (self->bus.fd < 0)
        (void) attach (self);
      else if (self->wait_serial == 0)
        call_wait (self);
      if (self->resize_again)
        send_size (self);
    }
}

int
main (void)
{
  static Proxy self;
  char text[128];
  int error;

  vp_bus_init (&self.bus, MESSAGE_MAX);
  self.host_root = self.host_net = self.own_net = -1;
  /* the caller's other descriptors are not ours to hold, nor is its directory or session */
  if (close_range (CONTROL_FD + 1, ~0U, 0) < 0 || chdir ("/") < 0)
    return EXIT_FAILURE;
  self.signals = open_signals ();
  if (self.signals < 0)
    return EXIT_FAILURE;
  (void) setsid ();
  /* so that a change of its size is a signal to us */
  if (isatty (STDIN_FILENO))
    (void) ioctl (STDIN_FILENO, TIOCSCTTY, 0);

  say ("");
  if (hear (&self) < 0)
    return EXIT_FAILURE;
  error = attach (&self);
  if (error != 0)
    {
      (void) snprintf (text, sizeof text, "cannot reach the bus: %s", strerror (-error));
      say (text);
      return EXIT_FAILURE;
    }
  error = enter_netns (&self);
  if (error != 0)
    {
      (void) snprintf (text, sizeof text, "network namespace: %s", strerror (-error));
      say (text);
      return EXIT_FAILURE;
    }
  error = enter_root (&self);
  if (error != 0)
    {
      (void) snprintf (text, sizeof text, "%.64s: %s", self.root, strerror (-error));
      say (text);
      return EXIT_FAILURE;
    }
  say ("");
  (void) close (CONTROL_FD);
  if (isatty (STDIN_FILENO))
    send_size (&self);
  loop (&self);
}
