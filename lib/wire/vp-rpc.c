/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-rpc.h"

#include <string.h>

#include "agent.pb-c.h"
#include "csi.pb-c.h"
#include "google.pb-c.h"
#include "health.pb-c.h"
#include "types.pb-c.h"

#define AGENT VP_RPC_AGENT_SERVICE
#define HEALTH VP_RPC_HEALTH_SERVICE
#define EMPTY &google__protobuf__empty__descriptor

/* clang-format off */
static const VpRpcInfo table[VP_N_RPCS] = {
  [VP_RPC_CREATE_CONTAINER] = { AGENT, "CreateContainer",
    &grpc__create_container_request__descriptor, EMPTY },
  [VP_RPC_START_CONTAINER] = { AGENT, "StartContainer",
    &grpc__start_container_request__descriptor, EMPTY },
  [VP_RPC_REMOVE_CONTAINER] = { AGENT, "RemoveContainer",
    &grpc__remove_container_request__descriptor, EMPTY },
  [VP_RPC_EXEC_PROCESS] = { AGENT, "ExecProcess",
    &grpc__exec_process_request__descriptor, EMPTY },
  [VP_RPC_SIGNAL_PROCESS] = { AGENT, "SignalProcess",
    &grpc__signal_process_request__descriptor, EMPTY },
  [VP_RPC_WAIT_PROCESS] = { AGENT, "WaitProcess",
    &grpc__wait_process_request__descriptor, &grpc__wait_process_response__descriptor },
  [VP_RPC_UPDATE_CONTAINER] = { AGENT, "UpdateContainer",
    &grpc__update_container_request__descriptor, EMPTY },
  [VP_RPC_UPDATE_EPHEMERAL_MOUNTS] = { AGENT, "UpdateEphemeralMounts",
    &grpc__update_ephemeral_mounts_request__descriptor, EMPTY },
  [VP_RPC_STATS_CONTAINER] = { AGENT, "StatsContainer",
    &grpc__stats_container_request__descriptor, &grpc__stats_container_response__descriptor },
  [VP_RPC_PAUSE_CONTAINER] = { AGENT, "PauseContainer",
    &grpc__pause_container_request__descriptor, EMPTY },
  [VP_RPC_RESUME_CONTAINER] = { AGENT, "ResumeContainer",
    &grpc__resume_container_request__descriptor, EMPTY },
  [VP_RPC_REMOVE_STALE_VIRTIOFS_SHARE_MOUNTS] = { AGENT, "RemoveStaleVirtiofsShareMounts",
    &grpc__remove_stale_virtiofs_share_mounts_request__descriptor, EMPTY },
  [VP_RPC_GET_DIAGNOSTIC_DATA] = { AGENT, "GetDiagnosticData",
    &grpc__get_diagnostic_data_request__descriptor, &grpc__get_diagnostic_data_response__descriptor },
  [VP_RPC_WRITE_STDIN] = { AGENT, "WriteStdin",
    &grpc__write_stream_request__descriptor, &grpc__write_stream_response__descriptor },
  [VP_RPC_READ_STDOUT] = { AGENT, "ReadStdout",
    &grpc__read_stream_request__descriptor, &grpc__read_stream_response__descriptor },
  [VP_RPC_READ_STDERR] = { AGENT, "ReadStderr",
    &grpc__read_stream_request__descriptor, &grpc__read_stream_response__descriptor },
  [VP_RPC_CLOSE_STDIN] = { AGENT, "CloseStdin",
    &grpc__close_stdin_request__descriptor, EMPTY },
  [VP_RPC_TTY_WIN_RESIZE] = { AGENT, "TtyWinResize",
    &grpc__tty_win_resize_request__descriptor, EMPTY },
  [VP_RPC_UPDATE_INTERFACE] = { AGENT, "UpdateInterface",
    &grpc__update_interface_request__descriptor, &types__interface__descriptor },
  [VP_RPC_UPDATE_ROUTES] = { AGENT, "UpdateRoutes",
    &grpc__update_routes_request__descriptor, &grpc__routes__descriptor },
  [VP_RPC_LIST_INTERFACES] = { AGENT, "ListInterfaces",
    &grpc__list_interfaces_request__descriptor, &grpc__interfaces__descriptor },
  [VP_RPC_LIST_ROUTES] = { AGENT, "ListRoutes",
    &grpc__list_routes_request__descriptor, &grpc__routes__descriptor },
  [VP_RPC_ADD_ARP_NEIGHBORS] = { AGENT, "AddARPNeighbors",
    &grpc__add_arpneighbors_request__descriptor, EMPTY },
  [VP_RPC_GET_IPTABLES] = { AGENT, "GetIPTables",
    &grpc__get_iptables_request__descriptor, &grpc__get_iptables_response__descriptor },
  [VP_RPC_SET_IPTABLES] = { AGENT, "SetIPTables",
    &grpc__set_iptables_request__descriptor, &grpc__set_iptables_response__descriptor },
  [VP_RPC_GET_METRICS] = { AGENT, "GetMetrics",
    &grpc__get_metrics_request__descriptor, &grpc__metrics__descriptor },
  [VP_RPC_MEM_AGENT_MEMCG_SET] = { AGENT, "MemAgentMemcgSet",
    &grpc__mem_agent_memcg_config__descriptor, EMPTY },
  [VP_RPC_MEM_AGENT_COMPACT_SET] = { AGENT, "MemAgentCompactSet",
    &grpc__mem_agent_compact_config__descriptor, EMPTY },
  [VP_RPC_CREATE_SANDBOX] = { AGENT, "CreateSandbox",
    &grpc__create_sandbox_request__descriptor, EMPTY },
  [VP_RPC_DESTROY_SANDBOX] = { AGENT, "DestroySandbox",
    &grpc__destroy_sandbox_request__descriptor, EMPTY },
  [VP_RPC_ONLINE_CPU_MEM] = { AGENT, "OnlineCPUMem",
    &grpc__online_cpumem_request__descriptor, EMPTY },
  [VP_RPC_RESEED_RANDOM_DEV] = { AGENT, "ReseedRandomDev",
    &grpc__reseed_random_dev_request__descriptor, EMPTY },
  [VP_RPC_GET_GUEST_DETAILS] = { AGENT, "GetGuestDetails",
    &grpc__guest_details_request__descriptor, &grpc__guest_details_response__descriptor },
  [VP_RPC_MEM_HOTPLUG_BY_PROBE] = { AGENT, "MemHotplugByProbe",
    &grpc__mem_hotplug_by_probe_request__descriptor, EMPTY },
  [VP_RPC_SET_GUEST_DATE_TIME] = { AGENT, "SetGuestDateTime",
    &grpc__set_guest_date_time_request__descriptor, EMPTY },
  [VP_RPC_COPY_FILE] = { AGENT, "CopyFile",
    &grpc__copy_file_request__descriptor, EMPTY },
  [VP_RPC_GET_OOM_EVENT] = { AGENT, "GetOOMEvent",
    &grpc__get_oomevent_request__descriptor, &grpc__oomevent__descriptor },
  [VP_RPC_ADD_SWAP] = { AGENT, "AddSwap",
    &grpc__add_swap_request__descriptor, EMPTY },
  [VP_RPC_ADD_SWAP_PATH] = { AGENT, "AddSwapPath",
    &grpc__add_swap_path_request__descriptor, EMPTY },
  [VP_RPC_GET_VOLUME_STATS] = { AGENT, "GetVolumeStats",
    &grpc__volume_stats_request__descriptor, &grpc__volume_stats_response__descriptor },
  [VP_RPC_RESIZE_VOLUME] = { AGENT, "ResizeVolume",
    &grpc__resize_volume_request__descriptor, EMPTY },
  [VP_RPC_SET_POLICY] = { AGENT, "SetPolicy",
    &grpc__set_policy_request__descriptor, EMPTY },
  [VP_RPC_HEALTH_CHECK] = { HEALTH, "Check",
    &grpc__check_request__descriptor, &grpc__health_check_response__descriptor },
  [VP_RPC_HEALTH_VERSION] = { HEALTH, "Version",
    &grpc__check_request__descriptor, &grpc__version_check_response__descriptor },
};
/* clang-format on */

const VpRpcInfo *
vp_rpc_info (VpRpc rpc)
{
  return (unsigned) rpc < VP_N_RPCS ? &table[rpc] : NULL;
}

int
vp_rpc_find (const char *service, const char *method)
{
  for (int i = 0; i < VP_N_RPCS; i++)
    if (strcmp (table[i].method, method) == 0 && strcmp (table[i].service, service) == 0)
      return i;
  return -1;
}
