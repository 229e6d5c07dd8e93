/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-tty.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "vp-client.h"

static struct termios first_settings;
static volatile sig_atomic_t raw_fd = -1;

/* Also called from a signal handler: tcsetattr() is allowed there. */
void
vp_tty_restore (void)
{
  int fd = raw_fd;

  raw_fd = -1;
  if (fd >= 0)
    (void) tcsetattr (fd, TCSADRAIN, &first_settings);
}

static void
on_crash (int signo)
{
  vp_tty_restore ();
  /* SA_RESETHAND: this time it ends the process */
  (void) raise (signo);
}

static void
restore_always (void)
{
  static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
  static gboolean done;
  struct sigaction action = { .sa_handler = on_crash, .sa_flags = (int) (SA_RESETHAND | SA_NODEFER) };

  if (done)
    return;
  done = TRUE;
  (void) atexit (vp_tty_restore);
  for (gsize i = 0; i < G_N_ELEMENTS (crashes); i++)
    (void) sigaction (crashes[i], &action, NULL);
}

gboolean
vp_tty_set_raw (int fd)
{
  struct termios raw;

  if (raw_fd < 0 && tcgetattr (fd, &first_settings) < 0)
    return FALSE;
  restore_always ();
  raw = first_settings;
  cfmakeraw (&raw);
  raw_fd = fd;
  return tcsetattr (fd, TCSADRAIN, &raw) == 0;
}

static gboolean
get_size (int fd, guint16 *columns, guint16 *rows)
{
  struct winsize size;

  if (ioctl (fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0)
    return FALSE;
  *columns = size.ws_col;
  *rows = size.ws_row;
  return TRUE;
}

gboolean
vp_tty_send_size (int fd, VpDBusProcess1 *process)
{
  g_autoptr (GAsyncResult) result = NULL;
  guint16 columns, rows;

  if (!get_size (fd, &columns, &rows))
    return FALSE;
  vp_dbus_process1_call_resize_tty (process, columns, rows, NULL, vp_client_ready, &result);
  return vp_dbus_process1_call_resize_tty_finish (process, vp_client_await (&result), NULL);
}

void
vp_tty_update_size (int fd, VpDBusProcess1 *process)
{
  guint16 columns, rows;

  /* a process that has just ended refuses; nobody needs to know */
  if (get_size (fd, &columns, &rows))
    vp_dbus_process1_call_resize_tty (process, columns, rows, NULL, NULL, NULL);
}
