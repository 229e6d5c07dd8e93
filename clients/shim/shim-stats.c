/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-stats.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "shim-op.h"
#include "shim-util.h"
#include "vp-names.h"

#define MAX_ROWS 1024 /* of one list */
#define NSEC_PER_USEC 1000

/* All the messages that are there in any case. */
typedef struct
{
  Cgroup__Metrics metrics;
  Cgroup__PidsStat pids;
  Cgroup__CPUStat cpu;
  Cgroup__CPUUsage usage;
  Cgroup__Throttle throttle;
  Cgroup__MemoryStat memory;
  Cgroup__MemoryEntry entries[3];
  Cgroup__BlkIOStat blkio;
  uint64_t machine_cpu, machine_memory; /* 0: of a container */
} Stats;

typedef struct
{
  const char *key;
  size_t offset;
  unsigned factor;
} Number;

static const Number numbers[] = {
  { "cpu.usage-usec", offsetof (Stats, usage.total), NSEC_PER_USEC },
  { "cpu.user-usec", offsetof (Stats, usage.user), NSEC_PER_USEC },
  { "cpu.system-usec", offsetof (Stats, usage.kernel), NSEC_PER_USEC },
  { "cpu.periods", offsetof (Stats, throttle.periods), 1 },
  { "cpu.throttled-periods", offsetof (Stats, throttle.throttled_periods), 1 },
  { "cpu.throttled-usec", offsetof (Stats, throttle.throttled_time), NSEC_PER_USEC },
  { "memory.usage-bytes", offsetof (Stats, entries[0].usage), 1 },
  { "memory.max-usage-bytes", offsetof (Stats, entries[0].max), 1 },
  { "memory.limit-bytes", offsetof (Stats, entries[0].limit), 1 },
  { "memory.failures", offsetof (Stats, entries[0].failcnt), 1 },
  { "memory.cache-bytes", offsetof (Stats, memory.cache), 1 },
  { "memory.swap-usage-bytes", offsetof (Stats, entries[1].usage), 1 },
  { "memory.swap-max-usage-bytes", offsetof (Stats, entries[1].max), 1 },
  { "memory.swap-limit-bytes", offsetof (Stats, entries[1].limit), 1 },
  { "memory.swap-failures", offsetof (Stats, entries[1].failcnt), 1 },
  { "memory.kernel-usage-bytes", offsetof (Stats, entries[2].usage), 1 },
  { "memory.kernel-max-usage-bytes", offsetof (Stats, entries[2].max), 1 },
  { "memory.kernel-limit-bytes", offsetof (Stats, entries[2].limit), 1 },
  { "memory.kernel-failures", offsetof (Stats, entries[2].failcnt), 1 },
  { "vm.cpu-usage-usec", offsetof (Stats, machine_cpu), NSEC_PER_USEC },
  { "vm.memory-bytes", offsetof (Stats, machine_memory), 1 },
  { "pids.current", offsetof (Stats, pids.current), 1 },
  { "pids.limit", offsetof (Stats, pids.limit), 1 },
};

/* Of the guest kernel's memory.stat: names of both versions of cgroups. */
static const Number memory_numbers[] = {
  { "active_anon", offsetof (Cgroup__MemoryStat, active_anon), 1 },
  { "active_file", offsetof (Cgroup__MemoryStat, active_file), 1 },
  { "anon", offsetof (Cgroup__MemoryStat, rss), 1 },
  { "anon_thp", offsetof (Cgroup__MemoryStat, rss_huge), 1 },
  { "cache", offsetof (Cgroup__MemoryStat, cache), 1 },
  { "dirty", offsetof (Cgroup__MemoryStat, dirty), 1 },
  { "file", offsetof (Cgroup__MemoryStat, cache), 1 },
  { "file_dirty", offsetof (Cgroup__MemoryStat, dirty), 1 },
  { "file_mapped", offsetof (Cgroup__MemoryStat, mapped_file), 1 },
  { "file_writeback", offsetof (Cgroup__MemoryStat, writeback), 1 },
  { "hierarchical_memory_limit", offsetof (Cgroup__MemoryStat, hierarchical_memory_limit), 1 },
  { "hierarchical_memsw_limit", offsetof (Cgroup__MemoryStat, hierarchical_swap_limit), 1 },
  { "inactive_anon", offsetof (Cgroup__MemoryStat, inactive_anon), 1 },
  { "inactive_file", offsetof (Cgroup__MemoryStat, inactive_file), 1 },
  { "mapped_file", offsetof (Cgroup__MemoryStat, mapped_file), 1 },
  { "pgfault", offsetof (Cgroup__MemoryStat, pg_fault), 1 },
  { "pgmajfault", offsetof (Cgroup__MemoryStat, pg_maj_fault), 1 },
  { "pgpgin", offsetof (Cgroup__MemoryStat, pg_pg_in), 1 },
  { "pgpgout", offsetof (Cgroup__MemoryStat, pg_pg_out), 1 },
  { "rss", offsetof (Cgroup__MemoryStat, rss), 1 },
  { "rss_huge", offsetof (Cgroup__MemoryStat, rss_huge), 1 },
  { "unevictable", offsetof (Cgroup__MemoryStat, unevictable), 1 },
  { "writeback", offsetof (Cgroup__MemoryStat, writeback), 1 },
};

static const Number network_numbers[] = {
  { "rx-bytes", offsetof (Cgroup__NetworkStat, rx_bytes), 1 },
  { "rx-packets", offsetof (Cgroup__NetworkStat, rx_packets), 1 },
  { "rx-errors", offsetof (Cgroup__NetworkStat, rx_errors), 1 },
  { "rx-dropped", offsetof (Cgroup__NetworkStat, rx_dropped), 1 },
  { "tx-bytes", offsetof (Cgroup__NetworkStat, tx_bytes), 1 },
  { "tx-packets", offsetof (Cgroup__NetworkStat, tx_packets), 1 },
  { "tx-errors", offsetof (Cgroup__NetworkStat, tx_errors), 1 },
  { "tx-dropped", offsetof (Cgroup__NetworkStat, tx_dropped), 1 },
};

static const Number blkio_numbers[] = {
  { "major", offsetof (Cgroup__BlkIOEntry, major), 1 },
  { "minor", offsetof (Cgroup__BlkIOEntry, minor), 1 },
  { "value", offsetof (Cgroup__BlkIOEntry, value), 1 },
};

#define N_OF(array) (sizeof (array) / sizeof *(array))

/* 1: it was one of @table, and has been taken; 0: it was not; -1: there is none. */
static int
take_number (VpBusReader *in, const char *key, const Number *table, size_t n, void *out)
{
  uint64_t value;

  for (size_t i = 0; i < n; i++)
    {
      if (strcmp (table[i].key, key) != 0)
        continue;
      if (vp_bus_reader_u64 (in, &value) < 0)
        return -1;
      value = value > UINT64_MAX / table[i].factor ? UINT64_MAX : value * table[i].factor;
      memcpy ((char *) out + table[i].offset, &value, sizeof value);
      return 1;
    }
  return 0;
}

/* The rest of a row: a{sv}, whose numbers go to @out and whose string @name to *@ret_name. */
static int
take_row (VpBusReader *rows, const Number *table, size_t n, void *out, const char *name, char **ret_name)
{
  VpBusReader row;
  const char *key, *type, *text;
  int more, taken;

  if (vp_bus_reader_array (rows, 8, &row) < 0)
    return -1;
  while ((more = vp_bus_reader_entry (&row, &key, &type)) > 0)
    {
      taken = strcmp (type, "t") == 0 ? take_number (&row, key, table, n, out) : 0;
      if (taken == 0 && strcmp (type, "s") == 0 && strcmp (key, name) == 0)
        {
          text = vp_bus_reader_string (&row);
          if (text == NULL)
            return -1;
          free (*ret_name);
          *ret_name = shim_strdup (text);
        }
      else if (taken == 0)
        taken = vp_bus_reader_skip (&row, type);
      if (taken < 0)
        return -1;
    }
  return more;
}

static int
take_network (VpBusReader *in, Cgroup__Metrics *metrics)
{
  VpBusReader rows;

  if (vp_bus_reader_array (in, 4, &rows) < 0)
    return -1;
  metrics->network = shim_alloc (MAX_ROWS * sizeof *metrics->network);
  while (rows.at < rows.end && metrics->n_network < MAX_ROWS)
    {
      Cgroup__NetworkStat *row = shim_alloc (sizeof *row);

      cgroup__network_stat__init (row);
      row->name = shim_strdup ("");
      metrics->network[metrics->n_network++] = row;
      if (take_row (&rows, network_numbers, N_OF (network_numbers), row, "name", &row->name) < 0)
        return -1;
    }
  return 0;
}

static int
take_blkio (VpBusReader *in, size_t *ret_n, Cgroup__BlkIOEntry ***ret)
{
  VpBusReader rows;

  if (*ret != NULL || vp_bus_reader_array (in, 4, &rows) < 0)
    return -1;
  *ret = shim_alloc (MAX_ROWS * sizeof **ret);
  while (rows.at < rows.end && *ret_n < MAX_ROWS)
    {
      Cgroup__BlkIOEntry *row = shim_alloc (sizeof *row);

      cgroup__blk_ioentry__init (row);
      row->op = shim_strdup ("");
      row->device = shim_strdup ("");
      (*ret)[(*ret_n)++] = row;
      if (take_row (&rows, blkio_numbers, N_OF (blkio_numbers), row, "op", &row->op) < 0)
        return -1;
    }
  return 0;
}

static int
take_memory (VpBusReader *in, Cgroup__MemoryStat *memory)
{
  VpBusReader rows;
  const char *key;

  if (vp_bus_reader_array (in, 8, &rows) < 0)
    return -1;
  while (rows.at < rows.end)
    {
      int taken;

      if (vp_bus_reader_take (&rows, 8, 0) == NULL || (key = vp_bus_reader_string (&rows)) == NULL)
        return -1;
      taken = take_number (&rows, key, memory_numbers, N_OF (memory_numbers), memory);
      if (taken < 0 || (taken == 0 && vp_bus_reader_skip (&rows, "t") < 0))
        return -1;
    }
  /* there is nothing below the container's own cgroup that it does not count */
  memory->total_cache = memory->cache;
  memory->total_rss = memory->rss;
  memory->total_inactive_file = memory->inactive_file;
  memory->total_active_file = memory->active_file;
  memory->total_inactive_anon = memory->inactive_anon;
  memory->total_active_anon = memory->active_anon;
  memory->total_pg_fault = memory->pg_fault;
  memory->total_pg_maj_fault = memory->pg_maj_fault;
  memory->total_mapped_file = memory->mapped_file;
  memory->total_unevictable = memory->unevictable;
  return 0;
}

static int
take_value (VpBusReader *in, const char *key, const char *type, Stats *stats)
{
  Cgroup__BlkIOStat *io = &stats->blkio;
  int taken = strcmp (type, "t") == 0 ? take_number (in, key, numbers, N_OF (numbers), stats) : 0;

  if (taken != 0)
    return taken;
  if (strcmp (type, "aa{sv}") == 0)
    {
      if (strcmp (key, "network") == 0 && stats->metrics.network == NULL)
        return take_network (in, &stats->metrics);
      if (strcmp (key, "blkio.service-bytes") == 0)
        return take_blkio (in, &io->n_io_service_bytes_recursive, &io->io_service_bytes_recursive);
      if (strcmp (key, "blkio.serviced") == 0)
        return take_blkio (in, &io->n_io_serviced_recursive, &io->io_serviced_recursive);
    }
  if (strcmp (type, "a{st}") == 0 && strcmp (key, "memory.stat") == 0)
    return take_memory (in, &stats->memory);
  return vp_bus_reader_skip (in, type);
}

/* What is read from a cache of the guest is memory of the host's all the same. A machine
 * has no limit: to readers 0 is one. */
static void
take_machine (Stats *stats)
{
  if (stats->machine_cpu > 0)
    stats->usage.total = stats->machine_cpu;
  if (stats->machine_memory == 0)
    return;
  stats->entries[0].usage = stats->machine_memory;
  stats->entries[0].limit = UINT64_MAX;
  stats->memory.rss = stats->memory.total_rss = stats->machine_memory;
}

Cgroup__Metrics *
shim_stats_new (const VpBusMessage *reply)
{
  VpBusReader in = vp_bus_reader_of (reply), entries;
  const char *key, *type;
  Stats *stats;
  int more;

  if (strcmp (reply->signature, "a{sv}") != 0 || vp_bus_reader_array (&in, 8, &entries) < 0)
    return NULL;
  stats = shim_alloc (sizeof *stats);
  cgroup__metrics__init (&stats->metrics);
  cgroup__pids_stat__init (&stats->pids);
  cgroup__cpustat__init (&stats->cpu);
  cgroup__cpuusage__init (&stats->usage);
  cgroup__throttle__init (&stats->throttle);
  cgroup__memory_stat__init (&stats->memory);
  for (size_t i = 0; i < N_OF (stats->entries); i++)
    cgroup__memory_entry__init (&stats->entries[i]);
  cgroup__blk_iostat__init (&stats->blkio);
  stats->metrics.pids = &stats->pids;
  stats->metrics.cpu = &stats->cpu;
  stats->cpu.usage = &stats->usage;
  stats->cpu.throttling = &stats->throttle;
  stats->metrics.memory = &stats->memory;
  stats->memory.usage = &stats->entries[0];
  stats->memory.swap = &stats->entries[1];
  stats->memory.kernel = &stats->entries[2];
  stats->metrics.blkio = &stats->blkio;
  while ((more = vp_bus_reader_entry (&entries, &key, &type)) > 0)
    if (take_value (&entries, key, type, stats) < 0)
      break;
  if (more == 0)
    {
      take_machine (stats);
      return &stats->metrics;
    }
  shim_stats_free (&stats->metrics);
  return NULL;
}

static void
free_blkio (Cgroup__BlkIOEntry **rows, size_t n)
{
  for (size_t i = 0; i < n; i++)
    {
      free (rows[i]->op);
      free (rows[i]->device);
      free (rows[i]);
    }
  free (rows);
}

void
shim_stats_free (Cgroup__Metrics *self)
{
  for (size_t i = 0; i < self->n_network; i++)
    {
      free (self->network[i]->name);
      free (self->network[i]);
    }
  free (self->network);
  free_blkio (self->blkio->io_service_bytes_recursive, self->blkio->n_io_service_bytes_recursive);
  free_blkio (self->blkio->io_serviced_recursive, self->blkio->n_io_serviced_recursive);
  free (self); /* the first member of what was allocated */
}

int
shim_stats_pack (const VpBusMessage *reply, Google__Protobuf__Any *ret)
{
  static char type_url[] = "io.containerd.cgroups.v1.Metrics";
  Cgroup__Metrics *metrics = shim_stats_new (reply);

  if (metrics == NULL)
    return -1;
  google__protobuf__any__init (ret);
  ret->type_url = type_url;
  ret->value.len = cgroup__metrics__get_packed_size (metrics);
  ret->value.data = shim_alloc (ret->value.len + 1);
  (void) cgroup__metrics__pack (metrics, ret->value.data);
  shim_stats_free (metrics);
  return 0;
}

/* ---- the call -------------------------------------------------------------------- */

static void
on_stats (const ShimReply *reply, void *data)
{
  ShimOp *op = data;
  Task__StatsResponse response = TASK__STATS_RESPONSE__INIT;
  Google__Protobuf__Any any;

  if (reply->error != NULL)
    shim_call_fail_reply (op->call, "", reply);
  else if (shim_stats_pack (reply->message, &any) < 0)
    shim_call_fail (op->call, VP_GRPC_INTERNAL, "virtpodd's statistics are none");
  else
    {
      response.stats = &any;
      shim_call_reply (op->call, &response);
      free (any.value.data);
    }
  shim_op_free (op);
}

void
shim_rpc_stats (ShimCall *call)
{
  const Task__TaskRequest *request = shim_call_request (call);
  ShimProcess *process = shim_call_find (call, request->id, "");
  VpBusCall stats = { VP_BUS_NAME, NULL, VP_IFACE_CONTAINER, "GetStats", "", 0 };

  if (process == NULL)
    return;
  stats.path = process->task->path;
  shim_daemon_call (&stats, SHIM_AGAIN, on_stats, shim_op_new (call, process));
}
