/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <vp-dbus-generated.h>

#include "vp-bouncer.h"
#include "vp-dbus-reply.h"
#include "vp-manager.h"

/* What the files of the front share: object paths, and with vp-dbus-reply.h
 * how a call ends. An interface's file unmarshals, calls one function below it, replies, and
 * mirrors properties; it decides nothing. */

char *vp_dbus_path_sandbox (const char *sandbox_id);
char *vp_dbus_path_container (const char *sandbox_id, const char *container_id);
char *vp_dbus_path_process (const char *sandbox_id, const char *container_id, const char *exec_id);

/* Connects @handler so that @object lives as long as @skeleton. */
#define vp_dbus_handle(skeleton, signal, handler, object)                                                             \
  g_signal_connect_data (skeleton, signal, G_CALLBACK (handler), g_object_ref (object),                              \
                         (GClosureNotify) (void (*) (void)) g_object_unref, 0)

/* Container1.Pid: the hypervisor's, 0 when the container does not run. */
guint32 vp_dbus_container_pid (VpSandbox *sandbox, VpContainer *container);

/* Skeletons with their methods bound and their properties kept up to date. */
VpDBusManager1 *vp_dbus_manager_new (VpManager *manager);
VpDBusSandbox1 *vp_dbus_sandbox_new (VpManager *manager, VpSandbox *sandbox);
VpDBusContainer1 *vp_dbus_container_new (VpSandbox *sandbox, VpContainer *container);
VpDBusProcess1 *vp_dbus_process_new (VpSandbox *sandbox, VpContainer *container, VpProcess *process);

/* The objects, on the bus and on private connections: the manager, the object
 * manager with sandboxes, containers and jobs, processes, and the log's control. */
#define VP_TYPE_DBUS_SERVER (vp_dbus_server_get_type ())
G_DECLARE_FINAL_TYPE (VpDbusServer, vp_dbus_server, VP, DBUS_SERVER, GObject)

/* Fails when a method has no row in the authorisation table. */
VpDbusServer *vp_dbus_server_new (GDBusConnection *bus, VpManager *manager, VpBouncer *bouncer, GError **error);

/* Takes private connections at @fd (a listening socket, taken), or where that is
 * less than 0 at a socket that is made at @path. */
gboolean vp_dbus_server_listen (VpDbusServer *self, int fd, const char *path, GError **error);

/* A private connection with the rights of the caller: his end of it, or -1. */
int vp_dbus_server_open_private (VpDbusServer *self, GDBusMethodInvocation *invocation, GError **error);

/* What Manager1.Reload () does. */
typedef gboolean (*VpDbusReloadFunc) (gpointer user_data, GError **error);
void vp_dbus_server_set_reload (VpDbusServer *self, VpDbusReloadFunc reload, gpointer user_data);
gboolean vp_dbus_server_reload (VpDbusServer *self, GError **error);

/* Objects of the front itself (jobs), announced by the object manager. */
void vp_dbus_server_publish (VpDbusServer *self, const char *path, GDBusInterfaceSkeleton *skeleton, guint32 owner);
void vp_dbus_server_withdraw (VpDbusServer *self, const char *path);

/* In a handler, while its object is there: the server it came in by (borrowed)
 * and the uid of the caller (G_MAXUINT32: not known). */
VpDbusServer *vp_dbus_server_of (GDBusMethodInvocation *invocation);
guint32 vp_dbus_caller_uid (GDBusMethodInvocation *invocation);

/* Drain, Reload and OpenPrivateConnection of Manager1. */
void vp_dbus_admin_bind (VpDBusManager1 *skeleton, VpManager *manager);
