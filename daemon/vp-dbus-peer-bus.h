/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* As much of org.freedesktop.DBus as clients of a bus need on a connection that
 * is none: Hello and match rules are accepted, org.virtpod has an owner. There
 * is nothing in it to be authorised for. */

/* @number: of the connection, for its unique name. */
gboolean vp_dbus_peer_bus_export (GDBusConnection *connection, guint number, GError **error);
