/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus.h"

#include "vp-dbus-job.h"
#include "vp-error.h"
#include "vp-id.h"
#include "vp-log.h"
#include "vp-names.h"

struct _VpDbusServer
{
  GObject parent;
  GDBusConnection *connection;
  GDBusObjectManagerServer *objects;
  VpManager *manager;
  VpBouncer *bouncer;
  VpDBusManager1 *manager_skeleton;
  GHashTable *processes; /* object path -> VpDBusProcess1, not in the object manager */
};

G_DEFINE_FINAL_TYPE (VpDbusServer, vp_dbus_server, G_TYPE_OBJECT)

/* ---- paths ---- */

char *
vp_dbus_path_sandbox (const char *sandbox_id)
{
  g_autofree char *element = vp_id_to_path_element (sandbox_id);

  return g_strdup_printf ("%s/%s", VP_PATH_SANDBOXES, element);
}

char *
vp_dbus_path_container (const char *sandbox_id, const char *container_id)
{
  g_autofree char *sandbox = vp_dbus_path_sandbox (sandbox_id);
  g_autofree char *element = vp_id_to_path_element (container_id);

  return g_strdup_printf ("%s/container/%s", sandbox, element);
}

char *
vp_dbus_path_process (const char *sandbox_id, const char *container_id, const char *exec_id)
{
  g_autofree char *container = vp_dbus_path_container (sandbox_id, container_id);
  g_autofree char *element = vp_id_to_path_element (exec_id);

  return g_strdup_printf ("%s/process/%s", container, element);
}

/* ---- objects come and go ---- */

static void
guard (VpDbusServer *self, GDBusInterfaceSkeleton *skeleton)
{
  g_object_set_data (G_OBJECT (skeleton), "server", self);
  vp_bouncer_watch (self->bouncer, skeleton);
}

VpDbusServer *
vp_dbus_server_of (GDBusMethodInvocation *invocation)
{
  return g_object_get_data (g_dbus_method_invocation_get_user_data (invocation), "server");
}

guint32
vp_dbus_caller_uid (GDBusMethodInvocation *invocation)
{
  return vp_bouncer_get_uid (vp_dbus_server_of (invocation)->bouncer, invocation);
}

static void
on_process_added (VpContainer *container, VpProcess *process, VpDbusServer *self)
{
  const char *sandbox_id = g_object_get_data (G_OBJECT (container), "sandbox-id");
  VpSandbox *sandbox = vp_manager_find_sandbox (self->manager, sandbox_id, NULL);
  g_autofree char *path
      = vp_dbus_path_process (sandbox_id, vp_container_get_id (container), vp_process_get_exec_id (process));
  g_autoptr (VpDBusProcess1) skeleton = NULL;
  g_autoptr (GError) error = NULL;

  if (sandbox == NULL)
    return;
  skeleton = vp_dbus_process_new (sandbox, container, process);
  guard (self, G_DBUS_INTERFACE_SKELETON (skeleton));
  if (!g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (skeleton), self->connection, path, &error))
    {
      vp_warning (sandbox_id, vp_container_get_id (container), "process not exported: %s", error->message);
      return;
    }
  g_hash_table_replace (self->processes, g_steal_pointer (&path), g_steal_pointer (&skeleton));
}

static void
on_process_removed (VpContainer *container, VpProcess *process, VpDbusServer *self)
{
  const char *sandbox_id = g_object_get_data (G_OBJECT (container), "sandbox-id");
  g_autofree char *path
      = vp_dbus_path_process (sandbox_id, vp_container_get_id (container), vp_process_get_exec_id (process));

  g_hash_table_remove (self->processes, path);
}

static void
export_object (VpDbusServer *self, const char *path, GDBusInterfaceSkeleton *skeleton)
{
  g_autoptr (GDBusObjectSkeleton) object = g_dbus_object_skeleton_new (path);

  guard (self, skeleton);
  g_dbus_object_skeleton_add_interface (object, skeleton);
  g_dbus_object_manager_server_export (self->objects, object);
}

static void
on_container_added (VpSandbox *sandbox, VpContainer *container, VpDbusServer *self)
{
  const char *sandbox_id = vp_sandbox_get_id (sandbox);
  g_autofree char *path = vp_dbus_path_container (sandbox_id, vp_container_get_id (container));
  g_autoptr (VpDBusContainer1) skeleton = vp_dbus_container_new (sandbox, container);
  g_autoptr (GList) execs = vp_container_list_execs (container);

  g_object_set_data_full (G_OBJECT (container), "sandbox-id", g_strdup (sandbox_id), g_free);
  export_object (self, path, G_DBUS_INTERFACE_SKELETON (skeleton));
  g_signal_connect_object (container, "process-added", G_CALLBACK (on_process_added), self, 0);
  g_signal_connect_object (container, "process-removed", G_CALLBACK (on_process_removed), self, 0);
  on_process_added (container, vp_container_get_init (container), self);
  for (GList *l = execs; l != NULL; l = l->next) /* of an adopted one */
    on_process_added (container, l->data, self);
}

static gboolean
is_process_below (gpointer path, gpointer skeleton, gpointer prefix)
{
  return g_str_has_prefix (path, prefix);
}

static void
on_container_removed (VpSandbox *sandbox, VpContainer *container, VpDbusServer *self)
{
  g_autofree char *path = vp_dbus_path_container (vp_sandbox_get_id (sandbox), vp_container_get_id (container));
  g_autofree char *below = g_strconcat (path, "/process/", NULL);

  g_signal_handlers_disconnect_by_data (container, self);
  g_hash_table_foreach_remove (self->processes, is_process_below, below);
  g_dbus_object_manager_server_unexport (self->objects, path);
}

static void
on_sandbox_added (VpManager *manager, VpSandbox *sandbox, VpDbusServer *self)
{
  g_autofree char *path = vp_dbus_path_sandbox (vp_sandbox_get_id (sandbox));
  g_autoptr (VpDBusSandbox1) skeleton = vp_dbus_sandbox_new (manager, sandbox);
  GPtrArray *containers = vp_sandbox_get_containers (sandbox);

  export_object (self, path, G_DBUS_INTERFACE_SKELETON (skeleton));
  g_signal_connect_object (sandbox, "container-added", G_CALLBACK (on_container_added), self, 0);
  g_signal_connect_object (sandbox, "container-removed", G_CALLBACK (on_container_removed), self, 0);
  for (guint i = 0; i < containers->len; i++)
    on_container_added (sandbox, containers->pdata[i], self);
}

static void
on_sandbox_removed (VpManager *manager, VpSandbox *sandbox, VpDbusServer *self)
{
  g_autofree char *path = vp_dbus_path_sandbox (vp_sandbox_get_id (sandbox));

  g_signal_handlers_disconnect_by_data (sandbox, self);
  g_dbus_object_manager_server_unexport (self->objects, path);
}

void
vp_dbus_server_publish (VpDbusServer *self, const char *path, GDBusInterfaceSkeleton *skeleton)
{
  export_object (self, path, skeleton);
}

void
vp_dbus_server_withdraw (VpDbusServer *self, const char *path)
{
  if (self->objects != NULL)
    g_dbus_object_manager_server_unexport (self->objects, path);
}

/* ---- the server ---- */

static void
process_free (gpointer data)
{
  GDBusInterfaceSkeleton *skeleton = data;

  g_dbus_interface_skeleton_unexport (skeleton);
  g_object_unref (skeleton);
}

static void
vp_dbus_server_dispose (GObject *object)
{
  VpDbusServer *self = VP_DBUS_SERVER (object);

  if (self->manager_skeleton != NULL)
    g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (self->manager_skeleton));
  g_clear_object (&self->manager_skeleton);
  g_clear_pointer (&self->processes, g_hash_table_unref);
  if (self->objects != NULL)
    g_dbus_object_manager_server_set_connection (self->objects, NULL);
  g_clear_object (&self->objects);
  g_clear_object (&self->manager);
  g_clear_object (&self->bouncer);
  g_clear_object (&self->connection);
  G_OBJECT_CLASS (vp_dbus_server_parent_class)->dispose (object);
}

static void
vp_dbus_server_class_init (VpDbusServerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = vp_dbus_server_dispose;
}

static void
vp_dbus_server_init (VpDbusServer *self)
{
  self->processes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, process_free);
}

static gboolean
check_authorisation_table (GError **error)
{
  const GDBusInterfaceInfo *const infos[] = {
    vp_dbus_manager1_interface_info (),
    vp_dbus_sandbox1_interface_info (),
    vp_dbus_container1_interface_info (),
    vp_dbus_process1_interface_info (),
    vp_dbus_job1_interface_info (),
  };

  for (gsize i = 0; i < G_N_ELEMENTS (infos); i++)
    if (!vp_bouncer_check_table (infos[i], error))
      return FALSE;
  return TRUE;
}

VpDbusServer *
vp_dbus_server_new (GDBusConnection *connection, VpManager *manager, VpBouncer *bouncer, GError **error)
{
  g_autoptr (VpDbusServer) self = NULL;
  g_autoptr (GList) sandboxes = vp_manager_list (manager);

  if (!check_authorisation_table (error))
    return NULL;
  self = g_object_new (VP_TYPE_DBUS_SERVER, NULL);
  self->connection = g_object_ref (connection);
  self->manager = g_object_ref (manager);
  self->bouncer = g_object_ref (bouncer);
  self->manager_skeleton = vp_dbus_manager_new (manager);
  guard (self, G_DBUS_INTERFACE_SKELETON (self->manager_skeleton));
  if (!g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (self->manager_skeleton), connection,
                                         VP_PATH_MANAGER, error))
    return NULL;

  self->objects = g_dbus_object_manager_server_new (VP_PATH_ROOT);
  for (GList *l = sandboxes; l != NULL; l = l->next)
    on_sandbox_added (manager, l->data, self);
  g_dbus_object_manager_server_set_connection (self->objects, connection);
  g_signal_connect_object (manager, "sandbox-added", G_CALLBACK (on_sandbox_added), self, 0);
  g_signal_connect_object (manager, "sandbox-removed", G_CALLBACK (on_sandbox_removed), self, 0);
  return g_steal_pointer (&self);
}
