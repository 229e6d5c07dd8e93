/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-agent-stats.h"

#include <string.h>

#include "vp-agent-error.h"

#define MAX_ROWS 1024
#define MAX_WORD 64
#define NSEC_PER_USEC 1000

/* Kernels say "no limit" with the largest number of whole pages. */
#define NO_LIMIT_V1 (G_GUINT64_CONSTANT (0x7fffffffffffffff) - (1u << 20))

static void
add (GVariantDict *dict, const char *group, const char *key, guint64 value)
{
  g_autofree char *name = g_strdup_printf ("%s.%s", group, key);

  g_variant_dict_insert (dict, name, "t", value);
}

static guint64
limit (guint64 value)
{
  return value >= NO_LIMIT_V1 ? G_MAXUINT64 : value;
}

static char *
clean (const char *word)
{
  return vp_agent_text_sanitise (word, strlen (word), MAX_WORD);
}

static void
add_cpu (GVariantDict *dict, const Grpc__CpuStats *cpu)
{
  const Grpc__CpuUsage *usage = cpu->cpu_usage;
  const Grpc__ThrottlingData *throttling = cpu->throttling_data;

  if (usage != NULL)
    {
      GVariantBuilder each;

      add (dict, "cpu", "usage-usec", usage->total_usage / NSEC_PER_USEC);
      add (dict, "cpu", "user-usec", usage->usage_in_usermode / NSEC_PER_USEC);
      add (dict, "cpu", "system-usec", usage->usage_in_kernelmode / NSEC_PER_USEC);
      g_variant_builder_init (&each, G_VARIANT_TYPE ("at"));
      for (gsize i = 0; i < MIN (usage->n_percpu_usage, MAX_ROWS); i++)
        g_variant_builder_add (&each, "t", usage->percpu_usage[i] / NSEC_PER_USEC);
      g_variant_dict_insert_value (dict, "cpu.percpu-usage-usec", g_variant_builder_end (&each));
    }
  if (throttling != NULL)
    {
      add (dict, "cpu", "periods", throttling->periods);
      add (dict, "cpu", "throttled-periods", throttling->throttled_periods);
      add (dict, "cpu", "throttled-usec", throttling->throttled_time / NSEC_PER_USEC);
    }
}

static void
add_memory_data (GVariantDict *dict, const char *prefix, const Grpc__MemoryData *data)
{
  const struct {
    const char *key;
    guint64 value;
  } rows[] = {
    { "usage-bytes", data->usage },
    { "max-usage-bytes", data->max_usage },
    { "limit-bytes", limit (data->limit) },
    { "failures", data->failcnt },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *key = g_strconcat (prefix, rows[i].key, NULL);

      add (dict, "memory", key, rows[i].value);
    }
}

static void
add_memory (GVariantDict *dict, const Grpc__MemoryStats *memory)
{
  GVariantBuilder stat;

  if (memory->usage != NULL)
    add_memory_data (dict, "", memory->usage);
  if (memory->swap_usage != NULL)
    add_memory_data (dict, "swap-", memory->swap_usage);
  if (memory->kernel_usage != NULL)
    add_memory_data (dict, "kernel-", memory->kernel_usage);
  add (dict, "memory", "cache-bytes", memory->cache);
  g_variant_dict_insert (dict, "memory.hierarchy", "b", memory->use_hierarchy != 0);
  g_variant_builder_init (&stat, G_VARIANT_TYPE ("a{st}"));
  for (gsize i = 0; i < MIN (memory->n_stats, MAX_ROWS); i++)
    {
      g_autofree char *key = clean (memory->stats[i]->key);

      g_variant_builder_add (&stat, "{st}", key, memory->stats[i]->value);
    }
  g_variant_dict_insert_value (dict, "memory.stat", g_variant_builder_end (&stat));
}

static void
add_blkio (GVariantDict *dict, const char *key, Grpc__BlkioStatsEntry *const *entries, gsize n)
{
  GVariantBuilder rows;

  if (n == 0)
    return;
  g_variant_builder_init (&rows, G_VARIANT_TYPE ("aa{sv}"));
  for (gsize i = 0; i < MIN (n, MAX_ROWS); i++)
    {
      g_autofree char *op = clean (entries[i]->op);

      g_variant_builder_open (&rows, G_VARIANT_TYPE ("a{sv}"));
      g_variant_builder_add (&rows, "{sv}", "major", g_variant_new_uint64 (entries[i]->major));
      g_variant_builder_add (&rows, "{sv}", "minor", g_variant_new_uint64 (entries[i]->minor));
      g_variant_builder_add (&rows, "{sv}", "op", g_variant_new_string (op));
      g_variant_builder_add (&rows, "{sv}", "value", g_variant_new_uint64 (entries[i]->value));
      g_variant_builder_close (&rows);
    }
  g_variant_dict_insert_value (dict, key, g_variant_builder_end (&rows));
}

static void
add_all_blkio (GVariantDict *dict, const Grpc__BlkioStats *b)
{
  add_blkio (dict, "blkio.service-bytes", b->io_service_bytes_recursive, b->n_io_service_bytes_recursive);
  add_blkio (dict, "blkio.serviced", b->io_serviced_recursive, b->n_io_serviced_recursive);
  add_blkio (dict, "blkio.queued", b->io_queued_recursive, b->n_io_queued_recursive);
  add_blkio (dict, "blkio.service-time-nsec", b->io_service_time_recursive, b->n_io_service_time_recursive);
  add_blkio (dict, "blkio.wait-time-nsec", b->io_wait_time_recursive, b->n_io_wait_time_recursive);
  add_blkio (dict, "blkio.merged", b->io_merged_recursive, b->n_io_merged_recursive);
  add_blkio (dict, "blkio.time-msec", b->io_time_recursive, b->n_io_time_recursive);
  add_blkio (dict, "blkio.sectors", b->sectors_recursive, b->n_sectors_recursive);
}

/* A size of pages is a part of a key: "2MB", and nothing that only looks like a key. */
static gboolean
is_page_size (const char *text)
{
  gsize digits = strspn (text, "0123456789");

  return digits > 0 && strlen (text) <= 16 && strspn (text + digits, "KMGTB") == strlen (text) - digits;
}

static void
add_cgroup (GVariantDict *dict, const Grpc__CgroupStats *stats)
{
  if (stats->cpu_stats != NULL)
    add_cpu (dict, stats->cpu_stats);
  if (stats->memory_stats != NULL)
    add_memory (dict, stats->memory_stats);
  if (stats->pids_stats != NULL)
    {
      add (dict, "pids", "current", stats->pids_stats->current);
      add (dict, "pids", "limit", stats->pids_stats->limit == 0 ? G_MAXUINT64 : limit (stats->pids_stats->limit));
    }
  if (stats->blkio_stats != NULL)
    add_all_blkio (dict, stats->blkio_stats);
  for (gsize i = 0; i < MIN (stats->n_hugetlb_stats, MAX_WORD); i++)
    {
      const char *size = stats->hugetlb_stats[i]->key;
      const Grpc__HugetlbStats *pages = stats->hugetlb_stats[i]->value;
      g_autofree char *group = g_strconcat ("hugetlb.", size, NULL);

      if (pages == NULL || !is_page_size (size))
        continue;
      add (dict, group, "usage-bytes", pages->usage);
      add (dict, group, "max-usage-bytes", pages->max_usage);
      add (dict, group, "failures", pages->failcnt);
    }
}

static void
add_network (GVariantDict *dict, Grpc__NetworkStats *const *list, gsize n)
{
  GVariantBuilder rows;

  g_variant_builder_init (&rows, G_VARIANT_TYPE ("aa{sv}"));
  for (gsize i = 0; i < MIN (n, MAX_ROWS); i++)
    {
      const Grpc__NetworkStats *net = list[i];
      g_autofree char *name = clean (net->name);
      const struct {
        const char *key;
        guint64 value;
      } counts[] = {
        { "rx-bytes", net->rx_bytes },     { "rx-packets", net->rx_packets }, { "rx-errors", net->rx_errors },
        { "rx-dropped", net->rx_dropped }, { "tx-bytes", net->tx_bytes },     { "tx-packets", net->tx_packets },
        { "tx-errors", net->tx_errors },   { "tx-dropped", net->tx_dropped },
      };

      g_variant_builder_open (&rows, G_VARIANT_TYPE ("a{sv}"));
      g_variant_builder_add (&rows, "{sv}", "name", g_variant_new_string (name));
      for (gsize j = 0; j < G_N_ELEMENTS (counts); j++)
        g_variant_builder_add (&rows, "{sv}", counts[j].key, g_variant_new_uint64 (counts[j].value));
      g_variant_builder_close (&rows);
    }
  g_variant_dict_insert_value (dict, "network", g_variant_builder_end (&rows));
}

GVariant *
vp_agent_stats_to_variant (const Grpc__StatsContainerResponse *stats)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  if (stats->cgroup_stats != NULL)
    add_cgroup (&dict, stats->cgroup_stats);
  add_network (&dict, stats->network_stats, stats->n_network_stats);
  g_variant_dict_insert (&dict, "time-usec", "t", (guint64) g_get_real_time ());
  return g_variant_dict_end (&dict);
}

guint64
vp_agent_stats_get (GVariant *stats, const char *key)
{
  guint64 value = 0;

  (void) g_variant_lookup (stats, key, "t", &value);
  return value;
}
