/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus.h"

#include "vp-dbus-guard.h"
#include "vp-dbus-log-control.h"
#include "vp-dbus-objects.h"
#include "vp-dbus-peer.h"
#include "vp-error.h"
#include "vp-id.h"
#include "vp-log.h"
#include "vp-names.h"

struct _VpDbusServer
{
  GObject parent;
  GDBusConnection *bus;
  guint log_control; /* registration on the bus */
  VpManager *manager;
  VpBouncer *bouncer;
  VpDbusObjects *objects;
  VpDbusPeers *peers;
  VpDbusReloadFunc reload;
  gpointer reload_data;
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
add (VpDbusServer *self, const char *path, gpointer skeleton, guint32 owner, gboolean announced)
{
  g_object_set_data (skeleton, "server", self);
  vp_dbus_guard_set_owner (skeleton, owner);
  vp_dbus_objects_add (self->objects, path, skeleton, announced);
}

static void
on_process_added (VpContainer *container, VpProcess *process, VpDbusServer *self)
{
  const char *sandbox_id = g_object_get_data (G_OBJECT (container), "sandbox-id");
  VpSandbox *sandbox = vp_manager_find_sandbox (self->manager, sandbox_id, NULL);
  g_autofree char *path
      = vp_dbus_path_process (sandbox_id, vp_container_get_id (container), vp_process_get_exec_id (process));
  g_autoptr (VpDBusProcess1) skeleton = NULL;

  if (sandbox == NULL)
    return;
  skeleton = vp_dbus_process_new (sandbox, container, process);
  add (self, path, skeleton, vp_sandbox_get_owner (sandbox), FALSE);
}

static void
on_process_removed (VpContainer *container, VpProcess *process, VpDbusServer *self)
{
  const char *sandbox_id = g_object_get_data (G_OBJECT (container), "sandbox-id");
  g_autofree char *path
      = vp_dbus_path_process (sandbox_id, vp_container_get_id (container), vp_process_get_exec_id (process));

  vp_dbus_objects_remove (self->objects, path);
}

static void
on_container_added (VpSandbox *sandbox, VpContainer *container, VpDbusServer *self)
{
  const char *sandbox_id = vp_sandbox_get_id (sandbox);
  g_autofree char *path = vp_dbus_path_container (sandbox_id, vp_container_get_id (container));
  g_autoptr (VpDBusContainer1) skeleton = vp_dbus_container_new (sandbox, container);
  g_autoptr (GList) execs = vp_container_list_execs (container);

  g_object_set_data_full (G_OBJECT (container), "sandbox-id", g_strdup (sandbox_id), g_free);
  add (self, path, skeleton, vp_sandbox_get_owner (sandbox), TRUE);
  g_signal_connect_object (container, "process-added", G_CALLBACK (on_process_added), self, 0);
  g_signal_connect_object (container, "process-removed", G_CALLBACK (on_process_removed), self, 0);
  on_process_added (container, vp_container_get_init (container), self);
  for (GList *l = execs; l != NULL; l = l->next) /* of an adopted one */
    on_process_added (container, l->data, self);
}

static void
on_container_removed (VpSandbox *sandbox, VpContainer *container, VpDbusServer *self)
{
  g_autofree char *path
      = vp_dbus_path_container (vp_sandbox_get_id (sandbox), vp_container_get_id (container));
  g_autofree char *below = g_strconcat (path, "/process/", NULL);

  g_signal_handlers_disconnect_by_data (container, self);
  vp_dbus_objects_remove_below (self->objects, below);
  vp_dbus_objects_remove (self->objects, path);
}

static void
on_sandbox_added (VpManager *manager, VpSandbox *sandbox, VpDbusServer *self)
{
  g_autofree char *path = vp_dbus_path_sandbox (vp_sandbox_get_id (sandbox));
  g_autoptr (VpDBusSandbox1) skeleton = vp_dbus_sandbox_new (manager, sandbox);
  GPtrArray *containers = vp_sandbox_get_containers (sandbox);

  add (self, path, skeleton, vp_sandbox_get_owner (sandbox), TRUE);
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
  vp_dbus_objects_remove (self->objects, path);
}

void
vp_dbus_server_publish (VpDbusServer *self, const char *path, GDBusInterfaceSkeleton *skeleton, guint32 owner)
{
  add (self, path, skeleton, owner, TRUE);
}

void
vp_dbus_server_withdraw (VpDbusServer *self, const char *path)
{
  if (self->objects != NULL)
    vp_dbus_objects_remove (self->objects, path);
}

/* ---- what handlers ask of it ---- */

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

void
vp_dbus_server_set_reload (VpDbusServer *self, VpDbusReloadFunc reload, gpointer user_data)
{
  self->reload = reload;
  self->reload_data = user_data;
}

gboolean
vp_dbus_server_reload (VpDbusServer *self, GError **error)
{
  return self->reload == NULL || self->reload (self->reload_data, error);
}

/* ---- private connections ---- */

static gboolean
on_peer_opened (GDBusConnection *connection, gpointer user_data)
{
  VpDbusServer *self = user_data;
  g_autoptr (GError) error = NULL;

  if (vp_dbus_objects_add_connection (self->objects, connection, &error)
      && vp_dbus_log_control_export (connection, self->bouncer, &error) != 0)
    return TRUE;
  vp_warning (NULL, NULL, "private connection: %s", error->message);
  vp_dbus_objects_remove_connection (self->objects, connection);
  return FALSE;
}

static void
on_peer_closed (GDBusConnection *connection, gpointer user_data)
{
  VpDbusServer *self = user_data;

  vp_dbus_objects_remove_connection (self->objects, connection);
}

static const VpDbusPeersFuncs peer_funcs = { on_peer_opened, on_peer_closed };

gboolean
vp_dbus_server_listen (VpDbusServer *self, int fd, const char *path, GError **error)
{
  if (fd < 0)
    return vp_dbus_peers_listen (self->peers, path, error);
  vp_dbus_peers_listen_fd (self->peers, fd);
  return TRUE;
}

int
vp_dbus_server_open_private (VpDbusServer *self, GDBusMethodInvocation *invocation, GError **error)
{
  const VpCaller *caller = vp_bouncer_get_caller (self->bouncer, invocation);

  if (caller != NULL && caller->uid != G_MAXUINT32)
    return vp_dbus_peers_open (self->peers, caller, error);
  g_set_error (error, VP_ERROR, VP_ERROR_CANCELLED, "private connection: the caller has gone");
  return -1;
}

/* ---- the server ---- */

static void
vp_dbus_server_dispose (GObject *object)
{
  VpDbusServer *self = VP_DBUS_SERVER (object);

  g_clear_pointer (&self->peers, vp_dbus_peers_free);
  if (self->log_control != 0)
    g_dbus_connection_unregister_object (self->bus, self->log_control);
  self->log_control = 0;
  g_clear_pointer (&self->objects, vp_dbus_objects_free);
  g_clear_object (&self->manager);
  g_clear_object (&self->bouncer);
  g_clear_object (&self->bus);
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
}

static gboolean
check_authorisation_table (GError **error)
{
  const GDBusInterfaceInfo *const infos[] = {
    vp_dbus_manager1_interface_info (),   vp_dbus_sandbox1_interface_info (),
    vp_dbus_container1_interface_info (), vp_dbus_process1_interface_info (),
    vp_dbus_job1_interface_info (),       vp_dbus_log_control_info (),
  };

  for (gsize i = 0; i < G_N_ELEMENTS (infos); i++)
    if (!vp_rule_check_interface (infos[i], error))
      return FALSE;
  return TRUE;
}

VpDbusServer *
vp_dbus_server_new (GDBusConnection *bus, VpManager *manager, VpBouncer *bouncer, GError **error)
{
  g_autoptr (VpDbusServer) self = NULL;
  g_autoptr (VpDBusManager1) skeleton = NULL;
  g_autoptr (GList) sandboxes = vp_manager_list (manager);

  if (!check_authorisation_table (error))
    return NULL;
  self = g_object_new (VP_TYPE_DBUS_SERVER, NULL);
  self->bus = g_object_ref (bus);
  self->manager = g_object_ref (manager);
  self->bouncer = g_object_ref (bouncer);
  self->objects = vp_dbus_objects_new (bouncer);
  self->peers = vp_dbus_peers_new (bouncer, &peer_funcs, self);
  skeleton = vp_dbus_manager_new (manager);
  add (self, VP_PATH_MANAGER, skeleton, VP_UID_NOBODYS, FALSE);
  for (GList *l = sandboxes; l != NULL; l = l->next)
    on_sandbox_added (manager, l->data, self);
  self->log_control = vp_dbus_log_control_export (bus, bouncer, error);
  if (self->log_control == 0 || !vp_dbus_objects_add_connection (self->objects, bus, error))
    return NULL;
  g_signal_connect_object (manager, "sandbox-added", G_CALLBACK (on_sandbox_added), self, 0);
  g_signal_connect_object (manager, "sandbox-removed", G_CALLBACK (on_sandbox_removed), self, 0);
  return g_steal_pointer (&self);
}
