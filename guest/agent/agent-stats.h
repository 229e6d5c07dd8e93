/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-rpc.h"
#include "agent.pb-c.h"

/* What a container uses, from its control group of version 2, and the network
 * interfaces of the guest, which all its containers share. What version 2 does not
 * count stays 0 or empty: usage by processor, the largest usage of huge pages, and of
 * blkio the queues, times and sectors. Swap is swap alone, without memory. A limit
 * that is not set is UINT64_MAX, that of processes 0. @net_dev is the path of a file
 * like /proc/net/dev. To be freed like an unpacked message. */
Grpc__StatsContainerResponse *agent_stats_new (const char *cgroup, const char *net_dev);

void agent_handle_stats_container (Agent *agent, AgentCall *call);
