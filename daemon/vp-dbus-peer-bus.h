/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* As much of org.freedesktop.DBus as clients of a bus need on a connection that
 * is none: Hello and match rules are accepted, org.virtpod has an owner. There
 * is nothing in it to be authorised for. */

/* Of one connection; a g_atomic_rc_box. Kept by GDBus's thread, which hangs up
 * when too many answers are not read. */
typedef struct
{
  gint n_messages;   /* both ways; atomic */
  gint n_unanswered; /* of that thread alone */
} VpDbusPeerTraffic;

/* @number: of the connection, for its unique name. @traffic is referenced. */
gboolean vp_dbus_peer_bus_export (GDBusConnection *connection, guint number, VpDbusPeerTraffic *traffic,
                                  GError **error);
