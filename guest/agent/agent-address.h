/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <linux/if_addr.h>

#include "agent-inet.h"
#include "agent-netlink.h"

/* An address of a network interface; flags are IFA_F_*. */
typedef struct
{
  int index;
  uint32_t flags;
  AgentInet inet;
} AgentAddress;

typedef struct
{
  AgentAddress *addresses;
  size_t n;
} AgentAddresses;

/* Of all interfaces. 0, to be cleared, or -errno */
int agent_addresses_read (AgentNetlink *n, AgentAddresses *ret);
void agent_addresses_clear (AgentAddresses *addresses);
/* 0 or -errno, with n->reason */
int agent_address_add (AgentNetlink *n, int index, const AgentInet *inet);
int agent_address_remove (AgentNetlink *n, int index, const AgentInet *inet);
