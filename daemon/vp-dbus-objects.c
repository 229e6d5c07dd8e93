/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus-objects.h"

#include "vp-dbus-guard.h"
#include "vp-log.h"
#include "vp-names.h"

typedef struct
{
  char *path;
  GDBusInterfaceSkeleton *skeleton;
  gboolean announced;
} Object;

typedef struct
{
  GDBusConnection *connection;
  guint manager_id; /* registration of the object manager */
} View;

struct _VpDbusObjects
{
  VpBouncer *bouncer;
  GHashTable *objects; /* path -> Object */
  GPtrArray *views;
};

static const char manager_xml[] = "<node><interface name='" VP_IFACE_OBJECT_MANAGER "'>"
                                  "<method name='GetManagedObjects'>"
                                  "<arg name='objects' type='a{oa{sa{sv}}}' direction='out'/></method>"
                                  "<signal name='InterfacesAdded'><arg name='object' type='o'/>"
                                  "<arg name='interfaces' type='a{sa{sv}}'/></signal>"
                                  "<signal name='InterfacesRemoved'><arg name='object' type='o'/>"
                                  "<arg name='interfaces' type='as'/></signal>"
                                  "</interface></node>";

static GDBusInterfaceInfo *
manager_info (void)
{
  static GDBusNodeInfo *node;

  if (node == NULL)
    node = g_dbus_node_info_new_for_xml (manager_xml, NULL);
  return node->interfaces[0];
}

static const char *
interface_of (const Object *object)
{
  return g_dbus_interface_skeleton_get_info (object->skeleton)->name;
}

static void
object_free (gpointer data)
{
  Object *object = data;

  g_dbus_interface_skeleton_unexport (object->skeleton);
  g_object_unref (object->skeleton);
  g_free (object->path);
  g_free (object);
}

static void
view_free (gpointer data)
{
  View *view = data;

  g_dbus_connection_unregister_object (view->connection, view->manager_id);
  g_object_unref (view->connection);
  g_free (view);
}

VpDbusObjects *
vp_dbus_objects_new (VpBouncer *bouncer)
{
  VpDbusObjects *self = g_new0 (VpDbusObjects, 1);

  self->bouncer = g_object_ref (bouncer);
  self->objects = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, object_free);
  self->views = g_ptr_array_new_with_free_func (view_free);
  return self;
}

void
vp_dbus_objects_free (VpDbusObjects *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->objects);
  g_ptr_array_unref (self->views);
  g_object_unref (self->bouncer);
  g_free (self);
}

/* ---- the object manager ---- */

/* a{sa{sv}}, floating */
static GVariant *
make_interfaces (const Object *object, gboolean full)
{
  g_autoptr (GVariant) properties = vp_dbus_guard_dup_properties (object->skeleton, full);
  GVariantBuilder dict;

  g_variant_builder_init (&dict, G_VARIANT_TYPE ("a{sa{sv}}"));
  g_variant_builder_add (&dict, "{s@a{sv}}", interface_of (object), properties);
  return g_variant_builder_end (&dict);
}

static void
emit (VpDbusObjects *self, const char *signal, GVariant *arguments)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (arguments);

  for (guint i = 0; i < self->views->len; i++)
    {
      const View *view = self->views->pdata[i];

      (void) g_dbus_connection_emit_signal (view->connection, NULL, VP_PATH_ROOT, VP_IFACE_OBJECT_MANAGER,
                                            signal, owned, NULL); /* one that is closed misses it */
    }
}

static void
answer_managed_objects (GDBusMethodInvocation *invocation, gboolean full, gpointer target)
{
  VpDbusObjects *self = g_dbus_method_invocation_get_user_data (invocation);
  GVariantBuilder dict;
  GHashTableIter iter;
  gpointer value;

  g_variant_builder_init (&dict, G_VARIANT_TYPE ("a{oa{sa{sv}}}"));
  g_hash_table_iter_init (&iter, self->objects);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Object *object = value;

      if (object->announced)
        g_variant_builder_add (&dict, "{o@a{sa{sv}}}", object->path, make_interfaces (object, full));
    }
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(a{oa{sa{sv}}})", &dict));
}

static void
on_manager_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                 const char *method, GVariant *parameters, GDBusMethodInvocation *invocation,
                 gpointer user_data)
{
  VpDbusObjects *self = user_data;

  vp_bouncer_ask (self->bouncer, invocation, vp_rule_find_method (interface, method), VP_UID_NOBODYS,
                  answer_managed_objects, NULL);
}

/* ---- connections ---- */

static void
export_to (GDBusConnection *connection, const Object *object)
{
  g_autoptr (GError) error = NULL;

  if (!g_dbus_interface_skeleton_export (object->skeleton, connection, object->path, &error))
    vp_warning (NULL, NULL, "%s: not exported: %s", object->path, error->message);
}

gboolean
vp_dbus_objects_add_connection (VpDbusObjects *self, GDBusConnection *connection, GError **error)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_manager_call };
  guint id = g_dbus_connection_register_object (connection, VP_PATH_ROOT, manager_info (), &vtable, self,
                                                NULL, error);
  GHashTableIter iter;
  gpointer object;
  View *view;

  if (id == 0)
    return FALSE;
  view = g_new0 (View, 1);
  view->connection = g_object_ref (connection);
  view->manager_id = id;
  g_ptr_array_add (self->views, view);
  g_hash_table_iter_init (&iter, self->objects);
  while (g_hash_table_iter_next (&iter, NULL, &object))
    export_to (connection, object);
  return TRUE;
}

void
vp_dbus_objects_remove_connection (VpDbusObjects *self, GDBusConnection *connection)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->objects);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Object *object = value;

      if (g_dbus_interface_skeleton_has_connection (object->skeleton, connection))
        g_dbus_interface_skeleton_unexport_from_connection (object->skeleton, connection);
    }
  for (guint i = 0; i < self->views->len; i++)
    if (((View *) self->views->pdata[i])->connection == connection)
      {
        g_ptr_array_remove_index_fast (self->views, i);
        return;
      }
}

/* ---- objects ---- */

void
vp_dbus_objects_add (VpDbusObjects *self, const char *path, GDBusInterfaceSkeleton *skeleton,
                     gboolean announced)
{
  Object *object;

  g_return_if_fail (vp_dbus_guard_has (skeleton));
  vp_dbus_guard_set_bouncer (skeleton, self->bouncer);
  object = g_new0 (Object, 1);
  object->path = g_strdup (path);
  object->skeleton = g_object_ref (skeleton);
  object->announced = announced;
  g_hash_table_replace (self->objects, object->path, object);
  for (guint i = 0; i < self->views->len; i++)
    export_to (((View *) self->views->pdata[i])->connection, object);
  if (announced)
    emit (self, "InterfacesAdded", g_variant_new ("(o@a{sa{sv}})", path, make_interfaces (object, FALSE)));
}

void
vp_dbus_objects_remove (VpDbusObjects *self, const char *path)
{
  Object *object = g_hash_table_lookup (self->objects, path);
  g_autofree char *gone = g_strdup (path); /* @path may be the object's own */
  const char *interfaces[] = { NULL, NULL };
  gboolean announced;

  if (object == NULL)
    return;
  interfaces[0] = interface_of (object);
  announced = object->announced;
  g_hash_table_remove (self->objects, path);
  if (announced)
    emit (self, "InterfacesRemoved", g_variant_new ("(o^as)", gone, interfaces));
}

void
vp_dbus_objects_remove_below (VpDbusObjects *self, const char *prefix)
{
  g_autoptr (GList) paths = g_hash_table_get_keys (self->objects);

  for (GList *l = paths; l != NULL; l = l->next)
    if (g_str_has_prefix (l->data, prefix))
      vp_dbus_objects_remove (self, l->data);
}
