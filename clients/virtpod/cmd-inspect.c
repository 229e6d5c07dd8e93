/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod inspect: the properties of a sandbox and its containers as JSON. */
#include "config.h"

#include <glib/gi18n.h>

#include "vp-command.h"
#include "vp-error.h"
#include "vp-json-text.h"
#include "vp-names.h"

/* What an id stands for: a sandbox with all its containers, or one container
 * and the sandbox it is in. */
typedef struct
{
  char *sandbox;
  char **containers;
} Target;

static void
target_clear (Target *self)
{
  g_clear_pointer (&self->sandbox, g_free);
  g_clear_pointer (&self->containers, g_strfreev);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Target, target_clear)

static gboolean
find_sandbox (Target *self, VpClient *client, const char *id, GError **error)
{
  g_autoptr (VpDBusSandbox1) sandbox = vp_client_find_sandbox (client, id, error);

  if (sandbox == NULL
      || !vp_dbus_sandbox1_call_list_containers_sync (sandbox, &self->containers, NULL, error))
    return FALSE;
  self->sandbox = g_strdup (g_dbus_proxy_get_object_path (G_DBUS_PROXY (sandbox)));
  return TRUE;
}

static gboolean
find_container (Target *self, VpClient *client, const char *id, GError **error)
{
  g_autoptr (VpDBusContainer1) container = vp_client_find_container (client, id, error);
  g_autoptr (GVariant) properties = NULL;
  g_autofree char *sandbox = NULL;
  const char *path;

  if (container == NULL)
    return FALSE;
  path = g_dbus_proxy_get_object_path (G_DBUS_PROXY (container));
  properties = vp_client_get_properties (client, path, VP_IFACE_CONTAINER, error);
  if (properties == NULL)
    return FALSE;
  if (!g_variant_lookup (properties, "Sandbox", "o", &sandbox))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_FAILED, _("container \"%s\": its sandbox is not told"), id);
      return FALSE;
    }
  self->sandbox = g_steal_pointer (&sandbox);
  self->containers = g_strdupv ((char *[]){ (char *) path, NULL });
  return TRUE;
}

static GVariant *
describe (Target *self, VpClient *client, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_auto (GVariantBuilder) containers = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  g_autoptr (GVariant) sandbox = vp_client_get_properties (client, self->sandbox, VP_IFACE_SANDBOX, error);

  if (sandbox == NULL)
    return NULL;
  g_variant_builder_add (&builder, "{sv}", "Sandbox", sandbox);
  for (char **path = self->containers; *path != NULL; path++)
    {
      g_autoptr (GVariant) properties = vp_client_get_properties (client, *path, VP_IFACE_CONTAINER, error);

      if (properties == NULL)
        return NULL;
      g_variant_builder_add_value (&containers, properties);
    }
  g_variant_builder_add (&builder, "{sv}", "Containers", g_variant_builder_end (&containers));
  return g_variant_builder_end (&builder);
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_auto (Target) target = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *json = NULL;
  GVariant *description;

  if (!find_sandbox (&target, client, args[0], &error))
    {
      g_autoptr (GError) container_error = NULL;

      if (!vp_error_is (error, VP_ERROR_NOT_FOUND)
          || !find_container (&target, client, args[0], &container_error))
        return vp_command_fail (command, args[0], container_error != NULL ? container_error : error);
      g_clear_error (&error);
    }
  description = describe (&target, client, &error);
  if (description == NULL)
    return vp_command_fail (command, args[0], error);
  json = vp_json_text (description);
  g_print ("%s\n", json);
  return 0;
}

const VpCommand vp_cmd_inspect = {
  .name = "inspect",
  .arguments = N_("ID"),
  .summary = N_("Print the properties of a sandbox or a container as JSON"),
  .min_args = 1,
  .max_args = 1,
  .failure = VP_EXIT_FAILURE,
  .run = run,
};
