/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sdnotify.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vp-fd.h"

/* @passed: -1 for none */
static gboolean
send_state (const char *state, int passed)
{
  const char *path = g_getenv ("NOTIFY_SOCKET");
  struct sockaddr_un addr = { .sun_family = AF_UNIX };
  union
  {
    char bytes[CMSG_SPACE (sizeof (int))];
    struct cmsghdr align;
  } control = { 0 };
  struct iovec io = { .iov_base = (char *) state, .iov_len = strlen (state) };
  struct msghdr message = { .msg_name = &addr, .msg_iov = &io, .msg_iovlen = 1 };
  VP_AUTO_FD fd = -1;
  gsize len;

  if (path == NULL || (path[0] != '/' && path[0] != '@'))
    return FALSE;
  len = strlen (path);
  if (len < 2 || len >= sizeof addr.sun_path)
    return FALSE;
  memcpy (addr.sun_path, path, len);
  if (path[0] == '@')
    addr.sun_path[0] = '\0';

  fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return FALSE;
  message.msg_namelen = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + len);
  if (passed >= 0)
    {
      struct cmsghdr *header;

      message.msg_control = control.bytes;
      message.msg_controllen = sizeof control.bytes;
      header = CMSG_FIRSTHDR (&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN (sizeof (int));
      memcpy (CMSG_DATA (header), &passed, sizeof (int));
    }
  return sendmsg (fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

gboolean
vp_sdnotify (const char *state)
{
  return send_state (state, -1);
}

gboolean
vp_sdnotify_with_fd (const char *state, int fd)
{
  return send_state (state, fd);
}

gboolean
vp_sdnotify_status (const char *text)
{
  g_autofree char *line = g_strconcat ("STATUS=", text, NULL);

  return vp_sdnotify (g_strdelimit (line, "\r\n", ' '));
}

gboolean
vp_sdnotify_is_ours (const char *variable)
{
  const char *pid = g_getenv (variable);
  guint64 number;

  return pid != NULL && g_ascii_string_to_unsigned (pid, 10, 1, G_MAXINT32, &number, NULL)
         && number == (guint64) getpid ();
}

guint64
vp_sdnotify_get_watchdog_usec (void)
{
  const char *usec = g_getenv ("WATCHDOG_USEC");
  guint64 value;

  if (usec == NULL || !g_ascii_string_to_unsigned (usec, 10, 1, G_MAXUINT64, &value, NULL)
      || (g_getenv ("WATCHDOG_PID") != NULL && !vp_sdnotify_is_ours ("WATCHDOG_PID")))
    return 0;
  return MAX (value / 2, 1);
}
