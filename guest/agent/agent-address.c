/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-util.h"

static int
read_address (const struct nlmsghdr *m, AgentAddress *address)
{
  const struct rtattr *a[IFA_FLAGS + 1], *inet;
  const struct ifaddrmsg *info = NLMSG_DATA (m);

  if (m->nlmsg_type != RTM_NEWADDR || agent_netlink_parse (m, sizeof *info, a, sizeof a / sizeof a[0]) < 0)
    return -EBADMSG;
  /* on a line between two, IFA_ADDRESS is the other's */
  inet = a[IFA_LOCAL] != NULL ? a[IFA_LOCAL] : a[IFA_ADDRESS];
  if (inet == NULL)
    return -EBADMSG;
  address->index = (int)info->ifa_index;
  address->flags = agent_netlink_get_u32 (a[IFA_FLAGS], info->ifa_flags);
  agent_inet_set (&address->inet, info->ifa_family, info->ifa_prefixlen, RTA_DATA (inet), RTA_PAYLOAD (inet));
  return address->inet.family == AF_UNSPEC ? -EBADMSG : 0;
}

int
agent_addresses_read (AgentNetlink *n, AgentAddresses *ret)
{
  AgentNetlinkDump dump;
  int rc = agent_netlink_dump (n, RTM_GETADDR, AF_UNSPEC, &dump);

  memset (ret, 0, sizeof *ret);
  if (rc < 0)
    return rc;
  ret->addresses = agent_alloc ((agent_netlink_dump_count (&dump) + 1) * sizeof *ret->addresses);
  for (const struct nlmsghdr *m = NULL; (m = agent_netlink_dump_next (&dump, m)) != NULL;)
    if (read_address (m, &ret->addresses[ret->n]) == 0)
      ret->n++;
  agent_netlink_dump_free (&dump);
  return 0;
}

void
agent_addresses_clear (AgentAddresses *addresses)
{
  free (addresses->addresses);
  memset (addresses, 0, sizeof *addresses);
}

static void
begin_address (AgentNetlink *n, uint16_t type, uint16_t flags, int index, const AgentInet *inet)
{
  struct ifaddrmsg info
      = { .ifa_family = inet->family, .ifa_prefixlen = inet->prefix, .ifa_index = (unsigned)index };

  agent_netlink_begin (n, type, flags, &info, sizeof info);
  agent_netlink_put (n, IFA_LOCAL, inet->bytes, agent_inet_len (inet));
  agent_netlink_put (n, IFA_ADDRESS, inet->bytes, agent_inet_len (inet));
}

/* The last address of the network. */
static void
put_broadcast (AgentNetlink *n, const AgentInet *inet)
{
  uint8_t bytes[4];

  memcpy (bytes, inet->bytes, sizeof bytes);
  for (unsigned bit = inet->prefix; bit < 32; bit++)
    bytes[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
  agent_netlink_put (n, IFA_BROADCAST, bytes, sizeof bytes);
}

int
agent_address_add (AgentNetlink *n, int index, const AgentInet *inet)
{
  begin_address (n, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, inet);
  /* Whoever gave the address to the host's side has looked whether it is free. To look
   * again would take a second in which it cannot be used. */
  if (inet->family == AF_INET6)
    agent_netlink_put_u32 (n, IFA_FLAGS, IFA_F_NODAD);
  else if (inet->prefix <= 30)
    put_broadcast (n, inet);
  return agent_netlink_send (n);
}

int
agent_address_remove (AgentNetlink *n, int index, const AgentInet *inet)
{
  begin_address (n, RTM_DELADDR, 0, index, inet);
  return agent_netlink_send (n);
}
