/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-network.h"

#include <linux/neighbour.h>
#include <stdlib.h>
#include <string.h>

#include "agent-link.h"
#include "agent.pb-c.h"

typedef struct
{
  int index;
  uint16_t state;
  uint8_t flags;
  AgentInet inet;
  uint8_t mac[AGENT_MAC_LEN];
} Neighbour;

static int
parse (const Types__ARPNeighbor *message, size_t i, const AgentLinks *links, Neighbour *ret, AgentFailure *f)
{
  const char *address = message->toipaddress != NULL ? message->toipaddress->address : "";
  const AgentLink *link = agent_links_find_name (links, message->device);

  if (agent_inet_parse (address, &ret->inet) < 0 || !agent_inet_is_unicast (&ret->inet))
    return agent_failure_invalid (f,
                                  "neighbors.ARPNeighbors[%zu].toIPAddress.address: " AGENT_VALUE
                                  " is not an address of a neighbour",
                                  i, address);
  if (agent_mac_parse (message->lladdr, ret->mac) < 0)
    return agent_failure_invalid (
        f, "neighbors.ARPNeighbors[%zu].lladdr: " AGENT_VALUE " is not a hardware address", i,
        message->lladdr);
  if (message->state < 0 || message->state > 0xff)
    return agent_failure_invalid (f, "neighbors.ARPNeighbors[%zu].state: %d: must be 0 to 255", i,
                                  message->state);
  if (message->flags < 0 || message->flags > 0xff)
    return agent_failure_invalid (f, "neighbors.ARPNeighbors[%zu].flags: %d: must be 0 to 255", i,
                                  message->flags);
  if (link == NULL)
    return agent_failure_set (f, VP_GRPC_NOT_FOUND,
                              "neighbors.ARPNeighbors[%zu].device: " AGENT_VALUE ": no such interface", i,
                              message->device);
  ret->index = link->index;
  /* one that the host knows is as good as one that was never asked for */
  ret->state = (uint16_t)(message->state != 0 ? message->state : NUD_PERMANENT);
  ret->flags = (uint8_t)message->flags;
  return 0;
}

static int
add (AgentNetlink *n, const Neighbour *neighbour)
{
  struct ndmsg header = { .ndm_family = neighbour->inet.family,
                          .ndm_ifindex = neighbour->index,
                          .ndm_state = neighbour->state,
                          .ndm_flags = neighbour->flags };

  agent_netlink_begin (n, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header);
  agent_netlink_put (n, NDA_DST, neighbour->inet.bytes, agent_inet_len (&neighbour->inet));
  agent_netlink_put (n, NDA_LLADDR, neighbour->mac, sizeof neighbour->mac);
  return agent_netlink_send (n);
}

static int
add_all (AgentNetlink *n, const Grpc__ARPNeighbors *request, AgentFailure *f)
{
  Neighbour *neighbours = agent_alloc ((request->n_arpneighbors + 1) * sizeof *neighbours);
  AgentLinks links;
  int rc = agent_links_read (n, &links);

  if (rc < 0)
    rc = agent_failure_netlink (f, n, rc, "neighbors: cannot list the interfaces");
  for (size_t i = 0; rc == 0 && i < request->n_arpneighbors; i++)
    rc = parse (request->arpneighbors[i], i, &links, &neighbours[i], f);
  for (size_t i = 0; rc == 0 && i < request->n_arpneighbors; i++)
    {
      rc = add (n, &neighbours[i]);
      if (rc < 0)
        rc = agent_failure_netlink (f, n, rc, "neighbors.ARPNeighbors[%zu]: %s", i,
                                    request->arpneighbors[i]->toipaddress->address);
    }
  agent_links_clear (&links);
  free (neighbours);
  return rc;
}

void
agent_handle_add_arp_neighbors (Agent *agent, AgentCall *call)
{
  const Grpc__AddARPNeighborsRequest *request = agent_call_request (call);
  AgentNetlink n;
  AgentFailure f;
  int rc;

  if (request->neighbors == NULL)
    {
      agent_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "neighbors: is missing");
      return;
    }
  if (request->neighbors->n_arpneighbors > AGENT_NETWORK_MAX)
    {
      agent_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "neighbors.ARPNeighbors: %zu are too many, at most %d",
                       request->neighbors->n_arpneighbors, AGENT_NETWORK_MAX);
      return;
    }
  rc = agent_netlink_open (&n);
  if (rc < 0)
    {
      agent_call_fail (call, agent_code_from_errno (rc), "rtnetlink: %s", strerror (-rc));
      return;
    }
  if (add_all (&n, request->neighbors, &f) < 0)
    agent_call_fail (call, f.code, "%s", f.text);
  else
    agent_call_reply (call, NULL);
  agent_netlink_close (&n);
}
