/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-standin.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-fd.h"
#include "vp-names.h"
#include "vp-program.h"

#define PROGRAM "virtpod-proxy"
#define CONTROL_FD 3 /* as virtpod-proxy has it */
#define REPORT_MAX 256
/* whoever gets the terminal closes the connection when it has it */
#define HAND_OVER_MS 5000

struct _VpStandin
{
  pid_t pid;
  int control;
  int master; /* of its terminal, -1: none */
  char *console_socket;
  gboolean attends;
};

/* ---- starting -------------------------------------------------------------------- */

/* A terminal that passes every byte as it is: the guest's does the rest. */
static gboolean
open_terminal (int *ret_master, int *ret_slave, GError **error)
{
  VP_AUTO_FD master = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC);
  VP_AUTO_FD slave = -1;
  struct termios mode;

  if (master < 0 || grantpt (master) < 0 || unlockpt (master) < 0)
    return vp_error_set_errno (error, errno, "terminal");
  slave = ioctl (master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0 || tcgetattr (slave, &mode) < 0)
    return vp_error_set_errno (error, errno, "terminal");
  cfmakeraw (&mode);
  if (tcsetattr (slave, TCSANOW, &mode) < 0)
    return vp_error_set_errno (error, errno, "terminal");
  *ret_master = vp_fd_steal (&master);
  *ret_slave = vp_fd_steal (&slave);
  return TRUE;
}

/* In the child: only what is safe after a fork. */
static G_NORETURN void
become (const char *program, int control, int terminal)
{
  sigset_t none;

  sigemptyset (&none);
  (void) sigprocmask (SIG_SETMASK, &none, NULL);
  if (terminal >= 0)
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
      if (dup2 (terminal, fd) < 0)
        _exit (EXIT_FAILURE);
  /* dup2() on itself would leave it to be closed */
  if (control == CONTROL_FD ? fcntl (control, F_SETFD, 0) < 0 : dup2 (control, CONTROL_FD) < 0)
    _exit (EXIT_FAILURE);
  execl (program, PROGRAM, NULL);
  (void) send (CONTROL_FD, "cannot be executed", sizeof "cannot be executed", MSG_NOSIGNAL);
  _exit (EXIT_FAILURE);
}

/* It says nothing when all is well. */
static gboolean
hear (VpStandin *self, GError **error)
{
  char text[REPORT_MAX];
  ssize_t n;

  do
    n = recv (self->control, text, sizeof text - 1, 0);
  while (n < 0 && errno == EINTR);
  if (n == 1 && *text == '\0')
    return TRUE;
  text[MAX (n, 0)] = '\0';
  g_set_error (error, VP_ERROR, VP_ERROR_FAILED, "%s: %s", PROGRAM, n > 0 ? text : _("ended early"));
  return FALSE;
}

VpStandin *
vp_standin_new (const char *console_socket, GError **error)
{
  g_autofree char *program = vp_program_path (PROGRAM);
  g_autoptr (VpStandin) self = g_new0 (VpStandin, 1);
  VP_AUTO_FD slave = -1;
  VP_AUTO_FD theirs = -1;
  int pair[2];

  self->control = self->master = -1;
  self->console_socket = g_strdup (console_socket);
  if (console_socket != NULL && !open_terminal (&self->master, &slave, error))
    return NULL;
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    {
      vp_error_set_errno (error, errno, "socket");
      return NULL;
    }
  self->control = pair[0];
  theirs = pair[1];
  self->pid = fork ();
  if (self->pid == 0)
    become (program, theirs, slave);
  if (self->pid < 0)
    {
      vp_error_set_errno (error, errno, "fork");
      return NULL;
    }
  /* ours of it is the only end left if it dies */
  vp_fd_clear (&theirs);
  return hear (self, error) ? g_steal_pointer (&self) : NULL;
}

void
vp_standin_free (VpStandin *self)
{
  if (self == NULL)
    return;
  vp_fd_clear (&self->control);
  vp_fd_clear (&self->master);
  /* it ends by itself when it reads the end of the socket */
  if (self->pid > 0 && !self->attends)
    while (waitpid (self->pid, NULL, 0) < 0 && errno == EINTR)
      ;
  g_free (self->console_socket);
  g_free (self);
}

/* ---- streams --------------------------------------------------------------------- */

/* A pipe or device can be opened once more behind /proc; a file would begin anew
 * and a socket cannot at all. */
static gboolean
add_stream (VpStandin *self, int number, GVariantBuilder *options, GUnixFDList *fds, GError **error)
{
  static const char *const names[] = { "stdin", "stdout", "stderr" };
  g_autofree char *key = NULL;
  struct stat st;
  int handle;

  if (self->master < 0 && fstat (number, &st) < 0)
    return vp_error_set_errno (error, errno, "%s", names[number]);
  if (self->master >= 0 || S_ISFIFO (st.st_mode) || S_ISCHR (st.st_mode))
    {
      key = g_strdup_printf ("%s-path", names[number]);
      g_variant_builder_add (options, "{sv}", key, g_variant_new_printf ("/proc/%d/fd/%d", (int) self->pid, number));
      return TRUE;
    }
  handle = g_unix_fd_list_append (fds, number, error);
  if (handle < 0)
    return FALSE;
  g_variant_builder_add (options, "{sv}", names[number], g_variant_new_handle (handle));
  return TRUE;
}

gboolean
vp_standin_add_options (VpStandin *self, GVariantBuilder *options, GUnixFDList *fds, GError **error)
{
  g_variant_builder_add (options, "{sv}", "standin-pid", g_variant_new_uint32 ((guint32) self->pid));
  return add_stream (self, STDIN_FILENO, options, fds, error) && add_stream (self, STDOUT_FILENO, options, fds, error)
         && (self->master >= 0 || add_stream (self, STDERR_FILENO, options, fds, error));
}

/* ---- attending ------------------------------------------------------------------- */

static gboolean
send_master (int connection, int master, const char *what, GError **error)
{
  char byte = 0;
  struct iovec data = { .iov_base = &byte, .iov_len = 1 };
  union
  {
    struct cmsghdr header;
    char space[CMSG_SPACE (sizeof (int))];
  } control = { 0 };
  struct msghdr message
      = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space };
  struct pollfd left = { .fd = connection, .events = POLLIN };

  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN (sizeof (int));
  memcpy (CMSG_DATA (&control.header), &master, sizeof master);
  if (sendmsg (connection, &message, MSG_NOSIGNAL) < 0)
    return vp_error_set_errno (error, errno, "%s", what);
  (void) poll (&left, 1, HAND_OVER_MS);
  return TRUE;
}

static gboolean
hand_over_terminal (VpStandin *self, GError **error)
{
  VP_AUTO_FD connection = -1;
  struct sockaddr_un name = { .sun_family = AF_UNIX };

  if (self->master < 0)
    return TRUE;
  if (g_strlcpy (name.sun_path, self->console_socket, sizeof name.sun_path) >= sizeof name.sun_path)
    return vp_error_set_errno (error, ENAMETOOLONG, "%s", self->console_socket);
  connection = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection < 0 || connect (connection, (struct sockaddr *) &name, sizeof name) < 0)
    return vp_error_set_errno (error, errno, "%s", self->console_socket);
  return send_master (connection, self->master, self->console_socket, error);
}

gboolean
vp_standin_write_pid (const char *pid_file, GPid pid, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%d", (int) pid);

  return g_file_set_contents_full (pid_file, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error);
}

static void
append_text (GByteArray *packet, const char *text)
{
  g_byte_array_append (packet, (const guint8 *) text, (guint) strlen (text) + 1);
}

gboolean
vp_standin_attend (VpStandin *self, VpClient *client, const char *path, const VpStandinPlace *place,
                   const char *pid_file, GError **error)
{
  g_autofree char *address = vp_client_dup_address (client, error);
  g_autoptr (GByteArray) packet = g_byte_array_new ();

  if (address == NULL)
    return FALSE;
  append_text (packet, address);
  append_text (packet, path);
  append_text (packet, place != NULL && place->root != NULL ? place->root : "");
  append_text (packet, place != NULL && place->netns != NULL ? place->netns : "");
  if (send (self->control, packet->data, packet->len, MSG_NOSIGNAL) < 0)
    return vp_error_set_errno (error, errno, PROGRAM);
  if (!hear (self, error))
    return FALSE;
  self->attends = TRUE;
  return hand_over_terminal (self, error) && (pid_file == NULL || vp_standin_write_pid (pid_file, self->pid, error));
}
