/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-net-nl.h"

#include <netlink/errno.h>

#include "vp-error.h"

static VpError
code_from_nl (int err)
{
  switch (ABS (err))
    {
    case NLE_OBJ_NOTFOUND:
    case NLE_NODEV:
      return VP_ERROR_NOT_FOUND;
    case NLE_EXIST:
      return VP_ERROR_ALREADY_EXISTS;
    case NLE_BUSY:
      return VP_ERROR_BUSY;
    case NLE_PERM:
    case NLE_NOACCESS:
      return VP_ERROR_NOT_AUTHORIZED;
    case NLE_NOMEM:
      return VP_ERROR_RESOURCE_EXHAUSTED;
    case NLE_OPNOTSUPP:
    case NLE_PROTO_MISMATCH:
    case NLE_AF_NOSUPPORT:
      return VP_ERROR_NOT_SUPPORTED;
    default:
      return VP_ERROR_FAILED;
    }
}

gboolean
vp_net_nl_check (int err, GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  if (err >= 0)
    return TRUE;
  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, VP_ERROR, (int)code_from_nl (err), "%s: %s", what, nl_geterror (err));
  return FALSE;
}

VpNlSock *
vp_net_nl_open (GError **error)
{
  g_autoptr (VpNlSock) sock = nl_socket_alloc ();

  if (sock == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED, "rtnetlink: no memory");
      return NULL;
    }
  if (!vp_net_nl_check (nl_connect (sock, NETLINK_ROUTE), error, "rtnetlink"))
    return NULL;
  return g_steal_pointer (&sock);
}

VpNlLink *
vp_net_nl_get_link (VpNlSock *sock, const char *name, GError **error)
{
  struct rtnl_link *link = NULL;

  if (!vp_net_nl_check (rtnl_link_get_kernel (sock, 0, name, &link), error, "interface \"%s\"", name))
    return NULL;
  return link;
}
