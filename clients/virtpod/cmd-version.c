/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod version: of this program, the daemon and what is below it. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"
#include "vp-names.h"

/* libvirt's way to put three numbers into one */
static void
print_version (const char *what, GVariant *properties, const char *property)
{
  guint64 version = 0;

  if (g_variant_lookup (properties, property, "t", &version) && version != 0)
    g_print ("%s %" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT "\n", what,
             version / 1000000, version / 1000 % 1000, version % 1000);
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) properties = NULL;
  const char *version = "", *uri = "", *state = "", *accelerator = "";

  g_print ("virtpod %s\n", PACKAGE_VERSION);
  properties = vp_client_get_properties (client, VP_PATH_MANAGER, VP_IFACE_MANAGER, &error);
  if (properties == NULL)
    return vp_command_fail (command, NULL, error);

  (void) g_variant_lookup (properties, "Version", "&s", &version);
  (void) g_variant_lookup (properties, "HypervisorUri", "&s", &uri);
  (void) g_variant_lookup (properties, "HypervisorState", "&s", &state);
  (void) g_variant_lookup (properties, "Accelerator", "&s", &accelerator);
  g_print ("virtpodd %s\n", version);
  print_version ("libvirt", properties, "LibvirtVersion");
  print_version ("hypervisor", properties, "HypervisorVersion");
  g_print ("uri %s (%s)\n", uri, state);
  if (*accelerator != '\0')
    g_print ("accelerator %s\n", accelerator);
  return 0;
}

const VpCommand vp_cmd_version = {
  .name = "version",
  .summary = N_("Print the versions of the program, the daemon and the hypervisor"),
  .max_args = 0,
  .failure = VP_EXIT_FAILURE,
  .run = run,
};
