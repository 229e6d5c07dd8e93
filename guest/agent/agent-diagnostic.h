/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-rpc.h"

/* What a container consists of at the moment: see vp-agent-names.h. */
void agent_handle_get_diagnostic_data (Agent *agent, AgentCall *call);
