/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod list: what there is, as a table, as JSON or as bare ids. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"
#include "vp-json-text.h"
#include "vp-names.h"
#include "vp-output.h"

static gboolean opt_sandboxes;

static const GOptionEntry options[] = {
  { "sandboxes", 's', 0, G_OPTION_ARG_NONE, &opt_sandboxes, N_("List sandboxes instead of containers"),
    NULL },
  VP_OUTPUT_OPTION_FILTER,
  VP_OUTPUT_OPTION_QUIET,
  VP_OUTPUT_OPTIONS,
  { NULL },
};

static const VpColumn container_columns[] = {
  { N_("ID"), "id" },   { N_("SANDBOX"), "sandbox" },                     { N_("STATE"), "state" },
  { N_("PID"), "pid" }, { N_("CREATED"), "createdAt", VP_COLUMN_TIME }, { N_("BUNDLE"), "bundle" },
  /* as OCI runtimes call them, for who reads their lists */
  { NULL, "status", VP_COLUMN_HIDDEN }, { NULL, "created", VP_COLUMN_HIDDEN },
};
static const VpColumn sandbox_columns[] = {
  { N_("ID"), "id" },
  { N_("STATE"), "state" },
  { N_("HANDLER"), "handler" },
  { N_("CREATED"), "createdAt", VP_COLUMN_TIME },
};

/* The rows that the manager's @method gives, whose reply is of @type. */
static GVariant *
ask (VpClient *client, const char *method, const char *type, GError **error)
{
  g_autoptr (GVariant) reply = vp_client_call (client, VP_PATH_MANAGER, VP_IFACE_MANAGER, method,
                                               g_variant_new ("(@a{ss})", vp_output_filter ()), type, error);

  return reply == NULL ? NULL : g_variant_get_child_value (reply, 0);
}

static VpTable *
load_containers (VpClient *client, GError **error)
{
  g_autoptr (VpTable) table = vp_table_new (container_columns, G_N_ELEMENTS (container_columns));
  g_autoptr (GVariant) reply = NULL;
  const char *id, *sandbox, *state, *bundle;
  GVariantIter iter;
  guint32 pid;
  guint64 created;

  reply = ask (client, "ListContainers", "(a(ssssuto))", error);
  if (reply == NULL)
    return NULL;
  g_variant_iter_init (&iter, reply);
  while (g_variant_iter_next (&iter, "(&s&s&s&sut&o)", &id, &sandbox, &state, &bundle, &pid, &created, NULL))
    vp_table_add (table, g_variant_new_string (id), g_variant_new_string (sandbox), g_variant_new_string (state),
                  g_variant_new_uint32 (pid), g_variant_new_uint64 (created), g_variant_new_string (bundle),
                  g_variant_new_string (state), g_variant_new_take_string (vp_json_time (created)));
  return g_steal_pointer (&table);
}

static VpTable *
load_sandboxes (VpClient *client, GError **error)
{
  g_autoptr (VpTable) table = vp_table_new (sandbox_columns, G_N_ELEMENTS (sandbox_columns));
  g_autoptr (GVariant) reply = NULL;
  const char *id, *state, *handler;
  GVariantIter iter;
  guint64 created;

  reply = ask (client, "ListSandboxes", "(a(sssto))", error);
  if (reply == NULL)
    return NULL;
  g_variant_iter_init (&iter, reply);
  while (g_variant_iter_next (&iter, "(&s&s&st&o)", &id, &state, &handler, &created, NULL))
    vp_table_add (table, g_variant_new_string (id), g_variant_new_string (state), g_variant_new_string (handler),
                  g_variant_new_uint64 (created));
  return g_steal_pointer (&table);
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (VpTable) table = NULL;
  g_autoptr (GError) error = NULL;

  if (vp_output_check () != NULL)
    return vp_command_usage (command, vp_output_check ());
  table = opt_sandboxes ? load_sandboxes (client, &error) : load_containers (client, &error);
  if (table == NULL)
    return vp_command_fail (command, NULL, error);
  vp_table_print (table);
  return 0;
}

const VpCommand vp_cmd_list = {
  .name = "list",
  .summary = N_("List containers or sandboxes"),
  .max_args = 0,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
