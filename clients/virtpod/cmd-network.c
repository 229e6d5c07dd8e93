/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod network: the network of a sandbox that runs. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"
#include "vp-output.h"

static const GOptionEntry options[] = {
  VP_OUTPUT_OPTIONS,
  { NULL },
};

/* ---- what the guest has ---- */

/* Floating; NULL where the row says nothing. */
static GVariant *
word_of (GVariant *row, const char *key)
{
  const char *word = NULL;

  return g_variant_lookup (row, key, "&s", &word) ? g_variant_new_string (word) : NULL;
}

static GVariant *
number_of (GVariant *row, const char *key)
{
  guint64 number = 0;

  return g_variant_lookup (row, key, "t", &number) ? g_variant_new_uint64 (number) : NULL;
}

static const VpColumn interface_columns[] = {
  { N_("NAME"), "name", VP_COLUMN_TEXT },
  { N_("MAC"), "mac", VP_COLUMN_TEXT },
  { N_("MTU"), "mtu", VP_COLUMN_NUMBER },
  { N_("ADDRESSES"), "addresses", VP_COLUMN_TEXT },
};

static VpTable *
load_interfaces (VpDBusSandbox1 *sandbox, GError **error)
{
  g_autoptr (VpTable) table = vp_table_new (interface_columns, G_N_ELEMENTS (interface_columns));
  g_autoptr (GVariant) rows = NULL;
  GVariantIter iter;
  GVariant *row;

  if (!vp_dbus_sandbox1_call_list_interfaces_sync (sandbox, &rows, NULL, error))
    return NULL;
  g_variant_iter_init (&iter, rows);
  while (g_variant_iter_loop (&iter, "@a{sv}", &row))
    {
      g_autofree const char **addresses = NULL;
      g_autofree char *all = NULL;

      (void) g_variant_lookup (row, "addresses", "^a&s", &addresses);
      all = addresses != NULL ? g_strjoinv (" ", (char **) addresses) : NULL;
      vp_table_add (table, word_of (row, "name"), word_of (row, "mac"), number_of (row, "mtu"),
                    all != NULL ? g_variant_new_string (all) : NULL);
    }
  return g_steal_pointer (&table);
}

static const VpColumn route_columns[] = {
  { N_("DESTINATION"), "dest", VP_COLUMN_TEXT },
  { N_("GATEWAY"), "gateway", VP_COLUMN_TEXT },
  { N_("DEVICE"), "device", VP_COLUMN_TEXT },
  { N_("SOURCE"), "source", VP_COLUMN_TEXT },
  { N_("FAMILY"), "family", VP_COLUMN_TEXT },
};

static VpTable *
load_routes (VpDBusSandbox1 *sandbox, GError **error)
{
  g_autoptr (VpTable) table = vp_table_new (route_columns, G_N_ELEMENTS (route_columns));
  g_autoptr (GVariant) rows = NULL;
  GVariantIter iter;
  GVariant *row;

  if (!vp_dbus_sandbox1_call_list_routes_sync (sandbox, &rows, NULL, error))
    return NULL;
  g_variant_iter_init (&iter, rows);
  while (g_variant_iter_loop (&iter, "@a{sv}", &row))
    {
      const char *dest = "";

      (void) g_variant_lookup (row, "dest", "&s", &dest);
      vp_table_add (table, g_variant_new_string (*dest != '\0' ? dest : "default"), word_of (row, "gateway"),
                    word_of (row, "device"), word_of (row, "source"), word_of (row, "family"));
    }
  return g_steal_pointer (&table);
}

static int
show (const VpCommand *command, const char *id, VpTable *table, GError *error)
{
  g_autoptr (VpTable) owned = table;
  g_autoptr (GError) owned_error = error;

  if (table == NULL)
    return vp_command_fail (command, id, error);
  vp_table_print (table);
  return 0;
}

/* ---- plugging ---- */

static int
attach (const VpCommand *command, const char *id, VpDBusSandbox1 *sandbox, const char *interface)
{
  g_auto (GVariantBuilder) device = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_autofree char *handle = NULL;
  g_autoptr (GError) error = NULL;

  g_variant_builder_add (&device, "{sv}", "kind", g_variant_new_string ("nic"));
  g_variant_builder_add (&device, "{sv}", "interface", g_variant_new_string (interface));
  if (!vp_dbus_sandbox1_call_attach_device_sync (sandbox, g_variant_builder_end (&device), &handle, NULL, &error))
    return vp_command_fail (command, id, error);
  g_print ("%s\n", handle);
  return 0;
}

static int
detach (const VpCommand *command, const char *id, VpDBusSandbox1 *sandbox, const char *handle)
{
  g_autoptr (GError) error = NULL;

  if (!vp_dbus_sandbox1_call_detach_device_sync (sandbox, handle, g_variant_new ("a{sv}", NULL), NULL, &error))
    return vp_command_fail (command, id, error);
  return 0;
}

static int
rescan (const VpCommand *command, const char *id, VpDBusSandbox1 *sandbox)
{
  g_auto (GStrv) attached = NULL;
  g_auto (GStrv) detached = NULL;
  g_autoptr (GError) error = NULL;

  if (!vp_dbus_sandbox1_call_rescan_network_sync (sandbox, g_variant_new ("a{sv}", NULL), &attached, &detached, NULL,
                                                  &error))
    return vp_command_fail (command, id, error);
  for (gsize i = 0; detached[i] != NULL; i++)
    g_print ("-%s\n", detached[i]);
  for (gsize i = 0; attached[i] != NULL; i++)
    g_print ("+%s\n", attached[i]);
  return 0;
}

/* ---- the command ---- */

static const struct
{
  const char *name;
  int n_args;
} verbs[] = { { "list", 0 }, { "routes", 0 }, { "attach", 1 }, { "detach", 1 }, { "rescan", 0 } };

static int
check_arguments (const VpCommand *command, const char *verb, int n_args)
{
  g_autofree char *message = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    {
      if (!g_str_equal (verbs[i].name, verb))
        continue;
      if (n_args < verbs[i].n_args)
        return vp_command_usage (command, _("an argument is missing"));
      if (n_args > verbs[i].n_args)
        return vp_command_usage (command, _("there is an argument too many"));
      return vp_output_check () != NULL ? vp_command_usage (command, vp_output_check ()) : 0;
    }
  message = g_strdup_printf (_("\"%s\" must be list, routes, attach, detach or rescan"), verb);
  return vp_command_usage (command, message);
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  int status = check_arguments (command, args[0], n_args - 2);
  g_autoptr (VpDBusSandbox1) sandbox = NULL;
  GError *error = NULL;
  VpTable *table;

  if (status != 0)
    return status;
  sandbox = vp_client_find_sandbox (client, args[1], &error);
  if (sandbox == NULL)
    return show (command, args[1], NULL, error);
  if (g_str_equal (args[0], "attach"))
    return attach (command, args[1], sandbox, args[2]);
  if (g_str_equal (args[0], "detach"))
    return detach (command, args[1], sandbox, args[2]);
  if (g_str_equal (args[0], "rescan"))
    return rescan (command, args[1], sandbox);
  table = g_str_equal (args[0], "list") ? load_interfaces (sandbox, &error) : load_routes (sandbox, &error);
  return show (command, args[1], table, error);
}

const VpCommand vp_cmd_network = {
  .name = "network",
  .arguments = N_("list | routes | rescan | attach | detach SANDBOX [INTERFACE | DEVICE]"),
  .summary = N_("Show and change the network of a sandbox that runs"),
  .min_args = 2,
  .max_args = 3,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
