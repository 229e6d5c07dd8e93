/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-address.h"
#include "agent-link.h"
#include "agent-log.h"
#include "agent-module.h"
#include "agent-network.h"
#include "agent.pb-c.h"

/* How long an interface that is being plugged in may take, and how often it is looked for. */
#define WAIT_MSEC 10000
#define LOOK_MSEC 20

#define MTU_MIN 68 /* what IPv4 needs; the kernel knows the most of each interface */
#define MTU_MAX 65535

/* ---- what is asked for ---- */

typedef struct
{
  Agent *agent;
  AgentCall *call;
  uint64_t until; /* the end of waiting, in the time of agent_now() */
  int driver_loaded;
  uint8_t mac[AGENT_MAC_LEN];
  AgentInet *inets; /* as many as the request has addresses */
} Update;

static void
update_free (Update *u)
{
  free (u->inets);
  free (u);
}

static int
parse_address (const Types__IPAddress *message, size_t i, AgentInet *ret, AgentFailure *f)
{
  if (agent_inet_parse (message->address, ret) < 0 || !agent_inet_is_unicast (ret))
    return agent_failure_invalid (
        f, "interface.IPAddresses[%zu].address: " AGENT_VALUE " is not an address of an interface", i,
        message->address);
  /* v4 is what a sender that does not fill it in says, too */
  if (message->family == TYPES__IPFAMILY__v6 && ret->family != AF_INET6)
    return agent_failure_invalid (
        f, "interface.IPAddresses[%zu].family: " AGENT_VALUE " is not an IPv6 address", i, message->address);
  if (agent_inet_parse_prefix (message->mask, ret) < 0)
    return agent_failure_invalid (f, "interface.IPAddresses[%zu].mask: " AGENT_VALUE ": must be 0 to %u", i,
                                  message->mask, agent_inet_bits (ret));
  return 0;
}

/* The request, checked as far as that goes without the interface. */
static int
parse_request (const Types__Interface *r, Update *u, AgentFailure *f)
{
  if (r == NULL)
    return agent_failure_invalid (f, "interface: is missing");
  if (agent_mac_parse (r->hwaddr, u->mac) < 0)
    return agent_failure_invalid (f, "interface.hwAddr: " AGENT_VALUE " is not a hardware address",
                                  r->hwaddr);
  if (r->name[0] != '\0' && !agent_link_name_is_valid (r->name))
    return agent_failure_invalid (f, "interface.name: " AGENT_VALUE " is not a name of an interface",
                                  r->name);
  if (r->mtu != 0 && (r->mtu < MTU_MIN || r->mtu > MTU_MAX))
    return agent_failure_invalid (f, "interface.mtu: %llu: must be %d to %d", (unsigned long long)r->mtu,
                                  MTU_MIN, MTU_MAX);
  if (r->n_ipaddresses > AGENT_NETWORK_MAX)
    return agent_failure_invalid (f, "interface.IPAddresses: %zu are too many, at most %d", r->n_ipaddresses,
                                  AGENT_NETWORK_MAX);
  u->inets = agent_alloc ((r->n_ipaddresses + 1) * sizeof *u->inets);
  for (size_t i = 0; i < r->n_ipaddresses; i++)
    if (parse_address (r->ipaddresses[i], i, &u->inets[i], f) < 0)
      return -1;
  return 0;
}

/* ---- addresses ---- */

/* What the kernel made by itself, or a router had it make: not ours to take away. */
static int
is_automatic (const AgentAddress *a)
{
  return !(a->flags & IFA_F_PERMANENT) || agent_inet_is_link_local6 (&a->inet);
}

static int
is_wanted (const AgentInet *inet, const AgentInet *inets, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (agent_inet_equal (inet, &inets[i]))
      return 1;
  return 0;
}

static int
remove_others (AgentNetlink *n, int index, const AgentInet *inets, size_t n_inets, AgentFailure *f)
{
  char text[AGENT_INET_TEXT_MAX];
  AgentAddresses all;
  int rc = agent_addresses_read (n, &all);

  if (rc < 0)
    return agent_failure_netlink (f, n, rc, "interface.IPAddresses: cannot list them");
  for (size_t i = 0; rc == 0 && i < all.n; i++)
    {
      const AgentAddress *a = &all.addresses[i];

      if (a->index != index || is_automatic (a) || is_wanted (&a->inet, inets, n_inets))
        continue;
      rc = agent_address_remove (n, index, &a->inet);
      /* it went together with the first address of its network */
      if (rc == -EADDRNOTAVAIL)
        rc = 0;
      if (rc < 0)
        rc = agent_failure_netlink (f, n, rc, "interface.IPAddresses: cannot remove %s",
                                    agent_inet_network_text (&a->inet, text));
    }
  agent_addresses_clear (&all);
  return rc;
}

static int
add_missing (AgentNetlink *n, int index, const AgentInet *inets, size_t n_inets, AgentFailure *f)
{
  char text[AGENT_INET_TEXT_MAX];
  AgentAddresses all;
  int rc = agent_addresses_read (n, &all);

  if (rc < 0)
    return agent_failure_netlink (f, n, rc, "interface.IPAddresses: cannot list them");
  for (size_t i = 0; rc == 0 && i < n_inets; i++)
    {
      int present = 0;

      for (size_t j = 0; !present && j < all.n; j++)
        present = all.addresses[j].index == index && agent_inet_equal (&all.addresses[j].inet, &inets[i]);
      if (present)
        continue;
      rc = agent_address_add (n, index, &inets[i]);
      if ((rc == -EACCES || rc == -EOPNOTSUPP) && inets[i].family == AF_INET6)
        {
          agent_warning ("%s: IPv6 is disabled in this guest", agent_inet_network_text (&inets[i], text));
          rc = 0;
        }
      if (rc < 0)
        rc = agent_failure_netlink (f, n, rc, "interface.IPAddresses[%zu]: %s", i,
                                    agent_inet_network_text (&inets[i], text));
    }
  agent_addresses_clear (&all);
  return rc;
}

/* ---- an interface as a message ---- */

static Types__IPAddress *
new_address (const AgentInet *inet)
{
  Types__IPAddress *message = agent_new_message (Types__IPAddress, types__ipaddress__init);
  char text[AGENT_INET_TEXT_MAX];

  message->family = inet->family == AF_INET6 ? TYPES__IPFAMILY__v6 : TYPES__IPFAMILY__v4;
  message->address = agent_strdup (agent_inet_text (inet, text));
  message->mask = agent_printf ("%u", inet->prefix);
  return message;
}

static Types__Interface *
new_interface (const AgentLink *link, const AgentAddresses *addresses)
{
  Types__Interface *message = agent_new_message (Types__Interface, types__interface__init);
  char text[AGENT_MAC_TEXT_MAX];
  size_t n = 0;

  message->device = agent_strdup (link->name);
  message->name = agent_strdup (link->name);
  message->mtu = link->mtu;
  message->raw_flags = link->flags;
  if (link->has_mac)
    message->hwaddr = agent_strdup (agent_mac_text (link->mac, text));
  for (size_t i = 0; i < addresses->n; i++)
    n += addresses->addresses[i].index == link->index;
  if (n > 0)
    message->ipaddresses = agent_alloc (n * sizeof *message->ipaddresses);
  for (size_t i = 0; i < addresses->n; i++)
    if (addresses->addresses[i].index == link->index)
      message->ipaddresses[message->n_ipaddresses++] = new_address (&addresses->addresses[i].inet);
  return message;
}

/* @links and @addresses are to be cleared in any case. */
static int
read_all (AgentNetlink *n, AgentLinks *links, AgentAddresses *addresses, AgentFailure *f)
{
  int rc = agent_links_read (n, links);

  memset (addresses, 0, sizeof *addresses);
  if (rc == 0)
    rc = agent_addresses_read (n, addresses);
  return rc < 0 ? agent_failure_netlink (f, n, rc, "cannot list the interfaces") : 0;
}

static Types__Interface *
interface_of_index (AgentNetlink *n, int index, AgentFailure *f)
{
  Types__Interface *message = NULL;
  AgentAddresses addresses;
  const AgentLink *link;
  AgentLinks links;

  if (read_all (n, &links, &addresses, f) == 0)
    {
      link = agent_links_find_index (&links, index);
      if (link != NULL)
        message = new_interface (link, &addresses);
      else
        agent_failure_set (f, VP_GRPC_NOT_FOUND, "interface.hwAddr: the interface is gone again");
    }
  agent_addresses_clear (&addresses);
  agent_links_clear (&links);
  return message;
}

/* ---- UpdateInterface ---- */

static int
configure (AgentNetlink *n, const Update *u, const AgentLinks *links, const AgentLink *link, AgentFailure *f)
{
  const Types__Interface *r = ((const Grpc__UpdateInterfaceRequest *)agent_call_request (u->call))->interface;
  const char *name = r->name[0] != '\0' ? r->name : link->name;
  const AgentLink *other = agent_links_find_name (links, name);
  int rc;

  if (other != NULL && (other->flags & IFF_LOOPBACK))
    return agent_failure_invalid (f, "interface.name: %s is the loopback interface", name);
  rc = agent_link_rename (n, links, link, name);
  if (rc < 0)
    return agent_failure_netlink (f, n, rc, "interface.name: %s", name);
  if (r->mtu != 0 && r->mtu != link->mtu && (rc = agent_link_set_mtu (n, link, (uint32_t)r->mtu)) < 0)
    return agent_failure_netlink (f, n, rc, "interface.mtu: %llu", (unsigned long long)r->mtu);
  /* Up before it has addresses: with many of IPv6 the kernel may lose some of them when
   * it goes up later. The other flags of the host's interface are its state, and say
   * nothing about this one. */
  rc = agent_link_set_flags (n, link, IFF_UP | (r->raw_flags & IFF_NOARP), IFF_UP | IFF_NOARP);
  if (rc < 0)
    return agent_failure_netlink (f, n, rc, "interface.raw_flags: 0x%x", r->raw_flags);
  if (remove_others (n, link->index, u->inets, r->n_ipaddresses, f) < 0)
    return -1;
  return add_missing (n, link->index, u->inets, r->n_ipaddresses, f);
}

/* 1: it is not there (yet), 0: done with *ret, -1: failed */
static int
look (AgentNetlink *n, const Update *u, Types__Interface **ret, AgentFailure *f)
{
  const AgentLink *link;
  AgentLinks links;
  int rc = agent_links_read (n, &links);

  if (rc < 0)
    return agent_failure_netlink (f, n, rc, "cannot list the interfaces");
  link = agent_links_find_mac (&links, u->mac);
  if (link != NULL)
    {
      rc = configure (n, u, &links, link, f);
      if (rc == 0)
        rc = (*ret = interface_of_index (n, link->index, f)) != NULL ? 0 : -1;
    }
  agent_links_clear (&links);
  return link == NULL ? 1 : rc;
}

/* A guest without a network never needs the driver. Whether it was loaded now. */
static int
load_driver (Update *u)
{
  if (!u->agent->is_init || u->driver_loaded)
    return 0;
  u->driver_loaded = 1;
  return agent_module_load ("virtio_net", NULL) == 0;
}

/* As look(). */
static int
open_and_look (const Update *u, Types__Interface **ret, AgentFailure *f)
{
  AgentNetlink n;
  int rc = agent_netlink_open (&n);

  if (rc < 0)
    return agent_failure_set (f, agent_code_from_errno (rc), "rtnetlink: %s", strerror (-rc));
  rc = look (&n, u, ret, f);
  agent_netlink_close (&n);
  return rc;
}

static void
try_update (void *data)
{
  Update *u = data;
  /* whoever asked has given up: what comes now is not configured behind their back */
  int rc = agent_call_is_orphan (u->call) ? 1 : 0;
  char text[AGENT_MAC_TEXT_MAX];
  Types__Interface *done = NULL;
  AgentFailure f;

  if (rc == 0)
    {
      rc = open_and_look (u, &done, &f);
      if (rc == 1 && agent_now () < u->until)
        {
          agent_timer_new (u->agent->loop, load_driver (u) ? 0 : LOOK_MSEC, try_update, u);
          return;
        }
    }
  if (rc == 1)
    agent_failure_set (&f, VP_GRPC_NOT_FOUND, "interface.hwAddr: %s: no such interface",
                       agent_mac_text (u->mac, text));
  if (rc != 0)
    agent_call_fail (u->call, f.code, "%s", f.text);
  else
    agent_call_reply (u->call, &done->base);
  if (done != NULL)
    types__interface__free_unpacked (done, NULL);
  update_free (u);
}

void
agent_handle_update_interface (Agent *agent, AgentCall *call)
{
  const Grpc__UpdateInterfaceRequest *request = agent_call_request (call);
  Update *u = agent_new (Update);
  AgentFailure f;

  u->agent = agent;
  u->call = call;
  u->until = agent_now () + WAIT_MSEC;
  if (parse_request (request->interface, u, &f) < 0)
    {
      agent_call_fail (call, f.code, "%s", f.text);
      update_free (u);
      return;
    }
  try_update (u);
}

/* ---- ListInterfaces ---- */

static void
reply_all (AgentCall *call, const AgentLinks *links, const AgentAddresses *addresses)
{
  Grpc__Interfaces *response = agent_new_message (Grpc__Interfaces, grpc__interfaces__init);

  response->interfaces = agent_alloc ((links->n + 1) * sizeof *response->interfaces);
  for (size_t i = 0; i < links->n; i++)
    response->interfaces[response->n_interfaces++] = new_interface (&links->links[i], addresses);
  agent_call_reply (call, &response->base);
  grpc__interfaces__free_unpacked (response, NULL);
}

void
agent_handle_list_interfaces (Agent *agent, AgentCall *call)
{
  AgentAddresses addresses;
  AgentLinks links;
  AgentNetlink n;
  AgentFailure f;
  int rc = agent_netlink_open (&n);

  if (rc < 0)
    {
      agent_call_fail (call, agent_code_from_errno (rc), "rtnetlink: %s", strerror (-rc));
      return;
    }
  if (read_all (&n, &links, &addresses, &f) < 0)
    agent_call_fail (call, f.code, "%s", f.text);
  else
    reply_all (call, &links, &addresses);
  agent_addresses_clear (&addresses);
  agent_links_clear (&links);
  agent_netlink_close (&n);
}
