/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-net-macvtap.h"

#include <netlink/errno.h>
#include <netlink/route/link.h>
#include <netlink/route/link/macvtap.h>

#include "vp-error.h"
#include "vp-net-nl.h"

gboolean
vp_net_macvtap_create (const char *name, const char *device, int fd, GError **error)
{
  g_autoptr (VpNlSock) sock = vp_net_nl_open (error);
  g_autoptr (VpNlLink) lower = sock != NULL ? vp_net_nl_get_link (sock, device, error) : NULL;
  g_autoptr (VpNlLink) link = NULL;
  int err;

  if (lower == NULL)
    return FALSE;
  link = rtnl_link_macvtap_alloc ();
  if (link == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED, "rtnetlink: no memory");
      return FALSE;
    }
  rtnl_link_set_name (link, name);
  rtnl_link_set_link (link, rtnl_link_get_ifindex (lower));
  rtnl_link_set_ns_fd (link, fd);
  /* the only one on the interface, with its hardware address */
  err = rtnl_link_macvtap_set_mode (link, (uint32_t)rtnl_link_macvtap_str2mode ("passthru"));
  if (err >= 0)
    err = rtnl_link_add (sock, link, NLM_F_CREATE | NLM_F_EXCL);
  /* EBUSY: its packets go elsewhere; EINVAL: there are others on it */
  if (ABS (err) == NLE_EXIST || ABS (err) == NLE_BUSY || ABS (err) == NLE_INVAL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS,
                   "interface \"%s\": somebody else has what it receives, or there is a \"%s\"", device, name);
      return FALSE;
    }
  return vp_net_nl_check (err, error, "macvtap \"%s\" on interface \"%s\"", name, device);
}
