/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "agent-cgroup.h"
#include "agent-metrics.h"
#include "agent-stats.h"
#include "agent-util.h"

static void
put (const char *dir, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static const Grpc__BlkioStatsEntry *
find_blkio (Grpc__BlkioStatsEntry **entries, size_t n, guint minor, const char *op)
{
  for (size_t i = 0; i < n; i++)
    if (entries[i]->minor == minor && g_str_equal (entries[i]->op, op))
      return entries[i];
  return NULL;
}

static void
check_blkio (const Grpc__BlkioStats *b)
{
  const Grpc__BlkioStatsEntry *e;

  g_assert_cmpuint (b->n_io_service_bytes_recursive, ==, 6);
  g_assert_cmpuint (b->n_io_serviced_recursive, ==, 6);
  e = find_blkio (b->io_service_bytes_recursive, 6, 16, "Write");
  g_assert_nonnull (e);
  g_assert_cmpuint (e->major, ==, 254);
  g_assert_cmpuint (e->value, ==, 8192);
  e = find_blkio (b->io_serviced_recursive, 6, 0, "Discard");
  g_assert_nonnull (e);
  g_assert_cmpuint (e->value, ==, 7);
}

static const char net_dev[] = "Inter-|   Receive                                                |  Transmit\n"
                              " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n"
                              "    lo:     100       1    0    0    0     0          0         0      100       1 "
                              "0 0 0 0 0 0\n"
                              "  eth0:184467440737095 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";

static void
test_stats (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vp-agent-XXXXXX", NULL);
  g_autofree char *net = g_build_filename (dir, "dev", NULL);
  Grpc__StatsContainerResponse *r;
  const Grpc__CgroupStats *s;

  put (dir, "cpu.stat",
       "usage_usec 3000\nuser_usec 2000\nsystem_usec 1000\nnr_periods 9\nnr_throttled 4\nthrottled_usec 77\n");
  put (dir, "memory.current", "1048576\n");
  put (dir, "memory.peak", "2097152\n");
  put (dir, "memory.max", "max\n");
  put (dir, "memory.events", "low 0\nhigh 0\nmax 5\noom 1\noom_kill 1\n");
  put (dir, "memory.swap.current", "4096\n");
  put (dir, "memory.swap.max", "8192\n");
  put (dir, "memory.stat", "anon 10\nfile 20\nkernel 30\n");
  put (dir, "pids.current", "3\n");
  put (dir, "pids.max", "max\n");
  put (dir, "io.stat",
       "254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=6 dios=7\n254:16 rbytes=0 wbytes=8192 rios=0 wios=2 dbytes=0 "
       "dios=0\nnonsense\n");
  put (dir, "hugetlb.2MB.current", "4194304\n");
  put (dir, "hugetlb.2MB.events", "max 2\n");
  put (dir, "hugetlb.2MB.rsvd.current", "1\n");
  put (dir, "dev", net_dev);
  r = agent_stats_new (dir, net);
  s = r->cgroup_stats;
  g_assert_cmpuint (s->cpu_stats->cpu_usage->total_usage, ==, 3000000);
  g_assert_cmpuint (s->cpu_stats->cpu_usage->usage_in_usermode, ==, 2000000);
  g_assert_cmpuint (s->cpu_stats->cpu_usage->usage_in_kernelmode, ==, 1000000);
  g_assert_cmpuint (s->cpu_stats->throttling_data->periods, ==, 9);
  g_assert_cmpuint (s->cpu_stats->throttling_data->throttled_periods, ==, 4);
  g_assert_cmpuint (s->cpu_stats->throttling_data->throttled_time, ==, 77000);
  g_assert_cmpuint (s->memory_stats->usage->usage, ==, 1048576);
  g_assert_cmpuint (s->memory_stats->usage->max_usage, ==, 2097152);
  g_assert_cmpuint (s->memory_stats->usage->limit, ==, G_MAXUINT64);
  g_assert_cmpuint (s->memory_stats->usage->failcnt, ==, 5);
  g_assert_cmpuint (s->memory_stats->swap_usage->usage, ==, 4096);
  g_assert_cmpuint (s->memory_stats->swap_usage->limit, ==, 8192);
  g_assert_cmpuint (s->memory_stats->kernel_usage->usage, ==, 30);
  g_assert_cmpuint (s->memory_stats->cache, ==, 20);
  g_assert_cmpuint (s->memory_stats->n_stats, ==, 3);
  g_assert_cmpstr (s->memory_stats->stats[0]->key, ==, "anon");
  g_assert_cmpuint (s->pids_stats->current, ==, 3);
  g_assert_cmpuint (s->pids_stats->limit, ==, 0);
  check_blkio (s->blkio_stats);
  g_assert_cmpuint (s->n_hugetlb_stats, ==, 1);
  g_assert_cmpstr (s->hugetlb_stats[0]->key, ==, "2MB");
  g_assert_cmpuint (s->hugetlb_stats[0]->value->usage, ==, 4194304);
  g_assert_cmpuint (s->hugetlb_stats[0]->value->failcnt, ==, 2);
  g_assert_cmpuint (r->n_network_stats, ==, 1);
  g_assert_cmpstr (r->network_stats[0]->name, ==, "eth0");
  g_assert_cmpuint (r->network_stats[0]->rx_bytes, ==, 184467440737095);
  g_assert_cmpuint (r->network_stats[0]->rx_dropped, ==, 4);
  g_assert_cmpuint (r->network_stats[0]->tx_bytes, ==, 9);
  g_assert_cmpuint (r->network_stats[0]->tx_dropped, ==, 12);
  grpc__stats_container_response__free_unpacked (r, NULL);
  g_assert_cmpint (agent_remove_tree (dir), ==, 0);
}

/* nothing of it there: zeros, not a failure */
static void
test_stats_of_nothing (void)
{
  Grpc__StatsContainerResponse *r = agent_stats_new ("/nonexistent", "/nonexistent");

  g_assert_cmpuint (r->cgroup_stats->cpu_stats->cpu_usage->total_usage, ==, 0);
  g_assert_cmpuint (r->cgroup_stats->memory_stats->n_stats, ==, 0);
  g_assert_cmpuint (r->n_network_stats, ==, 0);
  grpc__stats_container_response__free_unpacked (r, NULL);
}

static void
add_up (pid_t pid, void *data)
{
  *(int *)data += pid;
}

static void
test_pids (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vp-agent-XXXXXX", NULL);
  int sum = 0;

  put (dir, "cgroup.procs", "1\n20\n");
  put (dir, "below/cgroup.procs", "300\n0\n");
  put (dir, "below/deeper/cgroup.procs", "4000\n");
  put (dir, "file", "5");
  agent_cgroup_pids (dir, add_up, &sum);
  g_assert_cmpint (sum, ==, 4321);
  g_assert_cmpint (agent_remove_tree (dir), ==, 0);
}

static void
test_metrics (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vp-agent-XXXXXX", NULL);
  char *text;

  put (dir, "loadavg", "0.50 0.25 0.10 2/77 4242\n");
  put (dir, "meminfo", "MemTotal:         240000 kB\nHugePages_Total:       3\nActive(anon):  1 kB\nbad\"name: 1 kB\n");
  put (dir, "stat", "cpu  10 2 30 400 5 0 6 7 0 0\ncpu0 10 2 30 400 5 0 6 7 0 0\nintr 1 2 3\n");
  put (dir, "vmstat", "nr_free_pages 1234\n");
  put (dir, "diskstats", " 254       0 vda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n");
  put (dir, "net/dev", net_dev);
  put (dir, "self/status", "Name:\tagent\nVmSize:\t    2000 kB\nVmRSS:\t     4 kB\n");
  put (dir, "self/smaps_rollup", "00400000-7fff ---p 00000000 00:00 0 [rollup]\nRss:     900 kB\nPss: 1 kB\n");
  text = agent_metrics_text (dir);
  g_assert_nonnull (strstr (text, "\nkata_guest_load{item=\"load5\"} 0.25\n"));
  g_assert_nonnull (strstr (text, "\nkata_guest_tasks{item=\"max\"} 77\n"));
  g_assert_nonnull (strstr (text, "\nkata_guest_meminfo{item=\"MemTotal\"} 245760000\n"));
  g_assert_nonnull (strstr (text, "\nkata_guest_meminfo{item=\"HugePages_Total\"} 3\n"));
  g_assert_nonnull (strstr (text, "\nkata_guest_meminfo{item=\"Active(anon)\"} 1024\n"));
  g_assert_null (strstr (text, "bad"));
  g_assert_nonnull (strstr (text, "\nkata_guest_cpu_time{cpu=\"total\",item=\"idle\"} 400\n"));
  g_assert_nonnull (strstr (text, "\nkata_guest_cpu_time{cpu=\"0\",item=\"steal\"} 7\n"));
  g_assert_null (strstr (text, "intr"));
  g_assert_nonnull (strstr (text, "\nkata_guest_vm_stat{item=\"nr_free_pages\"} 1234\n"));
  g_assert_nonnull (strstr (text, "\nkata_guest_diskstat{disk=\"vda\",item=\"sectors_written\"} 7\n"));
  g_assert_nonnull (strstr (text, "\nkata_guest_netdev_stat{interface=\"eth0\",item=\"sent_drop\"} 12\n"));
  g_assert_nonnull (strstr (text, "\nkata_agent_total_rss 921600\n"));
  g_assert_true (g_str_has_suffix (text, "\n"));
  free (text);
  g_assert_cmpint (agent_remove_tree (dir), ==, 0);
}

/* however much there is to tell, the text is bounded and ends with a line */
static void
test_metrics_bounded (void)
{
  g_autofree char *dir = g_dir_make_tmp ("vp-agent-XXXXXX", NULL);
  g_autoptr (GString) lines = g_string_new (NULL);
  char *text;

  for (int i = 0; i < 30000; i++)
    g_string_append_printf (lines, "item_%d %d\n", i, i);
  put (dir, "vmstat", lines->str);
  text = agent_metrics_text (dir);
  g_assert_cmpuint (strlen (text), <, AGENT_METRICS_MAX);
  g_assert_cmpuint (strlen (text), >, AGENT_METRICS_MAX - 600);
  g_assert_true (g_str_has_suffix (text, "\n"));
  free (text);
  g_assert_cmpint (agent_remove_tree (dir), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent/stats", test_stats);
  g_test_add_func ("/agent/stats/nothing", test_stats_of_nothing);
  g_test_add_func ("/agent/pids", test_pids);
  g_test_add_func ("/agent/metrics", test_metrics);
  g_test_add_func ("/agent/metrics/bounded", test_metrics_bounded);
  return g_test_run ();
}
