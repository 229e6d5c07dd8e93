/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-inet.h"
#include "agent-netlink.h"

/* A route of the main table to somewhere, on one interface. */
typedef struct
{
  AgentInet dest; /* always has its family; a prefix of 0: everything */
  AgentInet gateway; /* AF_UNSPEC: none */
  AgentInet source; /* the same */
  int index;
  uint8_t scope;
  uint8_t protocol; /* who made it: RTPROT_* */
  uint32_t flags; /* RTNH_F_* */
  uint32_t priority;
  uint32_t mtu; /* 0: the interface's */
} AgentRoute;

typedef struct
{
  AgentRoute *routes;
  size_t n;
} AgentRoutes;

/* Those of both families, without what is the loopback interface's. One with several
 * next hops is as many routes. 0, to be cleared, or -errno */
int agent_routes_read (AgentNetlink *n, int loopback, AgentRoutes *ret);
void agent_routes_clear (AgentRoutes *routes);

/* Whether they lead to the same place in the same way. */
int agent_route_equal (const AgentRoute *a, const AgentRoute *b);

/* Adds @route, or has it replace the one with its destination and priority. 0 or
 * -errno, with n->reason */
int agent_route_set (AgentNetlink *n, const AgentRoute *route);
int agent_route_remove (AgentNetlink *n, const AgentRoute *route);
