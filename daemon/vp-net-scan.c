/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-net-scan.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netlink/errno.h>
#include <netlink/route/addr.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#include "vp-error.h"
#include "vp-net-nl.h"
#include "vp-net-ns.h"
#include "vp-net-tap.h"

/* A dump during which something changed is taken again. */
#define MAX_DUMPS 5

typedef struct
{
  VpNetwork *network; /* to be filled */
  VpNlCache *links;
  GError **error;
  gboolean failed;
} Scan;

/* ---- libnl's values as ours ---- */

static gboolean
family_of (int af, VpFamily *ret)
{
  *ret = af == AF_INET6 ? VP_FAMILY_V6 : VP_FAMILY_V4;
  return af == AF_INET || af == AF_INET6;
}

/* Without a prefix length; "" for none. */
static char *
dup_ip (struct nl_addr *addr)
{
  char text[INET6_ADDRSTRLEN];

  if (addr == NULL || nl_addr_get_len (addr) == 0
      || inet_ntop (nl_addr_get_family (addr), nl_addr_get_binary_addr (addr), text, sizeof text) == NULL)
    return g_strdup ("");
  return g_strdup (text);
}

/* "" for a default route. */
static char *
dup_net (struct nl_addr *addr)
{
  g_autofree char *text = dup_ip (addr);

  if (*text == '\0' || nl_addr_get_prefixlen (addr) == 0)
    return g_strdup ("");
  return g_strdup_printf ("%s/%u", text, nl_addr_get_prefixlen (addr));
}

static char *
dup_mac (struct nl_addr *addr)
{
  char text[64];

  if (addr == NULL || nl_addr_get_len (addr) != 6)
    return g_strdup ("");
  return g_strdup (nl_addr2str (addr, text, sizeof text));
}

/* NULL: it has gone meanwhile. */
static char *
dup_name (Scan *scan, int index)
{
  char name[IF_NAMESIZE];

  return rtnl_link_i2name (scan->links, index, name, sizeof name) != NULL ? g_strdup (name) : NULL;
}

/* ---- links ---- */

/* The other half of what a hypervisor has: what it receives never comes to the namespace. */
static gboolean
is_macvtap (struct rtnl_link *link)
{
  return g_strcmp0 (rtnl_link_get_type (link), "macvtap") == 0;
}

/* Made by us for a guest, whoever's: it belongs to the other half of its pair. */
static gboolean
is_our_tap (struct rtnl_link *link)
{
  const char *alias = rtnl_link_get_ifalias (link);

  return alias != NULL && g_str_has_prefix (alias, VP_NET_TAP_NOTE)
         && g_strcmp0 (rtnl_link_get_type (link), "tun") == 0;
}

static void
take_link (struct nl_object *object, void *data)
{
  Scan *scan = data;
  struct rtnl_link *link = (struct rtnl_link *)object;
  g_autofree char *mac = NULL;
  VpNetworkInterface interface = { 0 };

  /* One that is down nobody has set up: kernels put some into every namespace.
   * What comes in by a port of a bridge or a bond is for its master. */
  if (scan->failed || (rtnl_link_get_flags (link) & IFF_UP) == 0 || rtnl_link_get_master (link) > 0
      || is_macvtap (link) || is_our_tap (link))
    return;
  mac = dup_mac (rtnl_link_get_addr (link));
  interface.name = rtnl_link_get_name (link);
  interface.mac = rtnl_link_get_arptype (link) == ARPHRD_ETHER ? mac : NULL;
  interface.kind = rtnl_link_get_type (link);
  interface.mtu = rtnl_link_get_mtu (link);
  interface.flags = rtnl_link_get_flags (link);
  interface.index = (guint)rtnl_link_get_ifindex (link);
  scan->failed = !vp_network_add_interface (scan->network, &interface, scan->error);
}

/* ---- addresses ---- */

/* The kernel's route to the other end of a point-to-point address is filtered
 * out with all routes of the kernel, and the agent knows no such addresses: it
 * is a route of its own. */
static gboolean
add_peer (Scan *scan, VpFamily family, const char *device, struct nl_addr *peer)
{
  g_autofree char *dest = dup_net (peer);
  const VpNetworkRoute route
      = { .family = family, .dest = dest, .device = (char *)device, .scope = RT_SCOPE_LINK };

  return *dest == '\0' || vp_network_add_route (scan->network, &route, RTPROT_BOOT, scan->error);
}

static void
take_address (struct nl_object *object, void *data)
{
  Scan *scan = data;
  struct rtnl_addr *addr = (struct rtnl_addr *)object;
  struct nl_addr *local = rtnl_addr_get_local (addr), *peer = rtnl_addr_get_peer (addr);
  g_autofree char *device = dup_name (scan, rtnl_addr_get_ifindex (addr));
  g_autofree char *text = dup_ip (local);
  VpNetworkAddress address = { .text = text, .prefix = (guint)rtnl_addr_get_prefixlen (addr) };
  gboolean has_peer = peer != NULL && local != NULL && nl_addr_cmp (local, peer) != 0;

  if (scan->failed || device == NULL || *text == '\0'
      || !family_of (rtnl_addr_get_family (addr), &address.family)
      || (rtnl_addr_get_flags (addr) & IFA_F_DADFAILED) != 0)
    return;
  if (has_peer)
    address.prefix = address.family == VP_FAMILY_V4 ? 32 : 128;
  scan->failed = !vp_network_add_address (scan->network, device, &address, scan->error)
                 || (has_peer && !add_peer (scan, address.family, device, peer));
}

/* ---- routes ---- */

static gboolean
refuse_route (Scan *scan, const char *dest, const char *why)
{
  g_set_error (scan->error, VP_ERROR, VP_ERROR_NOT_SUPPORTED, "network namespace: route \"%s\": %s",
               *dest != '\0' ? dest : "default", why);
  return FALSE;
}

static gboolean
add_route (Scan *scan, struct rtnl_route *in, VpFamily family)
{
  struct rtnl_nexthop *hop = rtnl_route_nexthop_n (in, 0);
  g_autofree char *device = dup_name (scan, rtnl_route_nh_get_ifindex (hop));
  g_autofree char *dest = dup_net (rtnl_route_get_dst (in));
  g_autofree char *gateway = dup_ip (rtnl_route_nh_get_gateway (hop));
  g_autofree char *source = dup_ip (rtnl_route_get_pref_src (in));
  VpNetworkRoute route = { family,
                           dest,
                           gateway,
                           device,
                           source,
                           rtnl_route_get_scope (in),
                           (guint)rtnl_route_nh_get_flags (hop),
                           0,
                           rtnl_route_get_priority (in) };
  guint mtu;

  if (device == NULL)
    return TRUE;
  if (rtnl_route_nh_get_via (hop) != NULL)
    return refuse_route (scan, dest, "its gateway has an address of the other family");
  if (rtnl_route_get_metric (in, RTAX_MTU, &mtu) == 0)
    route.mtu = mtu;
  return vp_network_add_route (scan->network, &route, rtnl_route_get_protocol (in), scan->error);
}

/* Of several next hops the guest gets the first. */
static void
take_route (struct nl_object *object, void *data)
{
  Scan *scan = data;
  struct rtnl_route *route = (struct rtnl_route *)object;
  VpFamily family;

  if (scan->failed || !family_of (rtnl_route_get_family (route), &family)
      || rtnl_route_get_table (route) != RT_TABLE_MAIN || rtnl_route_get_type (route) != RTN_UNICAST
      || rtnl_route_get_nnexthops (route) < 1)
    return;
  scan->failed = !add_route (scan, route, family);
}

/* ---- neighbours ---- */

static void
take_neighbour (struct nl_object *object, void *data)
{
  Scan *scan = data;
  struct rtnl_neigh *neigh = (struct rtnl_neigh *)object;
  g_autofree char *device = dup_name (scan, rtnl_neigh_get_ifindex (neigh));
  g_autofree char *address = dup_ip (rtnl_neigh_get_dst (neigh));
  g_autofree char *lladdr = dup_mac (rtnl_neigh_get_lladdr (neigh));
  VpNetworkNeighbour row = { .address = address, .device = device, .lladdr = lladdr };
  int state = rtnl_neigh_get_state (neigh);

  if (scan->failed || device == NULL || *address == '\0'
      || !family_of (rtnl_neigh_get_family (neigh), &row.family))
    return;
  row.state = state > 0 ? (guint)state : 0;
  row.flags = rtnl_neigh_get_flags (neigh);
  scan->failed = !vp_network_add_neighbour (scan->network, &row, scan->error);
}

/* ---- the whole ---- */

typedef enum
{
  DUMP_LINKS,
  DUMP_ADDRESSES,
  DUMP_ROUTES,
  DUMP_NEIGHBOURS,
} Dump;

static int
dump_once (VpNlSock *sock, Dump what, struct nl_cache **ret)
{
  switch (what)
    {
    case DUMP_LINKS:
      return rtnl_link_alloc_cache (sock, AF_UNSPEC, ret);
    case DUMP_ADDRESSES:
      return rtnl_addr_alloc_cache (sock, ret);
    case DUMP_ROUTES:
      return rtnl_route_alloc_cache (sock, AF_UNSPEC, 0, ret);
    default:
      return rtnl_neigh_alloc_cache (sock, ret);
    }
}

static VpNlCache *
dump (VpNlSock *sock, Dump what, const char *name, GError **error)
{
  struct nl_cache *cache = NULL;
  int err = -NLE_DUMP_INTR;

  for (guint i = 0; i < MAX_DUMPS && err == -NLE_DUMP_INTR; i++)
    err = dump_once (sock, what, &cache);
  return vp_net_nl_check (err, error, "network namespace: %s", name) ? cache : NULL;
}

static gboolean
dump_and_take (Scan *scan, VpNlSock *sock, Dump what, const char *name,
               void (*take) (struct nl_object *, void *))
{
  g_autoptr (VpNlCache) cache = dump (sock, what, name, scan->error);

  if (cache == NULL)
    return FALSE;
  nl_cache_foreach (cache, take, scan);
  return !scan->failed;
}

static gboolean
scan_in_namespace (gpointer data, GError **error)
{
  g_autoptr (VpNlSock) sock = vp_net_nl_open (error);
  g_autoptr (VpNlCache) links = sock != NULL ? dump (sock, DUMP_LINKS, "interfaces", error) : NULL;
  Scan scan = { data, links, error, FALSE };

  if (links == NULL)
    return FALSE;
  nl_cache_foreach (links, take_link, &scan);
  return !scan.failed && dump_and_take (&scan, sock, DUMP_ADDRESSES, "addresses", take_address)
         && dump_and_take (&scan, sock, DUMP_ROUTES, "routes", take_route)
         && dump_and_take (&scan, sock, DUMP_NEIGHBOURS, "neighbours", take_neighbour)
         && vp_network_seal (scan.network, error);
}

VpNetwork *
vp_net_scan (int fd, GError **error)
{
  g_autoptr (VpNetwork) network = vp_network_new ();

  return vp_net_ns_run (fd, scan_in_namespace, network, error) ? g_steal_pointer (&network) : NULL;
}
