/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virtpod inspect: everything that is known of a sandbox and its containers. */
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "vp-command.h"
#include "vp-error.h"
#include "vp-json-text.h"
#include "vp-names.h"
#include "vp-output.h"
#include "vp-target.h"

static char *opt_format;

static const GOptionEntry options[] = {
  { "format", 'f', 0, G_OPTION_ARG_STRING, &opt_format, N_("Print as json (default) or text"), N_("FORMAT") },
  { NULL },
};

/* A sandbox with all its containers, or one container and the sandbox it is in. */
static char **
list_containers (VpTarget *target, GError **error)
{
  char **paths = NULL;

  if (target->container != NULL)
    return g_strdupv ((char *[]){ (char *) vp_target_get_path (target), NULL });
  (void) vp_dbus_sandbox1_call_list_containers_sync (target->sandbox, &paths, NULL, error);
  return paths;
}

/* What the machine is made of; a sandbox that never started has no devices. */
static gboolean
add_devices (GVariantBuilder *builder, VpClient *client, const char *path, GError **error)
{
  g_autoptr (VpDBusSandbox1) sandbox = vp_client_open_sandbox (client, path, error);
  g_autoptr (GVariant) devices = NULL;

  if (sandbox == NULL)
    return FALSE;
  if (vp_dbus_sandbox1_call_list_devices_sync (sandbox, &devices, NULL, NULL))
    g_variant_builder_add (builder, "{sv}", "Devices", devices);
  return TRUE;
}

/* The properties, and the OCI state document as "OCI". */
static GVariant *
describe_container (VpClient *client, const char *path, GError **error)
{
  g_autoptr (VpDBusContainer1) container = vp_client_open_container (client, path, error);
  g_autoptr (GVariant) properties = NULL;
  g_autoptr (GVariantDict) dict = NULL;
  g_autofree char *json = NULL;
  GVariant *state;

  if (container == NULL)
    return NULL;
  properties = vp_client_get_properties (client, path, VP_IFACE_CONTAINER, error);
  if (properties == NULL || !vp_dbus_container1_call_get_state_sync (container, &json, NULL, error))
    return NULL;
  dict = g_variant_dict_new (properties);
  state = vp_json_parse (json);
  if (state != NULL)
    g_variant_dict_insert_value (dict, "OCI", state);
  return g_variant_dict_end (dict);
}

static GVariant *
describe (VpTarget *target, VpClient *client, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_auto (GVariantBuilder) rows = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  g_auto (GStrv) containers = list_containers (target, error);
  g_autofree char *path = containers == NULL ? NULL : vp_target_dup_sandbox_path (target, client, error);
  g_autoptr (GVariant) sandbox = NULL;

  if (path == NULL)
    return NULL;
  sandbox = vp_client_get_properties (client, path, VP_IFACE_SANDBOX, error);
  if (sandbox == NULL)
    return NULL;
  g_variant_builder_add (&builder, "{sv}", "Sandbox", sandbox);
  if (!add_devices (&builder, client, path, error))
    return NULL;
  for (char **container = containers; *container != NULL; container++)
    {
      GVariant *row = describe_container (client, *container, error);

      if (row == NULL)
        return NULL;
      g_variant_builder_add_value (&rows, row);
    }
  g_variant_builder_add (&builder, "{sv}", "Containers", g_variant_builder_end (&rows));
  return g_variant_builder_end (&builder);
}

/* ---- text ---------------------------------------------------------------------- */

/* "12, 0x1f" in one line; times and sizes in the form people read. */
static char *
scalar_text (const char *key, GVariant *value)
{
  g_autofree char *text = NULL;

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING)
      || g_variant_is_of_type (value, G_VARIANT_TYPE_OBJECT_PATH))
    return vp_output_plain (g_variant_get_string (value, NULL));
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64) && g_str_has_suffix (key, "At"))
    return vp_json_time (g_variant_get_uint64 (value));
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64) && g_str_has_suffix (key, "Bytes"))
    return vp_output_bytes (g_variant_get_uint64 (value));
  text = g_variant_print (value, FALSE);
  return vp_output_plain (text);
}

static void
print_text (const char *key, GVariant *value, int depth)
{
  g_autoptr (GVariant) held = g_variant_ref (value);
  g_autofree char *text = NULL;

  if (g_variant_is_of_type (held, G_VARIANT_TYPE_VARIANT))
    {
      g_autoptr (GVariant) inner = g_variant_get_variant (held);

      print_text (key, inner, depth);
      return;
    }
  if (g_variant_is_of_type (held, G_VARIANT_TYPE ("a{s*}")) || g_variant_is_of_type (held, G_VARIANT_TYPE ("aa{sv}")))
    {
      gboolean list = !g_variant_is_of_type (held, G_VARIANT_TYPE ("a{s*}"));

      g_print ("%*s%s:%s\n", depth * 2, "", key, g_variant_n_children (held) == 0 ? " -" : "");
      for (gsize i = 0; i < g_variant_n_children (held); i++)
        {
          g_autoptr (GVariant) child = g_variant_get_child_value (held, i);
          g_autoptr (GVariant) name = list ? NULL : g_variant_get_child_value (child, 0);
          g_autoptr (GVariant) content = list ? NULL : g_variant_get_child_value (child, 1);
          g_autofree char *index = g_strdup_printf ("%" G_GSIZE_FORMAT, i + 1);
          g_autofree char *shown = list ? NULL : vp_output_plain (g_variant_get_string (name, NULL));

          print_text (list ? index : shown, list ? child : content, depth + 1);
        }
      return;
    }
  text = scalar_text (key, held);
  g_print ("%*s%s: %s\n", depth * 2, "", key, *text == '\0' ? "-" : text);
}

static int
run (const VpCommand *command, VpClient *client, int n_args, char **args)
{
  g_auto (VpTarget) target = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) description = NULL;
  g_autofree char *json = NULL;

  if (opt_format != NULL && !g_str_equal (opt_format, "json") && !g_str_equal (opt_format, "text"))
    return vp_command_usage (command, _("--format must be json or text"));
  if (vp_target_find (&target, client, args[0], VP_TARGET_SANDBOX_FIRST, &error))
    description = describe (&target, client, &error);
  if (description == NULL)
    return vp_command_fail (command, args[0], error);
  g_variant_ref_sink (description);
  if (g_strcmp0 (opt_format, "text") == 0)
    for (gsize i = 0; i < g_variant_n_children (description); i++)
      {
        g_autoptr (GVariant) entry = g_variant_get_child_value (description, i);
        g_autoptr (GVariant) name = g_variant_get_child_value (entry, 0);
        g_autoptr (GVariant) content = g_variant_get_child_value (entry, 1);

        print_text (g_variant_get_string (name, NULL), content, 0);
      }
  else
    {
      json = vp_json_text (description);
      g_print ("%s\n", json);
    }
  return 0;
}

const VpCommand vp_cmd_inspect = {
  .name = "inspect",
  .arguments = N_("ID"),
  .summary = N_("Print what is known of a sandbox or a container"),
  .min_args = 1,
  .max_args = 1,
  .failure = VP_EXIT_FAILURE,
  .options = options,
  .run = run,
};
