/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-rpc.h"

/* Calls about the guest as such and the agent itself. */
void agent_handle_check (Agent *agent, AgentCall *call);
void agent_handle_version (Agent *agent, AgentCall *call);
void agent_handle_get_guest_details (Agent *agent, AgentCall *call);
void agent_handle_set_guest_date_time (Agent *agent, AgentCall *call);
void agent_handle_reseed_random_dev (Agent *agent, AgentCall *call);
void agent_handle_online_cpu_mem (Agent *agent, AgentCall *call);
