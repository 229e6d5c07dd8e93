/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod xml: the libvirt domain of a sandbox. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"

static gboolean opt_live;

static const GOptionEntry options[] = {
  { "live", 'l', 0, G_OPTION_ARG_NONE, &opt_live, N_("Ask libvirt for the running domain"), NULL },
  { NULL },
};

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpDBusSandbox1) sandbox = vp_client_find_sandbox (client, args[0], &error);
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_autofree char *xml = NULL;

  if (sandbox == NULL)
    return vp_command_fail (command, args[0], error);
  if (opt_live)
    g_variant_builder_add (&builder, "{sv}", "live", g_variant_new_boolean (TRUE));
  if (!vp_dbus_sandbox1_call_get_domain_xml_sync (sandbox, g_variant_builder_end (&builder), &xml, NULL,
                                                  &error))
    return vp_command_fail (command, args[0], error);
  g_print ("%s%s", xml, g_str_has_suffix (xml, "\n") ? "" : "\n");
  return 0;
}

const VpCommand vp_cmd_xml = {
  .name = "xml",
  .arguments = N_("SANDBOX"),
  .summary = N_("Print the libvirt domain XML of a sandbox"),
  .min_args = 1,
  .max_args = 1,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
