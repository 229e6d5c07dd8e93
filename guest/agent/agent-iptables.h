/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-rpc.h"

/* The packet filter of the guest, which all containers share, by iptables-save and
 * iptables-restore of VP_GUEST_TOOLS. They run in a child, one call each; what they read
 * and say is bounded, and so is their time. */

void agent_handle_get_iptables (Agent *agent, AgentCall *call);
void agent_handle_set_iptables (Agent *agent, AgentCall *call);
