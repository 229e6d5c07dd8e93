/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <net/if.h>

#include "agent-inet.h"
#include "agent-netlink.h"

/* The guest's network interfaces as they are when they are read. */
typedef struct
{
  int index;
  unsigned flags; /* IFF_UP, ... */
  uint32_t mtu;
  char name[IFNAMSIZ];
  int has_mac; /* an address of Ethernet's length */
  uint8_t mac[AGENT_MAC_LEN];
} AgentLink;

typedef struct
{
  AgentLink *links;
  size_t n;
} AgentLinks;

/* 0, to be cleared, or -errno */
int agent_links_read (AgentNetlink *n, AgentLinks *ret);
void agent_links_clear (AgentLinks *links);
/* Borrowed; NULL when there is none. The loopback interface has no MAC to be found by. */
const AgentLink *agent_links_find_mac (const AgentLinks *links, const uint8_t mac[AGENT_MAC_LEN]);
const AgentLink *agent_links_find_name (const AgentLinks *links, const char *name);
const AgentLink *agent_links_find_index (const AgentLinks *links, int index);

/* Whether the kernel takes it for a name, and nothing takes it for something else. */
int agent_link_name_is_valid (const char *name);

/* 0 or -errno, with n->reason */
int agent_link_set_mtu (AgentNetlink *n, const AgentLink *link, uint32_t mtu);
int agent_link_set_flags (AgentNetlink *n, const AgentLink *link, unsigned flags, unsigned mask);
/* Gives @link, one of @links, the name. Whoever has it gets @link's in exchange: where
 * interfaces trade names none is left with a made-up one. An interface that is up is
 * down for a moment and keeps its addresses, but not its routes. */
int agent_link_rename (AgentNetlink *n, const AgentLinks *links, const AgentLink *link, const char *name);
