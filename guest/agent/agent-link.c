/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-util.h"

/* ---- what there is ---- */

static int
read_link (const struct nlmsghdr *m, AgentLink *link)
{
  const struct rtattr *a[IFLA_MTU + 1]; /* the highest of those that are of interest */
  const struct ifinfomsg *info = NLMSG_DATA (m);
  size_t len;

  if (m->nlmsg_type != RTM_NEWLINK || agent_netlink_parse (m, sizeof *info, a, sizeof a / sizeof a[0]) < 0
      || a[IFLA_IFNAME] == NULL)
    return -EBADMSG;
  memset (link, 0, sizeof *link);
  link->index = info->ifi_index;
  link->flags = info->ifi_flags;
  link->mtu = agent_netlink_get_u32 (a[IFLA_MTU], 0);
  len = RTA_PAYLOAD (a[IFLA_IFNAME]);
  memcpy (link->name, RTA_DATA (a[IFLA_IFNAME]), len < IFNAMSIZ ? len : IFNAMSIZ - 1);
  if (a[IFLA_ADDRESS] != NULL && RTA_PAYLOAD (a[IFLA_ADDRESS]) == AGENT_MAC_LEN)
    {
      link->has_mac = !(link->flags & IFF_LOOPBACK);
      memcpy (link->mac, RTA_DATA (a[IFLA_ADDRESS]), AGENT_MAC_LEN);
    }
  return 0;
}

int
agent_links_read (AgentNetlink *n, AgentLinks *ret)
{
  AgentNetlinkDump dump;
  int rc = agent_netlink_dump (n, RTM_GETLINK, AF_UNSPEC, &dump);

  memset (ret, 0, sizeof *ret);
  if (rc < 0)
    return rc;
  ret->links = agent_alloc ((agent_netlink_dump_count (&dump) + 1) * sizeof *ret->links);
  for (const struct nlmsghdr *m = NULL; (m = agent_netlink_dump_next (&dump, m)) != NULL;)
    if (read_link (m, &ret->links[ret->n]) == 0)
      ret->n++;
  agent_netlink_dump_free (&dump);
  return 0;
}

void
agent_links_clear (AgentLinks *links)
{
  free (links->links);
  memset (links, 0, sizeof *links);
}

const AgentLink *
agent_links_find_mac (const AgentLinks *links, const uint8_t mac[AGENT_MAC_LEN])
{
  for (size_t i = 0; i < links->n; i++)
    if (links->links[i].has_mac && memcmp (links->links[i].mac, mac, AGENT_MAC_LEN) == 0)
      return &links->links[i];
  return NULL;
}

const AgentLink *
agent_links_find_name (const AgentLinks *links, const char *name)
{
  for (size_t i = 0; i < links->n; i++)
    if (strcmp (links->links[i].name, name) == 0)
      return &links->links[i];
  return NULL;
}

const AgentLink *
agent_links_find_index (const AgentLinks *links, int index)
{
  for (size_t i = 0; i < links->n; i++)
    if (links->links[i].index == index)
      return &links->links[i];
  return NULL;
}

/* ---- what is changed ---- */

int
agent_link_name_is_valid (const char *name)
{
  size_t len = strlen (name);

  if (len == 0 || len >= IFNAMSIZ || strcmp (name, ".") == 0 || strcmp (name, "..") == 0)
    return 0;
  for (size_t i = 0; i < len; i++)
    /* '%' asks the kernel for a number in its place */
    if (name[i] <= ' ' || name[i] > '~' || strchr ("/:%", name[i]) != NULL)
      return 0;
  return 1;
}

static void
begin_link (AgentNetlink *n, const AgentLink *link, unsigned flags, unsigned mask)
{
  struct ifinfomsg info = { .ifi_index = link->index, .ifi_flags = flags, .ifi_change = mask };

  agent_netlink_begin (n, RTM_NEWLINK, 0, &info, sizeof info);
}

int
agent_link_set_mtu (AgentNetlink *n, const AgentLink *link, uint32_t mtu)
{
  begin_link (n, link, 0, 0);
  agent_netlink_put_u32 (n, IFLA_MTU, mtu);
  return agent_netlink_send (n);
}

int
agent_link_set_flags (AgentNetlink *n, const AgentLink *link, unsigned flags, unsigned mask)
{
  begin_link (n, link, flags, mask);
  return agent_netlink_send (n);
}

static int
set_name (AgentNetlink *n, const AgentLink *link, const char *name)
{
  begin_link (n, link, 0, 0);
  agent_netlink_put (n, IFLA_IFNAME, name, strlen (name) + 1);
  return agent_netlink_send (n);
}

/* An interface that goes down loses its IPv6 addresses, unless this is set. */
static void
keep_addresses (const char *name, const char *value)
{
  char *path = agent_printf ("/proc/sys/net/ipv6/conf/%s/keep_addr_on_down", name);

  /* a guest without IPv6 has none to keep */
  (void)agent_write_file (path, value, strlen (value), 0);
  free (path);
}

/* An interface must be down to be renamed. */
static int
take_down (AgentNetlink *n, const AgentLink *link)
{
  if (!(link->flags & IFF_UP))
    return 0;
  keep_addresses (link->name, "1");
  return agent_link_set_flags (n, link, 0, IFF_UP);
}

static int
bring_back (AgentNetlink *n, const AgentLink *link, const char *name)
{
  int rc;

  if (!(link->flags & IFF_UP))
    return 0;
  rc = agent_link_set_flags (n, link, IFF_UP, IFF_UP);
  keep_addresses (name, "0");
  return rc;
}

/* @link is down. */
static int
trade_names (AgentNetlink *n, const AgentLink *link, const AgentLink *other)
{
  char between[IFNAMSIZ];
  int rc;

  snprintf (between, sizeof between, "vp%d~", link->index);
  rc = set_name (n, link, between);
  if (rc < 0)
    return rc;
  rc = take_down (n, other);
  if (rc == 0)
    rc = set_name (n, other, link->name);
  if (rc == 0)
    rc = set_name (n, link, other->name);
  if (rc == 0)
    return bring_back (n, other, link->name);
  /* as it was, as far as that goes; the first failure is what counts */
  (void)set_name (n, other, other->name);
  (void)bring_back (n, other, other->name);
  (void)set_name (n, link, link->name);
  return rc;
}

int
agent_link_rename (AgentNetlink *n, const AgentLinks *links, const AgentLink *link, const char *name)
{
  const AgentLink *other = agent_links_find_name (links, name);
  int rc, back;

  if (other == link)
    return 0;
  rc = take_down (n, link);
  if (rc == 0)
    rc = other != NULL ? trade_names (n, link, other) : set_name (n, link, name);
  back = bring_back (n, link, rc == 0 ? name : link->name);
  return rc < 0 ? rc : back;
}
