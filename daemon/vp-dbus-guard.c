/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus-guard.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"

static void guard_method_call (GDBusConnection *connection, const char *sender, const char *path,
                               const char *interface, const char *method, GVariant *parameters,
                               GDBusMethodInvocation *invocation, gpointer user_data);

/* Without functions for properties GDBus hands over their calls as any others. */
static const GDBusInterfaceVTable guard_vtable = { .method_call = guard_method_call };

static GDBusInterfaceVTable *
guard_get_vtable (GDBusInterfaceSkeleton *skeleton)
{
  return (GDBusInterfaceVTable *) &guard_vtable; /* GDBus makes a copy and changes that */
}

static void
guard_class_init (gpointer klass, gpointer class_data)
{
  G_DBUS_INTERFACE_SKELETON_CLASS (klass)->get_vtable = guard_get_vtable;
}

gpointer
vp_dbus_guard_new (GType type)
{
  g_autofree char *name = g_strconcat (g_type_name (type), "Guarded", NULL);
  GType guarded = g_type_from_name (name);
  GTypeQuery query;

  if (guarded == 0)
    {
      g_type_query (type, &query);
      guarded
          = g_type_register_static_simple (type, g_intern_string (name), query.class_size, guard_class_init,
                                           query.instance_size, NULL, G_TYPE_FLAG_FINAL);
    }
  return g_object_new (guarded, NULL);
}

gboolean
vp_dbus_guard_has (GDBusInterfaceSkeleton *skeleton)
{
  return g_dbus_interface_skeleton_get_vtable (skeleton) == &guard_vtable;
}

/* What gdbus-codegen made. */
static const GDBusInterfaceVTable *
generated_vtable (GDBusInterfaceSkeleton *skeleton)
{
  gpointer parent = g_type_class_peek_parent (G_OBJECT_GET_CLASS (skeleton));

  return G_DBUS_INTERFACE_SKELETON_CLASS (parent)->get_vtable (skeleton);
}

void
vp_dbus_guard_set_bouncer (GDBusInterfaceSkeleton *skeleton, VpBouncer *bouncer)
{
  g_object_set_data_full (G_OBJECT (skeleton), "bouncer", g_object_ref (bouncer), g_object_unref);
}

void
vp_dbus_guard_set_owner (GDBusInterfaceSkeleton *skeleton, guint32 uid)
{
  g_object_set_data (G_OBJECT (skeleton), "owner-plus-one", GUINT_TO_POINTER (uid + 1));
}

guint32
vp_dbus_guard_get_owner (GDBusInterfaceSkeleton *skeleton)
{
  return GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (skeleton), "owner-plus-one")) - 1;
}

GVariant *
vp_dbus_guard_dup_properties (GDBusInterfaceSkeleton *skeleton, gboolean full)
{
  const char *interface = g_dbus_interface_skeleton_get_info (skeleton)->name;
  g_autoptr (GVariant) all = g_variant_take_ref (g_dbus_interface_skeleton_get_properties (skeleton));
  GVariantBuilder some;
  GVariantIter iter;
  const char *key;
  GVariant *value;

  if (full)
    return g_steal_pointer (&all);
  g_variant_builder_init (&some, G_VARIANT_TYPE ("a{sv}"));
  g_variant_iter_init (&iter, all);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value))
    if (!vp_rule_is_secret (interface, key))
      g_variant_builder_add (&some, "{sv}", key, value);
  return g_variant_ref_sink (g_variant_builder_end (&some));
}

/* ---- calls that were let in ---- */

static void
answer_property (GDBusInterfaceSkeleton *skeleton, GDBusMethodInvocation *invocation)
{
  const GDBusInterfaceVTable *vtable = generated_vtable (skeleton);
  GDBusConnection *connection = g_dbus_method_invocation_get_connection (invocation);
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  const char *path = g_dbus_method_invocation_get_object_path (invocation);
  GVariant *parameters = g_dbus_method_invocation_get_parameters (invocation);
  g_autoptr (GVariant) value = NULL;
  const char *interface, *name;
  GError *error = NULL;

  if (g_str_equal (g_dbus_method_invocation_get_method_name (invocation), "Set"))
    {
      g_variant_get (parameters, "(&s&sv)", &interface, &name, &value);
      if (vtable->set_property (connection, sender, path, interface, name, value, &error, skeleton))
        g_dbus_method_invocation_return_value (invocation, NULL);
      else
        g_dbus_method_invocation_take_error (invocation, error);
      return;
    }
  g_variant_get (parameters, "(&s&s)", &interface, &name);
  value = vtable->get_property (connection, sender, path, interface, name, &error, skeleton);
  if (value == NULL)
    g_dbus_method_invocation_take_error (invocation, error);
  else
    {
      g_variant_take_ref (value);
      g_dbus_method_invocation_return_value (invocation, g_variant_new ("(v)", value));
    }
}

static void
go_on (GDBusMethodInvocation *invocation, gboolean full, gpointer target)
{
  GDBusInterfaceSkeleton *skeleton = target;
  const char *interface = g_dbus_method_invocation_get_interface_name (invocation);
  const char *method = g_dbus_method_invocation_get_method_name (invocation);

  if (g_dbus_interface_skeleton_get_object_path (skeleton) == NULL)
    g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT,
                                           "%s: the object has gone", method);
  else if (g_dbus_method_invocation_get_property_info (invocation) != NULL)
    answer_property (skeleton, invocation);
  else if (g_str_equal (interface, PROPERTIES))
    {
      g_autoptr (GVariant) properties = vp_dbus_guard_dup_properties (skeleton, full);

      g_dbus_method_invocation_return_value (invocation, g_variant_new ("(@a{sv})", properties));
    }
  else
    generated_vtable (skeleton)->method_call (
        g_dbus_method_invocation_get_connection (invocation),
        g_dbus_method_invocation_get_sender (invocation),
        g_dbus_method_invocation_get_object_path (invocation), interface, method,
        g_dbus_method_invocation_get_parameters (invocation), invocation, skeleton);
}

static void
guard_method_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                   const char *method, GVariant *parameters, GDBusMethodInvocation *invocation,
                   gpointer user_data)
{
  GDBusInterfaceSkeleton *skeleton = user_data;
  VpBouncer *bouncer = g_object_get_data (G_OBJECT (skeleton), "bouncer");
  const GDBusPropertyInfo *property = g_dbus_method_invocation_get_property_info (invocation);
  const VpRule *rule;

  if (property != NULL)
    rule = vp_rule_find_property (g_dbus_interface_skeleton_get_info (skeleton)->name, property->name,
                                  g_str_equal (method, "Set"));
  else if (g_str_equal (interface, PROPERTIES)) /* GetAll: what is not secret, or all of it */
    rule = vp_rule_find_property (interface, "", FALSE);
  else
    rule = vp_rule_find_method (interface, method);
  vp_bouncer_ask (bouncer, invocation, rule, vp_dbus_guard_get_owner (skeleton), go_on, skeleton);
}
