/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-stats.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-cgroup.h"
#include "agent-container.h"

#define MAX_ENTRIES 256
#define NSEC_PER_USEC 1000

/* Room for one more pointer in the list of @n at *@list; NULL when it is full. */
static void *
grow (void *list, size_t *n)
{
  void ***pointers = list;

  if (*n == MAX_ENTRIES)
    return NULL;
  if (*pointers == NULL)
    *pointers = agent_alloc (MAX_ENTRIES * sizeof **pointers);
  return &(*pointers)[(*n)++];
}

static void
add_memory_stat (const char *key, uint64_t value, void *data)
{
  Grpc__MemoryStats *m = data;
  Grpc__MemoryStats__StatsEntry **slot = grow (&m->stats, &m->n_stats);

  if (strcmp (key, "file") == 0)
    m->cache = value;
  if (strcmp (key, "kernel") == 0)
    m->kernel_usage->usage = value;
  if (slot == NULL)
    return;
  *slot = agent_new_message (Grpc__MemoryStats__StatsEntry, grpc__memory_stats__stats_entry__init);
  (*slot)->key = agent_strdup (key);
  (*slot)->value = value;
}

static Grpc__MemoryStats *
memory_new (const char *cgroup)
{
  Grpc__MemoryStats *m = agent_new_message (Grpc__MemoryStats, grpc__memory_stats__init);

  m->usage = agent_new_message (Grpc__MemoryData, grpc__memory_data__init);
  m->usage->usage = agent_cgroup_read (cgroup, "memory.current", 0);
  m->usage->max_usage = agent_cgroup_read (cgroup, "memory.peak", 0);
  m->usage->limit = agent_cgroup_read (cgroup, "memory.max", UINT64_MAX);
  m->usage->failcnt = agent_cgroup_read_key (cgroup, "memory.events", "max");
  m->swap_usage = agent_new_message (Grpc__MemoryData, grpc__memory_data__init);
  m->swap_usage->usage = agent_cgroup_read (cgroup, "memory.swap.current", 0);
  m->swap_usage->max_usage = agent_cgroup_read (cgroup, "memory.swap.peak", 0);
  m->swap_usage->limit = agent_cgroup_read (cgroup, "memory.swap.max", UINT64_MAX);
  m->swap_usage->failcnt = agent_cgroup_read_key (cgroup, "memory.swap.events", "fail");
  m->kernel_usage = agent_new_message (Grpc__MemoryData, grpc__memory_data__init);
  m->kernel_usage->limit = UINT64_MAX;
  m->use_hierarchy = 1;
  agent_cgroup_each (cgroup, "memory.stat", add_memory_stat, m);
  return m;
}

static void
add_cpu_stat (const char *key, uint64_t value, void *data)
{
  Grpc__CpuStats *cpu = data;
  const struct
  {
    const char *key;
    uint64_t *field;
    unsigned factor;
  } fields[] = {
    { "usage_usec", &cpu->cpu_usage->total_usage, NSEC_PER_USEC },
    { "user_usec", &cpu->cpu_usage->usage_in_usermode, NSEC_PER_USEC },
    { "system_usec", &cpu->cpu_usage->usage_in_kernelmode, NSEC_PER_USEC },
    { "nr_periods", &cpu->throttling_data->periods, 1 },
    { "nr_throttled", &cpu->throttling_data->throttled_periods, 1 },
    { "throttled_usec", &cpu->throttling_data->throttled_time, NSEC_PER_USEC },
  };

  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
    if (strcmp (key, fields[i].key) == 0)
      *fields[i].field = value * fields[i].factor;
}

static Grpc__CpuStats *
cpu_new (const char *cgroup)
{
  Grpc__CpuStats *cpu = agent_new_message (Grpc__CpuStats, grpc__cpu_stats__init);

  cpu->cpu_usage = agent_new_message (Grpc__CpuUsage, grpc__cpu_usage__init);
  cpu->throttling_data = agent_new_message (Grpc__ThrottlingData, grpc__throttling_data__init);
  agent_cgroup_each (cgroup, "cpu.stat", add_cpu_stat, cpu);
  return cpu;
}

/* One "rbytes=4096" of the device @major:@minor */
static void
add_blkio_word (Grpc__BlkioStats *b, uint64_t major, uint64_t minor, const char *word)
{
  static const struct
  {
    const char *word, *op;
    int is_count;
  } words[] = {
    { "rbytes=", "Read", 0 }, { "wbytes=", "Write", 0 }, { "dbytes=", "Discard", 0 },
    { "rios=", "Read", 1 },   { "wios=", "Write", 1 },   { "dios=", "Discard", 1 },
  };

  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    {
      size_t len = strlen (words[i].word);
      Grpc__BlkioStatsEntry **slot;

      if (strncmp (word, words[i].word, len) != 0)
        continue;
      slot = words[i].is_count ? grow (&b->io_serviced_recursive, &b->n_io_serviced_recursive)
                               : grow (&b->io_service_bytes_recursive, &b->n_io_service_bytes_recursive);
      if (slot == NULL)
        return;
      *slot = agent_new_message (Grpc__BlkioStatsEntry, grpc__blkio_stats_entry__init);
      (*slot)->major = major;
      (*slot)->minor = minor;
      (*slot)->op = agent_strdup (words[i].op);
      (*slot)->value = strtoull (word + len, NULL, 10);
    }
}

static Grpc__BlkioStats *
blkio_new (const char *cgroup)
{
  Grpc__BlkioStats *b = agent_new_message (Grpc__BlkioStats, grpc__blkio_stats__init);
  char *path = agent_printf ("%s/io.stat", cgroup);
  char buf[8192], *lines = NULL;

  if (agent_read_file (path, buf, sizeof buf) > 0)
    for (char *line = strtok_r (buf, "\n", &lines); line != NULL; line = strtok_r (NULL, "\n", &lines))
      {
        const char *at = line;
        uint64_t major, minor;
        char *words = NULL;

        if (agent_scan_uint (&at, &major) < 0 || *at++ != ':' || agent_scan_uint (&at, &minor) < 0)
          continue;
        strtok_r (line, " ", &words);
        for (char *word = strtok_r (NULL, " ", &words); word != NULL; word = strtok_r (NULL, " ", &words))
          add_blkio_word (b, major, minor, word);
      }
  free (path);
  return b;
}

/* There is a hugetlb.SIZE.current for each size of page that the kernel has. */
static void
add_huge_pages (Grpc__CgroupStats *stats, const char *cgroup)
{
  DIR *dir = opendir (cgroup);
  struct dirent *e;

  while (dir != NULL && (e = readdir (dir)) != NULL)
    {
      size_t prefix = strlen ("hugetlb."), len;
      Grpc__CgroupStats__HugetlbStatsEntry **slot;
      char *events;

      if (strncmp (e->d_name, "hugetlb.", prefix) != 0)
        continue;
      len = strcspn (e->d_name + prefix, ".");
      if (len == 0 || strcmp (e->d_name + prefix + len, ".current") != 0)
        continue;
      slot = grow (&stats->hugetlb_stats, &stats->n_hugetlb_stats);
      if (slot == NULL)
        break;
      *slot
          = agent_new_message (Grpc__CgroupStats__HugetlbStatsEntry, grpc__cgroup_stats__hugetlb_stats_entry__init);
      (*slot)->key = agent_strndup (e->d_name + prefix, len);
      (*slot)->value = agent_new_message (Grpc__HugetlbStats, grpc__hugetlb_stats__init);
      (*slot)->value->usage = agent_cgroup_read (cgroup, e->d_name, 0);
      events = agent_printf ("hugetlb.%s.events", (*slot)->key);
      (*slot)->value->failcnt = agent_cgroup_read_key (cgroup, events, "max");
      free (events);
    }
  if (dir != NULL)
    closedir (dir);
}

/* "  eth0: 1 2 ...": eight numbers received, eight sent; the first four are of interest */
static void
add_interface (Grpc__StatsContainerResponse *r, const char *line)
{
  const char *name = line + strspn (line, " "), *colon = strchr (name, ':');
  Grpc__NetworkStats **slot, *n;
  uint64_t v[16];

  if (colon == NULL || strncmp (name, "lo:", 3) == 0)
    return;
  line = colon + 1;
  for (size_t i = 0; i < sizeof v / sizeof v[0]; i++)
    if (agent_scan_uint (&line, &v[i]) < 0)
      return;
  slot = grow (&r->network_stats, &r->n_network_stats);
  if (slot == NULL)
    return;
  *slot = n = agent_new_message (Grpc__NetworkStats, grpc__network_stats__init);
  n->name = agent_strndup (name, (size_t)(colon - name));
  n->rx_bytes = v[0];
  n->rx_packets = v[1];
  n->rx_errors = v[2];
  n->rx_dropped = v[3];
  n->tx_bytes = v[8];
  n->tx_packets = v[9];
  n->tx_errors = v[10];
  n->tx_dropped = v[11];
}

Grpc__StatsContainerResponse *
agent_stats_new (const char *cgroup, const char *net_dev)
{
  Grpc__StatsContainerResponse *r
      = agent_new_message (Grpc__StatsContainerResponse, grpc__stats_container_response__init);
  Grpc__CgroupStats *stats = agent_new_message (Grpc__CgroupStats, grpc__cgroup_stats__init);
  FILE *f = fopen (net_dev, "re");
  char line[512];

  r->cgroup_stats = stats;
  stats->cpu_stats = cpu_new (cgroup);
  stats->memory_stats = memory_new (cgroup);
  stats->pids_stats = agent_new_message (Grpc__PidsStats, grpc__pids_stats__init);
  stats->pids_stats->current = agent_cgroup_read (cgroup, "pids.current", 0);
  stats->pids_stats->limit = agent_cgroup_read (cgroup, "pids.max", 0);
  stats->blkio_stats = blkio_new (cgroup);
  add_huge_pages (stats, cgroup);
  while (f != NULL && fgets (line, sizeof line, f) != NULL)
    add_interface (r, line);
  if (f != NULL)
    fclose (f);
  return r;
}

void
agent_handle_stats_container (Agent *agent, AgentCall *call)
{
  const Grpc__StatsContainerRequest *request = agent_call_request (call);
  AgentContainer *c = agent_container_of_call (agent, call, request->container_id);
  Grpc__StatsContainerResponse *response;

  if (c == NULL)
    return;
  if (c->cgroup == NULL)
    {
      agent_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "container \"%s\": has no cgroup", c->id);
      return;
    }
  response = agent_stats_new (c->cgroup, "/proc/net/dev");
  agent_call_reply (call, &response->base);
  grpc__stats_container_response__free_unpacked (response, NULL);
}
