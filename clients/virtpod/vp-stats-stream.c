/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-stats-stream.h"

#include <math.h>
#include <string.h>

#include "vp-error.h"
#include "vp-json-text.h"
#include "vp-names.h"
#include "vp-report.h"

/* ---- one line -------------------------------------------------------------------- */

typedef struct
{
  const char *key;  /* of Container1's GetStats */
  const char *name; /* in runc's document */
  guint64 factor;
} Number;

static const Number cpu_usage[]
    = { { "cpu.usage-usec", "total", 1000 }, { "cpu.system-usec", "kernel", 1000 }, { "cpu.user-usec", "user", 1000 } };
static const Number cpu_throttling[] = { { "cpu.periods", "periods", 1 },
                                         { "cpu.throttled-periods", "throttledPeriods", 1 },
                                         { "cpu.throttled-usec", "throttledTime", 1000 } };
static const Number pids[] = { { "pids.current", "current", 1 }, { "pids.limit", "limit", 1 } };
static const Number interface_numbers[]
    = { { "rx-bytes", "RxBytes", 1 },     { "rx-packets", "RxPackets", 1 }, { "rx-errors", "RxErrors", 1 },
        { "rx-dropped", "RxDropped", 1 }, { "tx-bytes", "TxBytes", 1 },     { "tx-packets", "TxPackets", 1 },
        { "tx-errors", "TxErrors", 1 },   { "tx-dropped", "TxDropped", 1 } };
static const struct
{
  const char *prefix, *name;
} memory_kinds[] = { { "memory.", "usage" }, { "memory.swap-", "swap" }, { "memory.kernel-", "kernel" } };
static const struct
{
  const char *key, *name;
} block_lists[] = { { "blkio.service-bytes", "ioServiceBytesRecursive" },
                    { "blkio.serviced", "ioServicedRecursive" },
                    { "blkio.queued", "ioQueueRecursive" },
                    { "blkio.service-time-nsec", "ioServiceTimeRecursive" },
                    { "blkio.wait-time-nsec", "ioWaitTimeRecursive" },
                    { "blkio.merged", "ioMergedRecursive" },
                    { "blkio.time-msec", "ioTimeRecursive" },
                    { "blkio.sectors", "sectorsRecursive" } };

/* What is not known is not there. */
static void
add_number (GVariantBuilder *object, const char *name, GVariant *stats, const char *key, guint64 factor)
{
  guint64 value;

  if (g_variant_lookup (stats, key, "t", &value))
    g_variant_builder_add (object, "{sv}", name,
                           g_variant_new_uint64 (value > G_MAXUINT64 / factor ? G_MAXUINT64 : value * factor));
}

/* Floating. */
static GVariant *
numbers (GVariant *stats, const Number *rows, gsize n)
{
  GVariantBuilder object;

  g_variant_builder_init (&object, G_VARIANT_TYPE_VARDICT);
  for (gsize i = 0; i < n; i++)
    add_number (&object, rows[i].name, stats, rows[i].key, rows[i].factor);
  return g_variant_builder_end (&object);
}

static GVariant *
memory (GVariant *stats)
{
  g_autoptr (GVariant) raw = g_variant_lookup_value (stats, "memory.stat", G_VARIANT_TYPE ("a{st}"));
  GVariantBuilder object;

  g_variant_builder_init (&object, G_VARIANT_TYPE_VARDICT);
  add_number (&object, "cache", stats, "memory.cache-bytes", 1);
  for (gsize i = 0; i < G_N_ELEMENTS (memory_kinds); i++)
    {
      g_autofree char *usage = g_strconcat (memory_kinds[i].prefix, "usage-bytes", NULL);
      g_autofree char *max = g_strconcat (memory_kinds[i].prefix, "max-usage-bytes", NULL);
      g_autofree char *limit = g_strconcat (memory_kinds[i].prefix, "limit-bytes", NULL);
      g_autofree char *failures = g_strconcat (memory_kinds[i].prefix, "failures", NULL);
      const Number rows[]
          = { { limit, "limit", 1 }, { usage, "usage", 1 }, { max, "max", 1 }, { failures, "failcnt", 1 } };

      g_variant_builder_add (&object, "{sv}", memory_kinds[i].name, numbers (stats, rows, G_N_ELEMENTS (rows)));
    }
  if (raw != NULL)
    g_variant_builder_add (&object, "{sv}", "raw", raw);
  return g_variant_builder_end (&object);
}

static GVariant *
block (GVariant *stats)
{
  GVariantBuilder object;

  g_variant_builder_init (&object, G_VARIANT_TYPE_VARDICT);
  for (gsize i = 0; i < G_N_ELEMENTS (block_lists); i++)
    {
      g_autoptr (GVariant) rows = g_variant_lookup_value (stats, block_lists[i].key, G_VARIANT_TYPE ("aa{sv}"));

      /* rows have runc's members already */
      if (rows != NULL)
        g_variant_builder_add (&object, "{sv}", block_lists[i].name, rows);
    }
  return g_variant_builder_end (&object);
}

static GVariant *
interfaces (GVariant *stats)
{
  g_autoptr (GVariant) rows = g_variant_lookup_value (stats, "network", G_VARIANT_TYPE ("aa{sv}"));
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("aa{sv}"));
  for (gsize i = 0; rows != NULL && i < g_variant_n_children (rows); i++)
    {
      g_autoptr (GVariant) row = g_variant_get_child_value (rows, i);
      const char *name = "";

      (void) g_variant_lookup (row, "name", "&s", &name);
      g_variant_builder_open (&list, G_VARIANT_TYPE_VARDICT);
      g_variant_builder_add (&list, "{sv}", "Name", g_variant_new_string (name));
      for (gsize j = 0; j < G_N_ELEMENTS (interface_numbers); j++)
        add_number (&list, interface_numbers[j].name, row, interface_numbers[j].key, 1);
      g_variant_builder_close (&list);
    }
  return g_variant_builder_end (&list);
}

/* @data is floating, or NULL. */
static char *
line (const char *type, const char *id, GVariant *data)
{
  GVariantBuilder event;

  g_variant_builder_init (&event, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&event, "{sv}", "type", g_variant_new_string (type));
  g_variant_builder_add (&event, "{sv}", "id", g_variant_new_string (id));
  if (data != NULL)
    g_variant_builder_add (&event, "{sv}", "data", data);
  return vp_json_line (g_variant_builder_end (&event));
}

char *
vp_stats_line (const char *id, GVariant *stats)
{
  GVariantBuilder cpu, data;

  g_variant_builder_init (&cpu, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&cpu, "{sv}", "usage", numbers (stats, cpu_usage, G_N_ELEMENTS (cpu_usage)));
  g_variant_builder_add (&cpu, "{sv}", "throttling", numbers (stats, cpu_throttling, G_N_ELEMENTS (cpu_throttling)));
  g_variant_builder_init (&data, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&data, "{sv}", "cpu", g_variant_builder_end (&cpu));
  g_variant_builder_add (&data, "{sv}", "memory", memory (stats));
  g_variant_builder_add (&data, "{sv}", "pids", numbers (stats, pids, G_N_ELEMENTS (pids)));
  g_variant_builder_add (&data, "{sv}", "blkio", block (stats));
  g_variant_builder_add (&data, "{sv}", "network_interfaces", interfaces (stats));
  return line ("stats", id, g_variant_builder_end (&data));
}

/* ---- line after line ------------------------------------------------------------- */

typedef struct
{
  const char *id;
  gboolean due;
} Stream;

static gboolean
on_time (gpointer user_data)
{
  ((Stream *) user_data)->due = TRUE;
  return G_SOURCE_CONTINUE;
}

static void
on_event (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
          const char *signal, GVariant *arguments, gpointer user_data)
{
  Stream *self = user_data;
  g_autoptr (GVariant) details = NULL;
  g_autofree char *text = NULL;
  const char *event, *container = "";

  if (!g_variant_is_of_type (arguments, G_VARIANT_TYPE ("(osa{sv})")))
    return;
  g_variant_get (arguments, "(&o&s@a{sv})", NULL, &event, &details);
  (void) g_variant_lookup (details, "container", "&s", &container);
  if (!g_str_equal (event, "oom") || !g_str_equal (container, self->id))
    return;
  text = line ("oom", self->id, NULL);
  g_print ("%s\n", text);
}

static gboolean
print_stats (VpDBusContainer1 *container, const char *id, GError **error)
{
  g_autoptr (GVariant) stats = NULL;
  g_autofree char *text = NULL;

  if (!vp_dbus_container1_call_get_stats_sync (container, &stats, NULL, error))
    return FALSE;
  text = vp_stats_line (id, stats);
  g_print ("%s\n", text);
  return TRUE;
}

/* Clears @error then: that is an end as well. */
static gboolean
is_deleted (GError **error)
{
  if (!vp_error_is (*error, VP_ERROR_NOT_FOUND))
    return FALSE;
  g_clear_error (error);
  return TRUE;
}

gboolean
vp_stats_stream (VpClient *client, const char *id, guint interval_msec, GError **error)
{
  Stream self = { .id = id };
  g_autoptr (VpDBusContainer1) container = vp_client_find_container (client, id, error);
  g_autoptr (GAsyncResult) ended = NULL;
  GDBusConnection *connection;
  guint subscription, timer;

  if (container == NULL || !print_stats (container, id, error))
    return FALSE;
  if (interval_msec == 0)
    return TRUE;
  connection = vp_client_get_connection (client, NULL);
  subscription
      = g_dbus_connection_signal_subscribe (connection, VP_BUS_NAME, VP_IFACE_MANAGER, "SandboxEvent", VP_PATH_MANAGER,
                                            NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_event, &self, NULL);
  timer = g_timeout_add (interval_msec, on_time, &self);
  /* answered by an error when the container, or the daemon, is gone */
  vp_dbus_container1_call_wait (container, NULL, vp_client_ready, &ended);
  while (ended == NULL)
    {
      g_autoptr (GError) local = NULL;

      g_main_context_iteration (NULL, TRUE);
      if (ended != NULL || !self.due)
        continue;
      self.due = FALSE;
      /* it may be paused, or just have ended */
      if (!print_stats (container, id, &local) && !vp_error_is (local, VP_ERROR_INVALID_STATE))
        vp_report_error (local->message);
    }
  g_source_remove (timer);
  g_dbus_connection_signal_unsubscribe (connection, subscription);
  return vp_dbus_container1_call_wait_finish (container, NULL, NULL, ended, error) || is_deleted (error);
}

gboolean
vp_stats_parse_interval (const char *text, guint *ret_msec)
{
  static const struct
  {
    const char *unit;
    double msec;
  } units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
  char *end;
  double number = g_ascii_strtod (text, &end);

  for (gsize i = 0; end != text && i < G_N_ELEMENTS (units); i++)
    {
      double msec = number * units[i].msec;

      if (!g_str_equal (end, units[i].unit) || !isfinite (msec) || msec < 100 || msec > 86400000)
        continue;
      *ret_msec = (guint) msec;
      return TRUE;
    }
  return FALSE;
}
