/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-net-tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vp-error.h"
#include "vp-fd.h"
#include "vp-net-nl.h"

#define TUN_DEVICE "/dev/net/tun"

G_STATIC_ASSERT (IF_NAMESIZE == IFNAMSIZ);

/* libnl's part of making one: what the tun driver's own calls do not say. */
gboolean
vp_net_tap_describe (const VpNetTap *tap, GError **error)
{
  g_autoptr (VpNlSock) sock = vp_net_nl_open (error);
  g_autoptr (VpNlLink) link = sock != NULL ? vp_net_nl_get_link (sock, tap->name, error) : NULL;
  g_autoptr (VpNlLink) change = link != NULL ? rtnl_link_alloc () : NULL;

  if (change == NULL)
    return FALSE;
  if (tap->mtu != 0)
    rtnl_link_set_mtu (change, tap->mtu);
  if (tap->note != NULL)
    rtnl_link_set_ifalias (change, tap->note);
  return vp_net_nl_check (rtnl_link_change (sock, link, change, 0), error, "tap \"%s\"", tap->name);
}

/* The hypervisor opens it before it is moved, and libvirt brings it up for that:
 * no packet of the host goes to it, and it makes itself no address. */
static gboolean
make_silent (const char *name, GError **error)
{
  g_autoptr (VpNlSock) sock = vp_net_nl_open (error);
  g_autoptr (VpNlLink) link = sock != NULL ? vp_net_nl_get_link (sock, name, error) : NULL;
  g_autoptr (VpNlLink) change = link != NULL ? rtnl_link_alloc () : NULL;
  int err;

  if (change == NULL)
    return FALSE;
  err = rtnl_link_inet6_set_addr_gen_mode (change, IN6_ADDR_GEN_MODE_NONE);
  if (err >= 0)
    err = rtnl_link_change (sock, link, change, 0);
  /* a kernel without IPv6 has nothing to be silenced */
  if (err < 0 && rtnl_link_inet6_get_addr_gen_mode (link, &(uint8_t){ 0 }) < 0)
    return TRUE;
  return vp_net_nl_check (err, error, "tap \"%s\": IPv6", name);
}

gboolean
vp_net_tap_create (const VpNetTap *tap, GError **error)
{
  VP_AUTO_FD fd = open (TUN_DEVICE, O_RDWR | O_CLOEXEC);
  struct ifreq request = { 0 };

  if (fd < 0)
    return vp_error_set_errno (error, errno, "%s", TUN_DEVICE);
  if (g_strlcpy (request.ifr_name, tap->name, IFNAMSIZ) >= IFNAMSIZ)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "tap \"%s\": the name is too long", tap->name);
      return FALSE;
    }
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  /* else an existing one would be taken over */
  request.ifr_flags = (short)(request.ifr_flags | IFF_TUN_EXCL | (tap->queues > 1 ? IFF_MULTI_QUEUE : 0));
  if (ioctl (fd, TUNSETIFF, &request) < 0)
    return vp_error_set_errno (error, errno == EBUSY || errno == EINVAL ? EEXIST : errno, "tap \"%s\"",
                               tap->name);
  if (ioctl (fd, TUNSETPERSIST, 1) < 0)
    return vp_error_set_errno (error, errno, "tap \"%s\": keep", tap->name);
  if (vp_net_tap_describe (tap, error) && make_silent (tap->name, error))
    return TRUE;
  (void)ioctl (fd, TUNSETPERSIST, 0);
  return FALSE;
}

gboolean
vp_net_tap_remove (const char *name, GError **error)
{
  g_autoptr (GError) why = NULL;
  g_autoptr (VpNlSock) sock = vp_net_nl_open (error);
  g_autoptr (VpNlLink) link = sock != NULL ? vp_net_nl_get_link (sock, name, &why) : NULL;
  int err;

  if (sock == NULL)
    return FALSE;
  if (vp_error_is (why, VP_ERROR_NOT_FOUND))
    return TRUE;
  if (link == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&why));
      return FALSE;
    }
  if (g_strcmp0 (rtnl_link_get_type (link), "tun") != 0 && g_strcmp0 (rtnl_link_get_type (link), "macvtap") != 0)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "interface \"%s\": is no tap device", name);
      return FALSE;
    }
  err = rtnl_link_delete (sock, link);
  if (err < 0 && (ABS (err) == NLE_NODEV || ABS (err) == NLE_OBJ_NOTFOUND))
    return TRUE; /* it has gone by itself, with its hypervisor or its namespace */
  return vp_net_nl_check (err, error, "tap \"%s\": remove", name);
}

gboolean
vp_net_tap_move (const char *name, int fd, GError **error)
{
  g_autoptr (VpNlSock) sock = vp_net_nl_open (error);
  g_autoptr (VpNlLink) link = sock != NULL ? vp_net_nl_get_link (sock, name, error) : NULL;
  g_autoptr (VpNlLink) change = link != NULL ? rtnl_link_alloc () : NULL;

  if (change == NULL)
    return FALSE;
  rtnl_link_set_ns_fd (change, fd);
  return vp_net_nl_check (rtnl_link_change (sock, link, change, 0), error,
                          "tap \"%s\": move into the namespace", name);
}

gboolean
vp_net_tap_bring_up (const char *name, guint mtu, GError **error)
{
  const VpNetTap again = { .name = name, .mtu = mtu };
  g_autoptr (VpNlSock) sock = vp_net_nl_open (error);
  g_autoptr (VpNlLink) link = NULL;
  g_autoptr (VpNlLink) change = NULL;

  /* what IPv6 was told is forgotten in another namespace, what libvirt set may not be ours */
  if (sock == NULL || !make_silent (name, error) || !vp_net_tap_describe (&again, error)
      || (link = vp_net_nl_get_link (sock, name, error)) == NULL || (change = rtnl_link_alloc ()) == NULL)
    return FALSE;
  rtnl_link_set_flags (change, IFF_UP);
  return vp_net_nl_check (rtnl_link_change (sock, link, change, 0), error, "tap \"%s\": bring up", name);
}
