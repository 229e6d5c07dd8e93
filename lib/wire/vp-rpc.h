/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <protobuf-c/protobuf-c.h>

#define VP_RPC_AGENT_SERVICE "grpc.AgentService"
#define VP_RPC_HEALTH_SERVICE "grpc.Health"

/* Every call of the agent protocol. The numbers are ours alone, never on the wire. */
typedef enum
{
  VP_RPC_CREATE_CONTAINER,
  VP_RPC_START_CONTAINER,
  VP_RPC_REMOVE_CONTAINER,
  VP_RPC_EXEC_PROCESS,
  VP_RPC_SIGNAL_PROCESS,
  VP_RPC_WAIT_PROCESS,
  VP_RPC_UPDATE_CONTAINER,
  VP_RPC_UPDATE_EPHEMERAL_MOUNTS,
  VP_RPC_STATS_CONTAINER,
  VP_RPC_PAUSE_CONTAINER,
  VP_RPC_RESUME_CONTAINER,
  VP_RPC_REMOVE_STALE_VIRTIOFS_SHARE_MOUNTS,
  VP_RPC_GET_DIAGNOSTIC_DATA,
  VP_RPC_WRITE_STDIN,
  VP_RPC_READ_STDOUT,
  VP_RPC_READ_STDERR,
  VP_RPC_CLOSE_STDIN,
  VP_RPC_TTY_WIN_RESIZE,
  VP_RPC_UPDATE_INTERFACE,
  VP_RPC_UPDATE_ROUTES,
  VP_RPC_LIST_INTERFACES,
  VP_RPC_LIST_ROUTES,
  VP_RPC_ADD_ARP_NEIGHBORS,
  VP_RPC_GET_IPTABLES,
  VP_RPC_SET_IPTABLES,
  VP_RPC_GET_METRICS,
  VP_RPC_MEM_AGENT_MEMCG_SET,
  VP_RPC_MEM_AGENT_COMPACT_SET,
  VP_RPC_CREATE_SANDBOX,
  VP_RPC_DESTROY_SANDBOX,
  VP_RPC_ONLINE_CPU_MEM,
  VP_RPC_RESEED_RANDOM_DEV,
  VP_RPC_GET_GUEST_DETAILS,
  VP_RPC_MEM_HOTPLUG_BY_PROBE,
  VP_RPC_SET_GUEST_DATE_TIME,
  VP_RPC_COPY_FILE,
  VP_RPC_GET_OOM_EVENT,
  VP_RPC_ADD_SWAP,
  VP_RPC_ADD_SWAP_PATH,
  VP_RPC_GET_VOLUME_STATS,
  VP_RPC_RESIZE_VOLUME,
  VP_RPC_SET_POLICY,
  VP_RPC_HEALTH_CHECK,
  VP_RPC_HEALTH_VERSION,
  VP_N_RPCS
} VpRpc;

/* One row of the table: how a call is named on the wire and what it carries. */
typedef struct
{
  const char *service;
  const char *method;
  const ProtobufCMessageDescriptor *request;
  const ProtobufCMessageDescriptor *response;
} VpRpcInfo;

/* The row of @rpc; NULL only for a number that is none of the above. */
const VpRpcInfo *vp_rpc_info (VpRpc rpc);

/* The call named on the wire by @service and @method, -1 if there is none. */
int vp_rpc_find (const char *service, const char *method);
