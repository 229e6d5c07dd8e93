/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod explain: what would become of a bundle, and why. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"

static char *opt_handler;
static char *opt_format;
static char *opt_id;

static const GOptionEntry options[] = {
  { "handler", 'H', 0, G_OPTION_ARG_STRING, &opt_handler, N_ ("Plan with the runtime handler NAME"),
    N_ ("NAME") },
  { "format", 'f', 0, G_OPTION_ARG_STRING, &opt_format, N_ ("Print as text (default), json or xml"),
    N_ ("FORMAT") },
  { "id", 0, 0, G_OPTION_ARG_STRING, &opt_id, N_ ("Call the container ID"), N_ ("ID") },
  { NULL },
};

static void
add_option (GVariantBuilder *builder, const char *key, const char *value)
{
  if (value != NULL)
    g_variant_builder_add (builder, "{sv}", key, g_variant_new_string (value));
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (GError) error = NULL;
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_autofree char *bundle = g_canonicalize_filename (args[0], NULL);
  g_autofree char *text = NULL;
  VpDBusManager1 *manager;

  if (!g_utf8_validate (bundle, -1, NULL))
    return vp_command_usage (command, _ ("the name of the bundle is not valid UTF-8"));
  manager = vp_client_get_manager (client, &error);
  if (manager == NULL)
    return vp_command_fail (command, args[0], error);
  add_option (&builder, "handler", opt_handler);
  add_option (&builder, "format", opt_format);
  add_option (&builder, "id", opt_id);
  if (!vp_dbus_manager1_call_explain_sync (manager, bundle, g_variant_builder_end (&builder), &text, NULL,
                                           &error))
    return vp_command_fail (command, args[0], error);
  g_print ("%s%s", text, g_str_has_suffix (text, "\n") ? "" : "\n");
  return 0;
}

const VpCommand vp_cmd_explain = {
  .name = "explain",
  .arguments = N_ ("BUNDLE"),
  .summary = N_ ("Show what would become of a bundle, and why"),
  .min_args = 1,
  .max_args = 1,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
