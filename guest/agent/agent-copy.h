/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-rpc.h"
#include "agent.pb-c.h"

/* Makes the directory, symbolic link or piece of a file that @r describes, beneath the
 * directory @base (which its path must begin with); no symbolic link is followed on
 * the way. A file comes in pieces, in order, into one of another name, which takes the
 * place of what is there when it is complete. VP_GRPC_OK, or a code and *ret_message
 * (malloc'd). */
VpGrpcCode agent_copy_file (const char *base, const Grpc__CopyFileRequest *r, char **ret_message);

void agent_handle_copy_file (Agent *agent, AgentCall *call);
