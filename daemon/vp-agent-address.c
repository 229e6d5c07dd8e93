/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-agent-address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <linux/vm_sockets.h>

#include "vp-fd.h"

#define VSOCK "vsock:"

char *
vp_agent_address_for_vsock (guint32 cid, guint32 port)
{
  return g_strdup_printf (VSOCK "%" G_GUINT32_FORMAT ":%" G_GUINT32_FORMAT, cid, port);
}

gboolean
vp_agent_address_is_vsock (const char *address, guint32 *ret_cid, guint32 *ret_port)
{
  const char *text = address + strlen (VSOCK);
  const char *colon;
  g_autofree char *cid_text = NULL;
  guint64 cid, port;

  if (!g_str_has_prefix (address, VSOCK) || (colon = strchr (text, ':')) == NULL)
    return FALSE;
  cid_text = g_strndup (text, (gsize) (colon - text));
  if (!g_ascii_string_to_unsigned (cid_text, 10, 0, G_MAXUINT32, &cid, NULL)
      || !g_ascii_string_to_unsigned (colon + 1, 10, 0, G_MAXUINT32, &port, NULL))
    return FALSE;
  *ret_cid = (guint32) cid;
  *ret_port = (guint32) port;
  return TRUE;
}

/* A path that does not fit is reached through its directory's descriptor. */
static int
connect_path (int fd, const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  VP_AUTO_FD dir = -1;

  if (strlen (path) < sizeof address.sun_path)
    g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  else
    {
      g_autofree char *dirname = g_path_get_dirname (path);
      g_autofree char *basename = g_path_get_basename (path);
      int n;

      dir = open (dirname, O_PATH | O_DIRECTORY | O_CLOEXEC);
      if (dir < 0)
        return -errno;
      n = g_snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir, basename);
      if (n >= (int) sizeof address.sun_path)
        return -ENAMETOOLONG;
    }
  return connect (fd, (struct sockaddr *) &address, sizeof address) == 0 ? 0 : -errno;
}

int
vp_agent_address_connect (const char *address, int *ret_fd)
{
  gboolean vsock = g_str_has_prefix (address, VSOCK);
  VP_AUTO_FD fd = socket (vsock ? AF_VSOCK : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct sockaddr_vm vm = { .svm_family = AF_VSOCK };
  int r;

  if (fd < 0)
    return -errno;
  if (!vsock)
    r = connect_path (fd, address);
  else if (!vp_agent_address_is_vsock (address, &vm.svm_cid, &vm.svm_port))
    return -EINVAL;
  else
    r = connect (fd, (struct sockaddr *) &vm, sizeof vm) == 0 ? 0 : -errno;
  if (r == 0 || r == -EINPROGRESS)
    *ret_fd = vp_fd_steal (&fd);
  return r;
}

gboolean
vp_agent_address_is_worth_waiting (const char *address, int errsv)
{
  switch (errsv)
    {
    case EINTR:
      return TRUE;
    case ENOENT: /* not made yet */
    case ECONNREFUSED: /* made, nobody listens yet */
    case EAGAIN: /* nobody accepts yet */
      return !g_str_has_prefix (address, VSOCK);
    case ECONNRESET: /* the guest's kernel is there, its agent is not */
    case ENODEV: /* nor is the kernel */
    case ETIMEDOUT: /* it is, and its driver is not */
    case EHOSTUNREACH:
      return g_str_has_prefix (address, VSOCK);
    default:
      return FALSE;
    }
}
