/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-agent-client.h"

/* Between the files of VpAgentClient. */

/* Borrowed. */
VpAgentConn *vp_agent_client_get_conn (VpAgentClient *self);

/* The agent serves: from here on the end of the channel is a signal. */
void vp_agent_client_set_open (VpAgentClient *self);
