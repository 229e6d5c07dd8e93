/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "vp-dbus-generated.h"

/* The daemon as a client sees it: one bus connection, made when it is first
 * needed, and the objects behind ids. Everything runs on the main thread. No
 * call has a time limit of its own: the daemon has deadlines, and Wait has none. */
typedef struct _VpClient VpClient;

/* @address: bus address, NULL for the system bus or, with @session, the session bus. */
VpClient *vp_client_new (const char *address, gboolean session);
void vp_client_free (VpClient *self);

/* Whether the user may be asked for a password (polkit), to be set before the
 * connection is made; FALSE. */
void vp_client_set_may_ask (VpClient *self, gboolean may_ask);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpClient, vp_client_free)

/* Of the bus; to free. NULL and @error when there is none. */
char *vp_client_dup_address (VpClient *self, GError **error);

/* Both borrowed; NULL and @error when the bus cannot be reached. */
GDBusConnection *vp_client_get_connection (VpClient *self, GError **error);
VpDBusManager1 *vp_client_get_manager (VpClient *self, GError **error);

/* Proxies to own, of an object path or of an id (NotFound). None of them
 * caches properties: vp_client_get_properties() asks when they are needed. */
VpDBusSandbox1 *vp_client_open_sandbox (VpClient *self, const char *path, GError **error);
VpDBusContainer1 *vp_client_open_container (VpClient *self, const char *path, GError **error);
VpDBusProcess1 *vp_client_open_process (VpClient *self, const char *path, GError **error);
VpDBusSandbox1 *vp_client_find_sandbox (VpClient *self, const char *id, GError **error);
VpDBusContainer1 *vp_client_find_container (VpClient *self, const char *id, GError **error);

/* The path alone, to free. */
char *vp_client_find_container_path (VpClient *self, const char *id, GError **error);

/* One method without a proxy, each of which costs a question to the bus when it is
 * made: for verbs that engines run all the time. The reply is of @type. */
GVariant *vp_client_call (VpClient *self, const char *path, const char *interface, const char *method,
                          GVariant *arguments, const char *type, GError **error);

/* All properties of an interface (a{sv}, owned). */
GVariant *vp_client_get_properties (VpClient *self, const char *path, const char *interface, GError **error);

/* Takes the descriptor out of @fds that a reply's handle @handle (h) names; -1 and
 * @error when there is none. */
int vp_client_take_fd (GUnixFDList *fds, GVariant *handle, GError **error);

/* For asynchronous calls written in a straight line:
 *
 *   g_autoptr (GAsyncResult) result = NULL;
 *   vp_dbus_x_call_y (proxy, …, vp_client_ready, &result);
 *   vp_dbus_x_call_y_finish (proxy, …, vp_client_await (&result), &error);
 *
 * vp_client_await() runs the main context (signals, terminal) until the reply
 * is there and lends it. */
void vp_client_ready (GObject *source, GAsyncResult *result, gpointer user_data);
GAsyncResult *vp_client_await (GAsyncResult **result);

/* Whether @error says that the daemon, or the bus to it, went away under a call. */
gboolean vp_client_error_is_lost (const GError *error);

/* The text to show for @error: "message (ErrorName)", a local error has no name. */
char *vp_client_error_text (const GError *error);
