/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod prune: delete what has ended. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"
#include "vp-output.h"

static gboolean opt_dry_run;
static double opt_older_than;

static const GOptionEntry options[] = {
  { "older-than", 0, 0, G_OPTION_ARG_DOUBLE, &opt_older_than, N_("Only what ended that long ago"), N_("SECONDS") },
  { "dry-run", 'n', 0, G_OPTION_ARG_NONE, &opt_dry_run, N_("Only say what would be deleted"), NULL },
  VP_OUTPUT_OPTION_QUIET,
  VP_OUTPUT_OPTIONS,
  { NULL },
};

static const VpColumn columns[] = { { N_("ID"), "id" }, { N_("KIND"), "kind" } };

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (VpTable) table = vp_table_new (columns, G_N_ELEMENTS (columns));
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) removed = NULL;
  VpDBusManager1 *manager;
  const char *kind, *id;
  GVariantIter iter;

  if (vp_output_check () != NULL)
    return vp_command_usage (command, vp_output_check ());
  if (opt_older_than < 0 || opt_older_than > 1e9)
    return vp_command_usage (command, _("--older-than must be a number of seconds, not negative"));
  if (opt_older_than > 0)
    g_variant_builder_add (&builder, "{sv}", "older-than-usec",
                           g_variant_new_uint64 ((guint64) (opt_older_than * G_USEC_PER_SEC)));
  if (opt_dry_run)
    g_variant_builder_add (&builder, "{sv}", "dry-run", g_variant_new_boolean (TRUE));

  manager = vp_client_get_manager (client, &error);
  if (manager == NULL
      || !vp_dbus_manager1_call_prune_sync (manager, g_variant_builder_end (&builder), &removed, NULL, &error))
    return vp_command_fail (command, NULL, error);
  g_variant_iter_init (&iter, removed);
  while (g_variant_iter_next (&iter, "(&s&s)", &kind, &id))
    vp_table_add (table, g_variant_new_string (id), g_variant_new_string (kind));
  vp_table_print (table);
  return 0;
}

const VpCommand vp_cmd_prune = {
  .name = "prune",
  .summary = N_("Delete sandboxes and containers that have ended"),
  .max_args = 0,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
