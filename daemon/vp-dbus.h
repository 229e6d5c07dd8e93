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

/* The objects on one connection: the manager, the object manager with
 * sandboxes and containers, and processes. */
#define VP_TYPE_DBUS_SERVER (vp_dbus_server_get_type ())
G_DECLARE_FINAL_TYPE (VpDbusServer, vp_dbus_server, VP, DBUS_SERVER, GObject)

/* Fails when a method has no row in the authorisation table. */
VpDbusServer *vp_dbus_server_new (GDBusConnection *connection, VpManager *manager, VpBouncer *bouncer,
                                  GError **error);

/* Objects of the front itself (jobs), announced by the object manager. */
void vp_dbus_server_publish (VpDbusServer *self, const char *path, GDBusInterfaceSkeleton *skeleton);
void vp_dbus_server_withdraw (VpDbusServer *self, const char *path);

/* In a handler, while its object is there: the server it came in by (borrowed)
 * and the uid of the caller (G_MAXUINT32: not known). */
VpDbusServer *vp_dbus_server_of (GDBusMethodInvocation *invocation);
guint32 vp_dbus_caller_uid (GDBusMethodInvocation *invocation);
