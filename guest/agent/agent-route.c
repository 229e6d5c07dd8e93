/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-util.h"

/* ---- what there is ---- */

static void
read_gateway (AgentRoute *route, const struct rtattr *gateway)
{
  uint8_t family = route->dest.family;

  if (gateway != NULL)
    agent_inet_set (&route->gateway, family, family == AF_INET6 ? 128 : 32, RTA_DATA (gateway),
                    RTA_PAYLOAD (gateway));
}

/* What is on every next hop but the hop itself. */
static int
read_route (const struct nlmsghdr *m, uint8_t family, const struct rtattr **a, AgentRoute *route)
{
  static const uint8_t nothing[16];
  const struct rtattr *metrics[RTAX_MTU + 1];
  const struct rtmsg *info = NLMSG_DATA (m);

  if (m->nlmsg_type != RTM_NEWROUTE || agent_netlink_parse (m, sizeof *info, a, RTA_TABLE + 1) < 0)
    return -EBADMSG;
  /* a kernel without IPv6 answers with what it has */
  if (info->rtm_family != family || info->rtm_type != RTN_UNICAST || (info->rtm_flags & RTM_F_CLONED)
      || agent_netlink_get_u32 (a[RTA_TABLE], info->rtm_table) != RT_TABLE_MAIN)
    return -ENOENT;
  memset (route, 0, sizeof *route);
  if (a[RTA_DST] != NULL)
    agent_inet_set (&route->dest, family, info->rtm_dst_len, RTA_DATA (a[RTA_DST]), RTA_PAYLOAD (a[RTA_DST]));
  else
    agent_inet_set (&route->dest, family, 0, nothing, family == AF_INET6 ? 16 : 4);
  if (route->dest.family == AF_UNSPEC)
    return -EBADMSG;
  if (a[RTA_PREFSRC] != NULL)
    agent_inet_set (&route->source, family, family == AF_INET6 ? 128 : 32, RTA_DATA (a[RTA_PREFSRC]),
                    RTA_PAYLOAD (a[RTA_PREFSRC]));
  route->scope = info->rtm_scope;
  route->protocol = info->rtm_protocol;
  route->flags = info->rtm_flags & RTNH_F_ONLINK;
  route->priority = agent_netlink_get_u32 (a[RTA_PRIORITY], 0);
  if (a[RTA_METRICS] != NULL)
    {
      agent_netlink_parse_data (RTA_DATA (a[RTA_METRICS]), RTA_PAYLOAD (a[RTA_METRICS]), metrics,
                                RTAX_MTU + 1);
      route->mtu = agent_netlink_get_u32 (metrics[RTAX_MTU], 0);
    }
  return 0;
}

/* Room for one more; the pointer is good until the next one. */
static AgentRoute *
grow (AgentRoutes *routes, size_t *size)
{
  if (routes->n == *size)
    {
      AgentRoute *more = agent_alloc ((*size * 2 + 16) * sizeof *more);

      if (routes->n > 0)
        memcpy (more, routes->routes, routes->n * sizeof *more);
      free (routes->routes);
      routes->routes = more;
      *size = *size * 2 + 16;
    }
  return &routes->routes[routes->n++];
}

static void
add_hops (const AgentRoute *route, const struct rtattr *multipath, AgentRoutes *routes, size_t *size)
{
  const struct rtnexthop *hop = RTA_DATA (multipath);
  int left = (int)RTA_PAYLOAD (multipath);

  for (; left >= (int)sizeof *hop && RTNH_OK (hop, left);
       left -= RTNH_ALIGN (hop->rtnh_len), hop = RTNH_NEXT (hop))
    {
      const struct rtattr *a[RTA_GATEWAY + 1];
      AgentRoute *one = grow (routes, size);

      *one = *route;
      one->index = hop->rtnh_ifindex;
      one->flags = hop->rtnh_flags & RTNH_F_ONLINK;
      agent_netlink_parse_data (RTNH_DATA (hop), hop->rtnh_len - RTNH_LENGTH (0), a, RTA_GATEWAY + 1);
      read_gateway (one, a[RTA_GATEWAY]);
    }
}

static int
read_family (AgentNetlink *n, uint8_t family, int loopback, AgentRoutes *routes, size_t *size)
{
  AgentNetlinkDump dump;
  int rc = agent_netlink_dump (n, RTM_GETROUTE, family, &dump);

  if (rc < 0)
    return rc;
  for (const struct nlmsghdr *m = NULL; (m = agent_netlink_dump_next (&dump, m)) != NULL;)
    {
      const struct rtattr *a[RTA_TABLE + 1];
      AgentRoute route;

      if (read_route (m, family, a, &route) < 0)
        continue;
      route.index = (int)agent_netlink_get_u32 (a[RTA_OIF], 0);
      read_gateway (&route, a[RTA_GATEWAY]);
      if (a[RTA_MULTIPATH] != NULL)
        add_hops (&route, a[RTA_MULTIPATH], routes, size);
      else if (route.index != loopback)
        *grow (routes, size) = route;
    }
  agent_netlink_dump_free (&dump);
  return 0;
}

int
agent_routes_read (AgentNetlink *n, int loopback, AgentRoutes *ret)
{
  size_t size = 0;
  int rc;

  memset (ret, 0, sizeof *ret);
  rc = read_family (n, AF_INET, loopback, ret, &size);
  if (rc == 0)
    rc = read_family (n, AF_INET6, loopback, ret, &size);
  if (rc < 0)
    agent_routes_clear (ret);
  return rc;
}

void
agent_routes_clear (AgentRoutes *routes)
{
  free (routes->routes);
  memset (routes, 0, sizeof *routes);
}

int
agent_route_equal (const AgentRoute *a, const AgentRoute *b)
{
  /* IPv6 has no scopes */
  return agent_inet_equal (&a->dest, &b->dest) && agent_inet_equal (&a->gateway, &b->gateway)
         && agent_inet_equal (&a->source, &b->source) && a->index == b->index && a->priority == b->priority
         && a->mtu == b->mtu && a->flags == b->flags && (a->dest.family == AF_INET6 || a->scope == b->scope);
}

/* ---- what is changed ---- */

static void
begin (AgentNetlink *n, uint16_t type, uint16_t flags, const AgentRoute *route, uint8_t scope)
{
  struct rtmsg header = { .rtm_family = route->dest.family,
                          .rtm_dst_len = route->dest.prefix,
                          .rtm_table = RT_TABLE_MAIN,
                          .rtm_protocol = route->protocol,
                          .rtm_scope = scope,
                          .rtm_type = RTN_UNICAST,
                          .rtm_flags = route->flags & RTNH_F_ONLINK };

  agent_netlink_begin (n, type, flags, &header, sizeof header);
  agent_netlink_put (n, RTA_DST, route->dest.bytes, agent_inet_len (&route->dest));
  agent_netlink_put_u32 (n, RTA_OIF, (uint32_t)route->index);
  if (route->gateway.family != AF_UNSPEC)
    agent_netlink_put (n, RTA_GATEWAY, route->gateway.bytes, agent_inet_len (&route->gateway));
  if (route->priority != 0)
    agent_netlink_put_u32 (n, RTA_PRIORITY, route->priority);
}

int
agent_route_set (AgentNetlink *n, const AgentRoute *route)
{
  begin (n, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route, route->scope);
  if (route->source.family != AF_UNSPEC)
    agent_netlink_put (n, RTA_PREFSRC, route->source.bytes, agent_inet_len (&route->source));
  if (route->mtu != 0)
    {
      size_t nest = agent_netlink_begin_nest (n, RTA_METRICS);

      agent_netlink_put_u32 (n, RTAX_MTU, route->mtu);
      agent_netlink_end_nest (n, nest);
    }
  return agent_netlink_send (n);
}

int
agent_route_remove (AgentNetlink *n, const AgentRoute *route)
{
  begin (n, RTM_DELROUTE, 0, route, RT_SCOPE_NOWHERE);
  return agent_netlink_send (n);
}
