/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod stats: what containers or sandboxes use, once or again and again. */
#include "config.h"

#include <glib/gi18n.h>
#include <unistd.h>

#include "vp-command.h"
#include "vp-output.h"
#include "vp-usage.h"

static gboolean opt_sandboxes;
static gboolean opt_no_stream;
static double opt_interval = 2;

static const GOptionEntry options[] = {
  { "sandboxes", 's', 0, G_OPTION_ARG_NONE, &opt_sandboxes, N_("Show sandboxes, with what their virtual machines use"),
    NULL },
  { "no-stream", 0, 0, G_OPTION_ARG_NONE, &opt_no_stream, N_("Print once and exit"), NULL },
  { "interval", 'i', 0, G_OPTION_ARG_DOUBLE, &opt_interval, N_("Time between two tables (default: 2)"), N_("SECONDS") },
  VP_OUTPUT_OPTIONS,
  { NULL },
};

static const VpColumn container_columns[] = {
  { N_("ID"), "id" },
  { N_("SANDBOX"), "sandbox" },
  { N_("CPU %"), "cpuPercent", VP_COLUMN_PERCENT },
  { N_("CPU TIME"), "cpuUsageUsec", VP_COLUMN_DURATION },
  { N_("MEMORY"), "memoryUsageBytes", VP_COLUMN_BYTES },
  { N_("LIMIT"), "memoryLimitBytes", VP_COLUMN_BYTES },
  { N_("PIDS"), "pids", VP_COLUMN_NUMBER },
  { N_("READ"), "blockReadBytes", VP_COLUMN_BYTES },
  { N_("WRITTEN"), "blockWrittenBytes", VP_COLUMN_BYTES },
  { NULL, "stats", VP_COLUMN_HIDDEN },
};
static const VpColumn sandbox_columns[] = {
  { N_("ID"), "id" },
  { N_("CPU %"), "cpuPercent", VP_COLUMN_PERCENT },
  { N_("CPU TIME"), "cpuUsageUsec", VP_COLUMN_DURATION },
  { N_("MEMORY"), "memoryBytes", VP_COLUMN_BYTES },
  { N_("OVERHEAD"), "overheadBytes", VP_COLUMN_BYTES },
  { N_("CONTAINERS"), "containers", VP_COLUMN_NUMBER },
  { N_("RECEIVED"), "networkReceivedBytes", VP_COLUMN_BYTES },
  { N_("SENT"), "networkSentBytes", VP_COLUMN_BYTES },
  { NULL, "stats", VP_COLUMN_HIDDEN },
};

static GVariant *
number (const VpUsageRow *row, const char *key)
{
  guint64 value;

  return g_variant_lookup (row->stats, key, "t", &value) ? g_variant_new_uint64 (value) : NULL;
}

/* The sum of "value" of the rows of a list whose "op" is @op, or of the member
 * @member of all of its rows; NULL when there is no such list. */
static GVariant *
sum (const VpUsageRow *row, const char *key, const char *op, const char *member)
{
  g_autoptr (GVariant) list = g_variant_lookup_value (row->stats, key, G_VARIANT_TYPE ("aa{sv}"));
  guint64 total = 0;

  if (list == NULL)
    return NULL;
  for (gsize i = 0; i < g_variant_n_children (list); i++)
    {
      g_autoptr (GVariant) entry = g_variant_get_child_value (list, i);
      const char *its_op = "";
      guint64 value = 0;

      (void) g_variant_lookup (entry, "op", "&s", &its_op);
      if (op != NULL && g_ascii_strcasecmp (its_op, op) != 0)
        continue;
      (void) g_variant_lookup (entry, member, "t", &value);
      total += value;
    }
  return g_variant_new_uint64 (total);
}

static GVariant *
percent (const VpUsageRow *row)
{
  return row->cpu_percent < 0 ? NULL : g_variant_new_double (row->cpu_percent);
}

static void
add_container (VpTable *table, const VpUsageRow *row)
{
  vp_table_add (table, g_variant_new_string (row->id), g_variant_new_string (row->sandbox), percent (row),
                number (row, "cpu.usage-usec"), number (row, "memory.usage-bytes"),
                number (row, "memory.limit-bytes"), number (row, "pids.current"),
                sum (row, "blkio.service-bytes", "read", "value"), sum (row, "blkio.service-bytes", "write", "value"),
                row->stats);
}

static void
add_sandbox (VpTable *table, const VpUsageRow *row)
{
  guint32 containers;

  vp_table_add (table, g_variant_new_string (row->id), percent (row), number (row, "vm.cpu-usage-usec"),
                number (row, "vm.memory-bytes"), number (row, "overhead.memory-bytes"),
                g_variant_lookup (row->stats, "containers", "u", &containers) ? g_variant_new_uint32 (containers)
                                                                               : NULL,
                sum (row, "network", NULL, "rx-bytes"), sum (row, "network", NULL, "tx-bytes"), row->stats);
}

/* A guest that did not answer is said once below the table, not in it. */
static void
print (VpUsage *usage, gboolean stream)
{
  g_autoptr (VpTable) table
      = opt_sandboxes ? vp_table_new (sandbox_columns, G_N_ELEMENTS (sandbox_columns))
                      : vp_table_new (container_columns, G_N_ELEMENTS (container_columns));
  guint n;
  const VpUsageRow *rows = vp_usage_get_rows (usage, &n);

  for (guint i = 0; i < n; i++)
    (opt_sandboxes ? add_sandbox : add_container) (table, &rows[i]);
  if (stream && vp_output_is_json ())
    vp_table_print_lines (table);
  else
    vp_table_print (table);
  for (guint i = 0; i < n && !vp_output_is_json (); i++)
    {
      const char *why;

      if (g_variant_lookup (rows[i].stats, "error", "&s", &why))
        {
          g_autofree char *plain = vp_output_plain (why);

          g_printerr ("virtpod: stats %s: %s\n", rows[i].id, plain);
        }
    }
}

static gboolean
on_time (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

static void
pause_for (double seconds)
{
  gboolean over = FALSE;

  g_timeout_add ((guint) (seconds * 1000), on_time, &over);
  while (!over)
    g_main_context_iteration (NULL, TRUE);
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (VpUsage) usage = vp_usage_new (client);
  g_autoptr (GError) error = NULL;
  gboolean live = !opt_no_stream && !vp_output_is_json () && isatty (STDOUT_FILENO);

  if (vp_output_check () != NULL)
    return vp_command_usage (command, vp_output_check ());
  if (opt_interval < 0.1 || opt_interval > 86400)
    return vp_command_usage (command, _("--interval must be 0.1 to 86400 seconds"));
  if (!vp_usage_choose (usage, args, &error) || !vp_usage_sample (usage, opt_sandboxes, &error))
    return vp_command_fail (command, NULL, error);
  /* a share of time needs a beginning and an end; JSON has the times themselves */
  if (opt_no_stream && !vp_output_is_json ())
    {
      pause_for (MIN (opt_interval, 1));
      if (!vp_usage_sample (usage, opt_sandboxes, &error))
        return vp_command_fail (command, NULL, error);
    }
  while (!opt_no_stream)
    {
      if (live)
        g_print ("\033[H\033[2J");
      print (usage, TRUE);
      pause_for (opt_interval);
      if (!vp_usage_sample (usage, opt_sandboxes, &error))
        return vp_command_fail (command, NULL, error);
    }
  print (usage, FALSE);
  return 0;
}

const VpCommand vp_cmd_stats = {
  .name = "stats",
  .arguments = N_("[ID...]"),
  .summary = N_("Show what containers or sandboxes use"),
  .max_args = -1,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
