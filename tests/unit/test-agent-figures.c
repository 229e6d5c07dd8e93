/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "vp-agent-stats.h"

/* What a guest says of its containers' use, made the bus's. */

static GVariant *
convert (Grpc__StatsContainerResponse *stats)
{
  return g_variant_ref_sink (vp_agent_stats_to_variant (stats));
}

/* A guest that says nothing: no keys but the time and an empty network. */
static void
test_empty (void)
{
  Grpc__StatsContainerResponse stats = GRPC__STATS_CONTAINER_RESPONSE__INIT;
  Grpc__CgroupStats cgroup = GRPC__CGROUP_STATS__INIT;
  g_autoptr (GVariant) nothing = convert (&stats);
  g_autoptr (GVariant) little = NULL;

  g_assert_cmpuint (g_variant_n_children (nothing), ==, 2);
  g_assert_cmpuint (vp_agent_stats_get (nothing, "cpu.usage-usec"), ==, 0);
  stats.cgroup_stats = &cgroup;
  little = convert (&stats);
  g_assert_cmpuint (g_variant_n_children (little), ==, 2);
}

static void
test_units (void)
{
  Grpc__StatsContainerResponse stats = GRPC__STATS_CONTAINER_RESPONSE__INIT;
  Grpc__CgroupStats cgroup = GRPC__CGROUP_STATS__INIT;
  Grpc__CpuStats cpu = GRPC__CPU_STATS__INIT;
  Grpc__CpuUsage usage = GRPC__CPU_USAGE__INIT;
  Grpc__ThrottlingData throttling = GRPC__THROTTLING_DATA__INIT;
  Grpc__MemoryStats memory = GRPC__MEMORY_STATS__INIT;
  Grpc__MemoryData data = GRPC__MEMORY_DATA__INIT, swap = GRPC__MEMORY_DATA__INIT;
  Grpc__PidsStats pids = GRPC__PIDS_STATS__INIT;
  uint64_t each[] = { 1000, 2999 };
  g_autoptr (GVariant) got = NULL;
  g_autoptr (GVariant) percpu = NULL;

  usage.total_usage = 5000;
  usage.percpu_usage = each;
  usage.n_percpu_usage = 2;
  throttling.throttled_time = 7000000;
  throttling.throttled_periods = 3;
  cpu.cpu_usage = &usage;
  cpu.throttling_data = &throttling;
  data.limit = G_GUINT64_CONSTANT (9223372036854771712); /* what cgroup v1 says for none */
  swap.limit = 4096;
  memory.usage = &data;
  memory.swap_usage = &swap;
  cgroup.cpu_stats = &cpu;
  cgroup.memory_stats = &memory;
  cgroup.pids_stats = &pids; /* 0: none */
  stats.cgroup_stats = &cgroup;
  got = convert (&stats);

  g_assert_cmpuint (vp_agent_stats_get (got, "cpu.usage-usec"), ==, 5);
  g_assert_cmpuint (vp_agent_stats_get (got, "cpu.throttled-usec"), ==, 7000);
  g_assert_cmpuint (vp_agent_stats_get (got, "cpu.throttled-periods"), ==, 3);
  g_assert_cmpuint (vp_agent_stats_get (got, "memory.limit-bytes"), ==, G_MAXUINT64);
  g_assert_cmpuint (vp_agent_stats_get (got, "memory.swap-limit-bytes"), ==, 4096);
  g_assert_cmpuint (vp_agent_stats_get (got, "pids.limit"), ==, G_MAXUINT64);
  percpu = g_variant_lookup_value (got, "cpu.percpu-usage-usec", G_VARIANT_TYPE ("at"));
  g_assert_cmpuint (g_variant_n_children (percpu), ==, 2);
}

/* Names a guest makes up: not UTF-8, long, and ones that would look like other keys. */
static void
test_hostile_names (void)
{
  Grpc__StatsContainerResponse stats = GRPC__STATS_CONTAINER_RESPONSE__INIT;
  Grpc__CgroupStats cgroup = GRPC__CGROUP_STATS__INIT;
  static const char *const sizes[] = { "2MB", "2MB.usage-bytes", "", "MB", "1GB\n", "99999999999999999GB" };
  Grpc__CgroupStats__HugetlbStatsEntry entries[G_N_ELEMENTS (sizes)], *list[G_N_ELEMENTS (sizes)];
  Grpc__HugetlbStats pages = GRPC__HUGETLB_STATS__INIT;
  Grpc__NetworkStats net = GRPC__NETWORK_STATS__INIT, *nets[] = { &net };
  Grpc__MemoryStats memory = GRPC__MEMORY_STATS__INIT;
  Grpc__MemoryStats__StatsEntry stat = GRPC__MEMORY_STATS__STATS_ENTRY__INIT, *all[] = { &stat };
  g_autoptr (GVariant) got = NULL;

  pages.usage = 1;
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      grpc__cgroup_stats__hugetlb_stats_entry__init (&entries[i]);
      entries[i].key = (char *) sizes[i];
      entries[i].value = &pages;
      list[i] = &entries[i];
    }
  net.name = (char *) "\xff\x1b[2J";
  stat.key = (char *) "a\nb\xc0";
  memory.n_stats = 1;
  memory.stats = all;
  cgroup.memory_stats = &memory;
  cgroup.n_hugetlb_stats = G_N_ELEMENTS (sizes);
  cgroup.hugetlb_stats = list;
  stats.cgroup_stats = &cgroup;
  stats.n_network_stats = 1;
  stats.network_stats = nets;
  got = convert (&stats);

  g_assert_true (g_variant_is_normal_form (got));
  g_assert_cmpuint (vp_agent_stats_get (got, "hugetlb.2MB.usage-bytes"), ==, 1);
  for (gsize i = 0; i < g_variant_n_children (got); i++)
    {
      g_autoptr (GVariant) entry = g_variant_get_child_value (got, i);
      const char *key;

      g_variant_get_child (entry, 0, "&s", &key);
      g_assert_true (!g_str_has_prefix (key, "hugetlb.") || g_str_has_prefix (key, "hugetlb.2MB."));
      g_assert_true (!g_str_has_prefix (key, "hugetlb.2MB.usage-bytes."));
    }
}

/* More rows than anybody has. */
static void
test_many_rows (void)
{
  enum { N = 5000 };
  Grpc__StatsContainerResponse stats = GRPC__STATS_CONTAINER_RESPONSE__INIT;
  Grpc__CgroupStats cgroup = GRPC__CGROUP_STATS__INIT;
  Grpc__BlkioStats blkio = GRPC__BLKIO_STATS__INIT;
  Grpc__BlkioStatsEntry entry = GRPC__BLKIO_STATS_ENTRY__INIT;
  Grpc__NetworkStats net = GRPC__NETWORK_STATS__INIT;
  g_autofree Grpc__BlkioStatsEntry **entries = g_new (Grpc__BlkioStatsEntry *, N);
  g_autofree Grpc__NetworkStats **nets = g_new (Grpc__NetworkStats *, N);
  g_autoptr (GVariant) got = NULL;
  g_autoptr (GVariant) rows = NULL;
  g_autoptr (GVariant) network = NULL;

  for (guint i = 0; i < N; i++)
    {
      entries[i] = &entry;
      nets[i] = &net;
    }
  blkio.io_service_bytes_recursive = entries;
  blkio.n_io_service_bytes_recursive = N;
  cgroup.blkio_stats = &blkio;
  stats.cgroup_stats = &cgroup;
  stats.network_stats = nets;
  stats.n_network_stats = N;
  got = convert (&stats);
  rows = g_variant_lookup_value (got, "blkio.service-bytes", G_VARIANT_TYPE ("aa{sv}"));
  network = g_variant_lookup_value (got, "network", G_VARIANT_TYPE ("aa{sv}"));
  g_assert_cmpuint (g_variant_n_children (rows), ==, 1024);
  g_assert_cmpuint (g_variant_n_children (network), ==, 1024);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent-figures/empty", test_empty);
  g_test_add_func ("/agent-figures/units", test_units);
  g_test_add_func ("/agent-figures/hostile-names", test_hostile_names);
  g_test_add_func ("/agent-figures/many-rows", test_many_rows);
  return g_test_run ();
}
