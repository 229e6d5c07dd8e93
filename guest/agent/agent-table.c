/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-container.h"
#include "agent-copy.h"
#include "agent-details.h"
#include "agent-diagnostic.h"
#include "agent-iptables.h"
#include "agent-metrics.h"
#include "agent-network.h"
#include "agent-process-rpc.h"
#include "agent-rpc.h"
#include "agent-sandbox.h"
#include "agent-stats.h"

/* All the agent can do. What has no row is answered with UNIMPLEMENTED. */
const AgentHandler agent_handlers[VP_N_RPCS] = {
  [VP_RPC_CREATE_CONTAINER] = agent_handle_create_container,
  [VP_RPC_START_CONTAINER] = agent_handle_start_container,
  [VP_RPC_REMOVE_CONTAINER] = agent_handle_remove_container,
  [VP_RPC_EXEC_PROCESS] = agent_handle_exec_process,
  [VP_RPC_SIGNAL_PROCESS] = agent_handle_signal_process,
  [VP_RPC_WAIT_PROCESS] = agent_handle_wait_process,
  [VP_RPC_UPDATE_CONTAINER] = agent_handle_update_container,
  [VP_RPC_UPDATE_EPHEMERAL_MOUNTS] = agent_handle_update_ephemeral_mounts,
  [VP_RPC_STATS_CONTAINER] = agent_handle_stats_container,
  [VP_RPC_PAUSE_CONTAINER] = agent_handle_pause_container,
  [VP_RPC_RESUME_CONTAINER] = agent_handle_resume_container,
  [VP_RPC_GET_DIAGNOSTIC_DATA] = agent_handle_get_diagnostic_data,
  [VP_RPC_WRITE_STDIN] = agent_handle_write_stdin,
  [VP_RPC_READ_STDOUT] = agent_handle_read_stdout,
  [VP_RPC_READ_STDERR] = agent_handle_read_stderr,
  [VP_RPC_CLOSE_STDIN] = agent_handle_close_stdin,
  [VP_RPC_TTY_WIN_RESIZE] = agent_handle_tty_win_resize,
  [VP_RPC_UPDATE_INTERFACE] = agent_handle_update_interface,
  [VP_RPC_UPDATE_ROUTES] = agent_handle_update_routes,
  [VP_RPC_LIST_INTERFACES] = agent_handle_list_interfaces,
  [VP_RPC_LIST_ROUTES] = agent_handle_list_routes,
  [VP_RPC_ADD_ARP_NEIGHBORS] = agent_handle_add_arp_neighbors,
  [VP_RPC_GET_IPTABLES] = agent_handle_get_iptables,
  [VP_RPC_SET_IPTABLES] = agent_handle_set_iptables,
  [VP_RPC_GET_METRICS] = agent_handle_get_metrics,
  [VP_RPC_CREATE_SANDBOX] = agent_handle_create_sandbox,
  [VP_RPC_DESTROY_SANDBOX] = agent_handle_destroy_sandbox,
  [VP_RPC_ONLINE_CPU_MEM] = agent_handle_online_cpu_mem,
  [VP_RPC_RESEED_RANDOM_DEV] = agent_handle_reseed_random_dev,
  [VP_RPC_GET_GUEST_DETAILS] = agent_handle_get_guest_details,
  [VP_RPC_SET_GUEST_DATE_TIME] = agent_handle_set_guest_date_time,
  [VP_RPC_COPY_FILE] = agent_handle_copy_file,
  [VP_RPC_GET_OOM_EVENT] = agent_handle_get_oom_event,
  [VP_RPC_HEALTH_CHECK] = agent_handle_check,
  [VP_RPC_HEALTH_VERSION] = agent_handle_version,
};
