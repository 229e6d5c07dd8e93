/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus-log-control.h"

#include "vp-dbus-reply.h"
#include "vp-error.h"
#include "vp-log.h"
#include "vp-names.h"

#define EMITS(value) "<annotation name='org.freedesktop.DBus.Property.EmitsChangedSignal' value='" value "'/>"

static const char xml[] = "<node><interface name='" VP_IFACE_LOG_CONTROL "'>"
                          "<property name='LogLevel' type='s' access='readwrite'>" EMITS ("false") "</property>"
                          "<property name='LogTarget' type='s' access='readwrite'>" EMITS ("false") "</property>"
                          "<property name='SyslogIdentifier' type='s' access='read'>" EMITS ("const") "</property>"
                          "</interface></node>";

/* syslog's words and ours; the first row of one of ours is the one that is shown */
static const struct {
  const char *theirs, *ours;
} levels[] = {
  { "err", "error" },       { "emerg", "error" }, { "alert", "error" }, { "crit", "error" },
  { "warning", "warning" }, { "notice", "notice" }, { "info", "info" }, { "debug", "debug" },
};

GDBusInterfaceInfo *
vp_dbus_log_control_info (void)
{
  static GDBusNodeInfo *node;

  if (node == NULL)
    node = g_dbus_node_info_new_for_xml (xml, NULL);
  return node->interfaces[0];
}

static const char *
get_level (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (levels); i++)
    if (g_str_equal (levels[i].ours, vp_log_get_level ()))
      return levels[i].theirs;
  return "notice";
}

static gboolean
set_level (const char *name, GError **error)
{
  g_autofree char *shown = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (levels); i++)
    if (g_str_equal (levels[i].theirs, name))
      return vp_log_set_level (levels[i].ours);
  shown = vp_error_shown (name);
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "LogLevel \"%s\": is no level of syslog", shown);
  return FALSE;
}

static gboolean
set_target (const char *name, GError **error)
{
  g_autofree char *shown = NULL;

  if (vp_log_set_target (name))
    return TRUE;
  shown = vp_error_shown (name);
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
               "LogTarget \"%s\": must be auto, journal, console or null", shown);
  return FALSE;
}

static GVariant *
get_all (void)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "LogLevel", "s", get_level ());
  g_variant_dict_insert (&dict, "LogTarget", "s", vp_log_get_target ());
  g_variant_dict_insert (&dict, "SyslogIdentifier", "s", VP_SYSLOG_IDENTIFIER);
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

static void
set (GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) value = NULL;
  GError *error = NULL;
  const char *name, *text;

  g_variant_get (g_dbus_method_invocation_get_parameters (invocation), "(s&sv)", NULL, &name, &value);
  text = g_variant_get_string (value, NULL); /* GDBus has looked at the type */
  if (g_str_equal (name, "LogLevel") ? set_level (text, &error) : set_target (text, &error))
    vp_notice (NULL, NULL, "%s is %s", name, text);
  vp_dbus_reply_done (invocation, error);
}

static void
go_on (GDBusMethodInvocation *invocation, gboolean full, gpointer target)
{
  const GDBusPropertyInfo *property = g_dbus_method_invocation_get_property_info (invocation);
  const char *method = g_dbus_method_invocation_get_method_name (invocation);
  g_autoptr (GVariant) all = get_all ();

  if (g_str_equal (method, "Set"))
    set (invocation);
  else if (property != NULL)
    {
      g_autoptr (GVariant) value = g_variant_lookup_value (all, property->name, NULL);

      g_dbus_method_invocation_return_value (invocation, g_variant_new ("(v)", value));
    }
  else
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(@a{sv})", all));
}

/* All there is are calls of properties. */
static void
on_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
         const char *method, GVariant *parameters, GDBusMethodInvocation *invocation, gpointer user_data)
{
  const GDBusPropertyInfo *property = g_dbus_method_invocation_get_property_info (invocation);

  vp_bouncer_ask (user_data, invocation,
                  vp_rule_find_property (VP_IFACE_LOG_CONTROL, property != NULL ? property->name : "",
                                         g_str_equal (method, "Set")),
                  VP_UID_NOBODYS, go_on, NULL);
}

guint
vp_dbus_log_control_export (GDBusConnection *connection, VpBouncer *bouncer, GError **error)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_call };

  return g_dbus_connection_register_object (connection, VP_PATH_LOG_CONTROL, vp_dbus_log_control_info (), &vtable,
                                            g_object_ref (bouncer), g_object_unref, error);
}
