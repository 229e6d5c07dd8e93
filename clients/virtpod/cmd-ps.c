/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod ps: the processes of a container, as its guest numbers them. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"
#include "vp-json-text.h"
#include "vp-names.h"
#include "vp-output.h"
#include "vp-report.h"

static const GOptionEntry options[] = {
  VP_OUTPUT_OPTION_QUIET,
  VP_OUTPUT_OPTIONS,
  { NULL },
};

static const VpColumn columns[] = { { N_("PID"), "pid", VP_COLUMN_NUMBER } };

/* To an engine processes are those of the host, and all there is of it there is what
 * stands for the container: an array with its number, as other runtimes print it. */
static int
print_host_pids (const VpCommand *command, VpClient *client, VpDBusContainer1 *container, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) properties
      = vp_client_get_properties (client, g_dbus_proxy_get_object_path (G_DBUS_PROXY (container)), VP_IFACE_CONTAINER,
                                  &error);
  guint32 pid = 0;

  if (properties == NULL)
    return vp_command_fail (command, id, error);
  (void) g_variant_lookup (properties, "Pid", "u", &pid);
  if (pid != 0)
    g_print ("[%u]\n", pid);
  else
    g_print ("[]\n");
  return 0;
}

/* As OCI runtimes print them. */
static void
print_array (GVariant *pids)
{
  g_autofree char *text = vp_json_line (pids);

  g_print ("%s\n", text);
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (VpTable) table = vp_table_new (columns, G_N_ELEMENTS (columns));
  g_autoptr (VpDBusContainer1) container = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) pids = NULL;

  if (vp_output_check () != NULL)
    return vp_command_usage (command, vp_output_check ());
  container = vp_client_find_container (client, args[0], &error);
  if (container != NULL && vp_report_has_log () && vp_output_is_json ())
    return print_host_pids (command, client, container, args[0]);
  if (container == NULL || !vp_dbus_container1_call_list_pids_sync (container, &pids, NULL, &error))
    return vp_command_fail (command, args[0], error);
  if (vp_output_is_json ())
    {
      print_array (pids);
      return 0;
    }
  for (gsize i = 0; i < g_variant_n_children (pids); i++)
    {
      g_autoptr (GVariant) pid = g_variant_get_child_value (pids, i);

      vp_table_add (table, pid);
    }
  vp_table_print (table);
  return 0;
}

const VpCommand vp_cmd_ps = {
  .name = "ps",
  .alias = "top",
  .arguments = N_("ID"),
  .summary = N_("List the processes of a container by their numbers in the guest"),
  .min_args = 1,
  .max_args = 1,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
