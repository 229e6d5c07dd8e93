/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vp-error.h"
#include "vp-log.h"
#include "vp-net-stats.h"

/* What a sandbox uses: its containers as the guest counts them, and its
 * hypervisor as the host does. */

static const char *const summed[] = {
  "cpu.usage-usec", "cpu.user-usec", "cpu.system-usec", "memory.usage-bytes", "memory.cache-bytes", "pids.current",
};
enum { SUM_CPU = 0, SUM_MEMORY = 3, N_SUMS = G_N_ELEMENTS (summed) };

typedef struct
{
  guint left;
  guint n_containers;
  guint64 sums[N_SUMS];
  GVariant *network;   /* of the first container that says: they share it */
  GVariantDict *each;  /* container id -> its statistics */
  GError *error;       /* the first */
} Gather;

static void
gather_free (gpointer data)
{
  Gather *gather = data;

  g_clear_pointer (&gather->network, g_variant_unref);
  g_variant_dict_unref (gather->each);
  g_clear_error (&gather->error);
  g_free (gather);
}

/* ---- the host's side ---- */

typedef struct
{
  gboolean known;
  guint64 cpu_usec;
  guint64 memory;
} HostUse;

/* Two small reads of /proc; the pid is of a process of ours or of libvirt's that is watched. */
static HostUse
read_host_use (pid_t pid)
{
  g_autofree char *stat_path = g_strdup_printf ("/proc/%d/stat", (int) pid);
  g_autofree char *statm_path = g_strdup_printf ("/proc/%d/statm", (int) pid);
  g_autofree char *stat = NULL;
  g_autofree char *statm = NULL;
  guint64 user, system, resident;
  const char *after_name;
  HostUse use = { FALSE };

  if (pid <= 0 || !g_file_get_contents (stat_path, &stat, NULL, NULL)
      || !g_file_get_contents (statm_path, &statm, NULL, NULL) || (after_name = strrchr (stat, ')')) == NULL
      || sscanf (after_name, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
                 &user, &system)
             != 2
      || sscanf (statm, "%*u %" G_GUINT64_FORMAT, &resident) != 1)
    return use;
  use.known = TRUE;
  use.cpu_usec = (user + system) * (G_USEC_PER_SEC / (guint64) sysconf (_SC_CLK_TCK));
  use.memory = resident * (guint64) sysconf (_SC_PAGESIZE);
  return use;
}

static guint64
beyond (guint64 all, guint64 part)
{
  return all > part ? all - part : 0;
}

static GVariant *
make_stats (VpSandbox *self, const Gather *gather)
{
  HostUse host = read_host_use (self->machine.pid);
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  for (guint i = 0; i < N_SUMS; i++)
    g_variant_dict_insert (&dict, summed[i], "t", gather->sums[i]);
  if (gather->network != NULL)
    g_variant_dict_insert_value (&dict, "network", gather->network);
  g_variant_dict_insert (&dict, "containers", "u", gather->n_containers);
  if (host.known)
    {
      g_variant_dict_insert (&dict, "vm.cpu-usage-usec", "t", host.cpu_usec);
      g_variant_dict_insert (&dict, "vm.memory-bytes", "t", host.memory);
      g_variant_dict_insert (&dict, "overhead.cpu-usec", "t", beyond (host.cpu_usec, gather->sums[SUM_CPU]));
      g_variant_dict_insert (&dict, "overhead.memory-bytes", "t", beyond (host.memory, gather->sums[SUM_MEMORY]));
    }
  g_variant_dict_insert (&dict, "time-usec", "t", (guint64) g_get_real_time ());
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

/* ---- the guest's ---- */

static void
finish_gather (GTask *task)
{
  VpSandbox *self = g_task_get_source_object (task);
  Gather *gather = g_task_get_task_data (task);

  if (gather->error != NULL)
    {
      g_prefix_error (&gather->error, "get statistics of sandbox \"%s\": ", self->id);
      g_task_return_error (task, g_steal_pointer (&gather->error));
    }
  else
    g_task_return_pointer (task, make_stats (self, gather), (GDestroyNotify) g_variant_unref);
}

static void
add_stats (Gather *gather, VpContainer *container, GVariant *stats)
{
  for (guint i = 0; i < N_SUMS; i++)
    {
      guint64 value = 0;

      (void) g_variant_lookup (stats, summed[i], "t", &value);
      gather->sums[i] += value;
    }
  if (gather->network == NULL)
    gather->network = g_variant_lookup_value (stats, "network", G_VARIANT_TYPE ("aa{sv}"));
  g_variant_dict_insert_value (gather->each, vp_container_get_id (container), stats);
  gather->n_containers++;
}

static void
on_container_stats (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Gather *gather = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) stats = vp_container_stats_finish (VP_CONTAINER (source), result, &error);

  if (stats != NULL)
    add_stats (gather, VP_CONTAINER (source), stats);
  /* one that ended while it was asked is not there to be counted any more */
  else if (vp_container_get_state (VP_CONTAINER (source)) != VP_CONTAINER_STOPPED && gather->error == NULL)
    gather->error = g_steal_pointer (&error);
  if (--gather->left == 0)
    finish_gather (task);
}

void
vp_sandbox_stats_async (VpSandbox *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  Gather *gather;
  GError *error = NULL;

  if (!vp_sandbox_check_verb (self, VP_VERB_SANDBOX_STATS, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  gather = g_new0 (Gather, 1);
  gather->each = g_variant_dict_new (NULL);
  gather->left = 1; /* ours, until all are asked */
  g_task_set_task_data (task, gather, gather_free);
  for (guint i = 0; i < self->containers->len; i++)
    {
      VpContainerState state = vp_container_get_state (self->containers->pdata[i]);

      if (state == VP_CONTAINER_CREATING || state == VP_CONTAINER_STOPPED)
        continue;
      gather->left++;
      vp_container_stats_async (self->containers->pdata[i], on_container_stats, g_object_ref (task));
    }
  if (--gather->left == 0)
    finish_gather (task);
}

GVariant *
vp_sandbox_stats_finish (VpSandbox *self, GAsyncResult *result, GVariant **ret_containers, GError **error)
{
  GVariant *stats = g_task_propagate_pointer (G_TASK (result), error);
  Gather *gather = g_task_get_task_data (G_TASK (result));

  if (stats != NULL && ret_containers != NULL)
    *ret_containers = g_variant_ref_sink (g_variant_dict_end (gather->each));
  return stats;
}

/* ---- metrics ---- */

static void
add_metric (GString *text, VpSandbox *self, const char *name, const char *type, const char *help, double value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  /* an id has no character that needs escaping */
  g_string_append_printf (text, "# HELP virtpod_%s %s\n# TYPE virtpod_%s %s\nvirtpod_%s{sandbox=\"%s\"} %s\n", name, help,
                          name, type, name, self->id, g_ascii_dtostr (number, sizeof number, value));
}

/* A name can have any graphic character but a slash. */
static void
append_escaped (GString *text, const char *value)
{
  for (; *value != '\0'; value++)
    {
      if (*value == '"' || *value == '\\')
        g_string_append_c (text, '\\');
      g_string_append_c (text, *value);
    }
}

static const struct
{
  const char *name, *help;
  gsize offset;
} tap_metrics[] = {
  { "receive_bytes", "Bytes the guest was sent", G_STRUCT_OFFSET (VpNetCount, rx_bytes) },
  { "receive_packets", "Packets the guest was sent", G_STRUCT_OFFSET (VpNetCount, rx_packets) },
  { "receive_drop", "Packets to the guest that were dropped", G_STRUCT_OFFSET (VpNetCount, rx_dropped) },
  { "transmit_bytes", "Bytes the guest has sent", G_STRUCT_OFFSET (VpNetCount, tx_bytes) },
  { "transmit_packets", "Packets the guest has sent", G_STRUCT_OFFSET (VpNetCount, tx_packets) },
  { "transmit_drop", "Packets of the guest that were dropped", G_STRUCT_OFFSET (VpNetCount, tx_dropped) },
};

static void
add_tap_metrics (GString *text, VpSandbox *self, const GPtrArray *counts)
{
  for (gsize m = 0; counts->len > 0 && m < G_N_ELEMENTS (tap_metrics); m++)
    {
      g_string_append_printf (text,
                              "# HELP virtpod_tap_%s_total %s, at the host's end.\n"
                              "# TYPE virtpod_tap_%s_total counter\n",
                              tap_metrics[m].name, tap_metrics[m].help, tap_metrics[m].name);
      for (guint i = 0; i < counts->len; i++)
        {
          const VpNetCount *count = counts->pdata[i];

          g_string_append_printf (text, "virtpod_tap_%s_total{sandbox=\"%s\",interface=\"", tap_metrics[m].name,
                                  self->id);
          append_escaped (text, count->device);
          g_string_append_printf (text, "\",tap=\"%s\"} %" G_GUINT64_FORMAT "\n", count->tap,
                                  G_STRUCT_MEMBER (guint64, count, tap_metrics[m].offset));
        }
    }
}

static char *
make_metrics (VpSandbox *self, const GPtrArray *counts)
{
  GString *text = g_string_new (NULL);
  HostUse host = read_host_use (self->machine.pid);
  VpAgentStats agent;

  vp_agent_client_get_stats (self->machine.agent, &agent);
  if (host.known)
    {
      add_metric (text, self, "vm_cpu_seconds_total", "counter", "Processor time of the hypervisor process.",
                  (double) host.cpu_usec / G_USEC_PER_SEC);
      add_metric (text, self, "vm_memory_bytes", "gauge", "Resident memory of the hypervisor process.",
                  (double) host.memory);
    }
  add_metric (text, self, "containers", "gauge", "Containers, in any state.", (double) self->containers->len);
  add_metric (text, self, "start_time_seconds", "gauge", "When the sandbox became ready.",
              (double) self->started_at / G_USEC_PER_SEC);
  add_metric (text, self, "agent_calls_total", "counter", "Calls made to the agent.", (double) agent.calls);
  add_metric (text, self, "agent_calls_failed_total", "counter", "Of these, that failed.", (double) agent.failed);
  add_metric (text, self, "agent_received_bytes_total", "counter", "From the agent.", (double) agent.bytes_in);
  add_metric (text, self, "agent_sent_bytes_total", "counter", "To the agent.", (double) agent.bytes_out);
  if (counts != NULL)
    add_tap_metrics (text, self, counts);
  return g_string_free (text, FALSE);
}

/* @counts: NULL: not known */
static void
return_metrics (GTask *task, const GPtrArray *counts)
{
  VpSandbox *self = g_task_get_source_object (task);
  const char *guest = g_task_get_task_data (task);
  g_autofree char *own = NULL;

  if (self->machine.agent == NULL)
    {
      g_task_return_new_error (task, VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE,
                               "get metrics of sandbox \"%s\": it ended meanwhile", self->id);
      return;
    }
  own = make_metrics (self, counts);
  g_task_return_pointer (task, g_strconcat (own, guest, NULL), g_free);
}

static void
count_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  GError *error = NULL;
  GPtrArray *counts = vp_net_stats (task_data, &error);

  if (counts != NULL)
    g_task_return_pointer (task, counts, (GDestroyNotify) g_ptr_array_unref);
  else
    g_task_return_error (task, error);
}

static void
on_counted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) counts = g_task_propagate_pointer (G_TASK (result), &error);

  if (counts == NULL)
    vp_info (VP_SANDBOX (source)->id, NULL, "its taps are not counted: %s", error->message);
  return_metrics (task, counts);
}

static void
on_metrics (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandbox *self = g_task_get_source_object (task);
  GError *error = NULL;
  char *guest = vp_agent_client_get_metrics_finish (VP_AGENT_CLIENT (source), result, &error);

  if (guest == NULL && !vp_error_is (error, VP_ERROR_NOT_SUPPORTED))
    {
      g_prefix_error (&error, "get metrics of sandbox \"%s\": ", self->id);
      g_task_return_error (task, error);
      return;
    }
  g_clear_error (&error);
  g_task_set_task_data (task, guest, g_free);
  if (self->machine.agent != VP_AGENT_CLIENT (source) || self->machine.net == NULL)
    return_metrics (task, NULL);
  else
    vp_worker_run_async (self->services->worker, self, vp_sandbox_metrics_async, count_in_worker,
                         vp_net_job_ref (self->machine.net), (GDestroyNotify) vp_net_job_unref, NULL, on_counted,
                         g_steal_pointer (&task));
}

void
vp_sandbox_metrics_async (VpSandbox *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;
  VpAgentClient *agent = vp_sandbox_get_agent (self, VP_VERB_SANDBOX_METRICS, &error);

  if (agent == NULL)
    g_task_return_error (task, error);
  else
    vp_agent_client_get_metrics_async (agent,
                                       (guint) vp_config_get_uint (self->config, VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS),
                                       NULL, on_metrics, g_steal_pointer (&task));
}

char *
vp_sandbox_metrics_finish (VpSandbox *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
