/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod network: the network of a sandbox that runs. */
#include "config.h"

#include <gio/gunixinputstream.h>
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

static void
add_interface (VpTable *table, GVariant *row)
{
  g_autofree const char **addresses = NULL;
  g_autofree char *all = NULL;

  (void) g_variant_lookup (row, "addresses", "^a&s", &addresses);
  all = addresses != NULL ? g_strjoinv (" ", (char **) addresses) : NULL;
  vp_table_add (table, word_of (row, "name"), word_of (row, "mac"), number_of (row, "mtu"),
                all != NULL ? g_variant_new_string (all) : NULL);
}

static const VpColumn route_columns[] = {
  { N_("DESTINATION"), "dest", VP_COLUMN_TEXT },
  { N_("GATEWAY"), "gateway", VP_COLUMN_TEXT },
  { N_("DEVICE"), "device", VP_COLUMN_TEXT },
  { N_("SOURCE"), "source", VP_COLUMN_TEXT },
  { N_("FAMILY"), "family", VP_COLUMN_TEXT },
};

static void
add_route (VpTable *table, GVariant *row)
{
  const char *dest = "";

  (void) g_variant_lookup (row, "dest", "&s", &dest);
  vp_table_add (table, g_variant_new_string (*dest != '\0' ? dest : "default"), word_of (row, "gateway"),
                word_of (row, "device"), word_of (row, "source"), word_of (row, "family"));
}

/* @table and @rows are taken; NULL @rows: @error says why. */
static int
show (const VpCommand *command, const char *id, VpTable *table, void (*add) (VpTable *table, GVariant *row),
      GVariant *rows, const GError *error)
{
  g_autoptr (VpTable) owned = table;
  g_autoptr (GVariant) owned_rows = rows;
  GVariantIter iter;
  GVariant *row;

  if (rows == NULL)
    return vp_command_fail (command, id, error);
  g_variant_iter_init (&iter, rows);
  while (g_variant_iter_loop (&iter, "@a{sv}", &row))
    add (table, row);
  vp_table_print (table);
  return 0;
}

static int
list (const VpCommand *command, const char *id, VpDBusSandbox1 *sandbox, const char *nothing)
{
  g_autoptr (GError) error = NULL;
  GVariant *rows = NULL;

  (void) vp_dbus_sandbox1_call_list_interfaces_sync (sandbox, &rows, NULL, &error);
  return show (command, id, vp_table_new (interface_columns, G_N_ELEMENTS (interface_columns)), add_interface, rows,
               error);
}

static int
routes (const VpCommand *command, const char *id, VpDBusSandbox1 *sandbox, const char *nothing)
{
  g_autoptr (GError) error = NULL;
  GVariant *rows = NULL;

  (void) vp_dbus_sandbox1_call_list_routes_sync (sandbox, &rows, NULL, &error);
  return show (command, id, vp_table_new (route_columns, G_N_ELEMENTS (route_columns)), add_route, rows, error);
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
rescan (const VpCommand *command, const char *id, VpDBusSandbox1 *sandbox, const char *nothing)
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

/* ---- packet filter ---- */

/* of the rules, more than any daemon takes */
#define MAX_RULES (1u << 20)

static int
save (const VpCommand *command, const char *id, VpDBusSandbox1 *sandbox, const char *family)
{
  g_autofree char *rules = NULL;
  g_autoptr (GError) error = NULL;

  if (!vp_dbus_sandbox1_call_get_iptables_sync (sandbox, family, &rules, NULL, &error))
    return vp_command_fail (command, id, error);
  g_print ("%s", rules);
  return 0;
}

static int
save4 (const VpCommand *command, const char *id, VpDBusSandbox1 *sandbox, const char *nothing)
{
  return save (command, id, sandbox, "ipv4");
}

static int
save6 (const VpCommand *command, const char *id, VpDBusSandbox1 *sandbox, const char *nothing)
{
  return save (command, id, sandbox, "ipv6");
}

/* "-": from standard input. NULL with @error. */
static char *
read_rules (const char *path, GError **error)
{
  g_autoptr (GInputStream) stream = NULL;
  g_autofree char *text = g_malloc (MAX_RULES + 1);
  gsize n = 0;

  if (g_str_equal (path, "-"))
    stream = g_unix_input_stream_new (0, FALSE);
  else
    {
      g_autoptr (GFile) file = g_file_new_for_path (path);

      stream = G_INPUT_STREAM (g_file_read (file, NULL, error));
    }
  if (stream == NULL || !g_input_stream_read_all (stream, text, MAX_RULES, &n, NULL, error))
    return NULL;
  text[n] = '\0';
  if (g_utf8_validate_len (text, (gssize) n, NULL))
    return g_steal_pointer (&text);
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, _("%s: is no text in UTF-8"), path);
  return NULL;
}

static int
restore (const VpCommand *command, const char *id, VpDBusSandbox1 *sandbox, const char *family, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *rules = read_rules (path, &error);
  g_autofree char *output = NULL;

  if (rules == NULL || !vp_dbus_sandbox1_call_set_iptables_sync (sandbox, family, rules, &output, NULL, &error))
    return vp_command_fail (command, id, error);
  g_print ("%s", output);
  return 0;
}

static int
restore4 (const VpCommand *command, const char *id, VpDBusSandbox1 *sandbox, const char *path)
{
  return restore (command, id, sandbox, "ipv4", path);
}

static int
restore6 (const VpCommand *command, const char *id, VpDBusSandbox1 *sandbox, const char *path)
{
  return restore (command, id, sandbox, "ipv6", path);
}

/* ---- the command ---- */

typedef struct
{
  const char *name;
  int n_args;
  int (*run) (const VpCommand *command, const char *id, VpDBusSandbox1 *sandbox, const char *argument);
} Verb;

static const Verb verbs[]
    = { { "list", 0, list }, { "routes", 0, routes }, { "attach", 1, attach }, { "detach", 1, detach },
        { "rescan", 0, rescan }, { "iptables-save", 0, save4 }, { "iptables-restore", 1, restore4 },
        { "ip6tables-save", 0, save6 }, { "ip6tables-restore", 1, restore6 } };

static const Verb *
find_verb (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (g_str_equal (verbs[i].name, name))
      return &verbs[i];
  return NULL;
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  const Verb *verb = find_verb (args[0]);
  g_autoptr (VpDBusSandbox1) sandbox = NULL;
  g_autoptr (GError) error = NULL;

  if (verb == NULL)
    {
      g_autofree char *message
          = g_strdup_printf (_("\"%s\" must be list, routes, attach, detach, rescan, or a verb of iptables"), args[0]);
      return vp_command_usage (command, message);
    }
  if (n_args - 2 != verb->n_args)
    return vp_command_usage (command, n_args - 2 < verb->n_args ? _("an argument is missing")
                                                                : _("there is an argument too many"));
  if (vp_output_check () != NULL)
    return vp_command_usage (command, vp_output_check ());
  sandbox = vp_client_find_sandbox (client, args[1], &error);
  if (sandbox == NULL)
    return vp_command_fail (command, args[1], error);
  return verb->run (command, args[1], sandbox, verb->n_args > 0 ? args[2] : NULL);
}

const VpCommand vp_cmd_network = {
  .name = "network",
  .arguments = N_("list | routes | rescan | attach | detach | ip[6]tables-save | ip[6]tables-restore SANDBOX "
                  "[INTERFACE | DEVICE | FILE]"),
  .summary = N_("Show and change the network of a sandbox that runs"),
  .min_args = 2,
  .max_args = 3,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
