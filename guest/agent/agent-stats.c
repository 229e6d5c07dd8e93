/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "agent-cgroup.h"
#include "agent-container.h"
#include "agent-details.h"
#include "agent.pb-c.h"

#define MAX_MEMORY_STATS 128
#define NSEC_PER_USEC 1000

/* memory.stat as the message has it */
typedef struct
{
  Grpc__MemoryStats__StatsEntry entries[MAX_MEMORY_STATS];
  Grpc__MemoryStats__StatsEntry *pointers[MAX_MEMORY_STATS];
  size_t n;
} MemoryStats;

static void
add_memory_stat (const char *key, uint64_t value, void *data)
{
  MemoryStats *m = data;

  if (m->n == MAX_MEMORY_STATS)
    return;
  grpc__memory_stats__stats_entry__init (&m->entries[m->n]);
  m->entries[m->n].key = agent_strdup (key);
  m->entries[m->n].value = value;
  m->pointers[m->n] = &m->entries[m->n];
  m->n++;
}

static void
fill_cpu (const char *cgroup, Grpc__CpuUsage *usage, Grpc__ThrottlingData *throttling)
{
  usage->total_usage = agent_cgroup_read_key (cgroup, "cpu.stat", "usage_usec") * NSEC_PER_USEC;
  usage->usage_in_usermode = agent_cgroup_read_key (cgroup, "cpu.stat", "user_usec") * NSEC_PER_USEC;
  usage->usage_in_kernelmode = agent_cgroup_read_key (cgroup, "cpu.stat", "system_usec") * NSEC_PER_USEC;
  throttling->periods = agent_cgroup_read_key (cgroup, "cpu.stat", "nr_periods");
  throttling->throttled_periods = agent_cgroup_read_key (cgroup, "cpu.stat", "nr_throttled");
  throttling->throttled_time = agent_cgroup_read_key (cgroup, "cpu.stat", "throttled_usec") * NSEC_PER_USEC;
}

static void
reply_stats (AgentCall *call, const char *cgroup)
{
  Grpc__StatsContainerResponse response = GRPC__STATS_CONTAINER_RESPONSE__INIT;
  Grpc__CgroupStats stats = GRPC__CGROUP_STATS__INIT;
  Grpc__CpuStats cpu = GRPC__CPU_STATS__INIT;
  Grpc__CpuUsage cpu_usage = GRPC__CPU_USAGE__INIT;
  Grpc__ThrottlingData throttling = GRPC__THROTTLING_DATA__INIT;
  Grpc__MemoryStats memory = GRPC__MEMORY_STATS__INIT;
  Grpc__MemoryData usage = GRPC__MEMORY_DATA__INIT, swap = GRPC__MEMORY_DATA__INIT;
  Grpc__PidsStats pids = GRPC__PIDS_STATS__INIT;
  MemoryStats *list = agent_new (MemoryStats);

  fill_cpu (cgroup, &cpu_usage, &throttling);
  cpu.cpu_usage = &cpu_usage;
  cpu.throttling_data = &throttling;
  usage.usage = agent_cgroup_read (cgroup, "memory.current", 0);
  usage.max_usage = agent_cgroup_read (cgroup, "memory.peak", 0);
  usage.limit = agent_cgroup_read (cgroup, "memory.max", UINT64_MAX);
  usage.failcnt = agent_cgroup_read_key (cgroup, "memory.events", "max");
  swap.usage = agent_cgroup_read (cgroup, "memory.swap.current", 0);
  swap.limit = agent_cgroup_read (cgroup, "memory.swap.max", UINT64_MAX);
  agent_cgroup_each (cgroup, "memory.stat", add_memory_stat, list);
  memory.cache = agent_cgroup_read_key (cgroup, "memory.stat", "file");
  memory.usage = &usage;
  memory.swap_usage = &swap;
  memory.use_hierarchy = 1;
  memory.n_stats = list->n;
  memory.stats = list->pointers;
  pids.current = agent_cgroup_read (cgroup, "pids.current", 0);
  pids.limit = agent_cgroup_read (cgroup, "pids.max", 0);
  stats.cpu_stats = &cpu;
  stats.memory_stats = &memory;
  stats.pids_stats = &pids;
  response.cgroup_stats = &stats;
  agent_call_reply (call, &response.base);
  for (size_t i = 0; i < list->n; i++)
    free (list->entries[i].key);
  free (list);
}

void
agent_handle_stats_container (Agent *agent, AgentCall *call)
{
  const Grpc__StatsContainerRequest *r = agent_call_request (call);
  AgentContainer *c = agent_container_of_call (agent, call, r->container_id);

  if (c == NULL)
    return;
  if (c->cgroup == NULL)
    agent_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "container \"%s\": has no cgroup", c->id);
  else
    reply_stats (call, c->cgroup);
}
