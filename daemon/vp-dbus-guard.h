/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-bouncer.h"

/* Skeletons all of whose calls, properties included, go by the bouncer. GLib's
 * own "g-authorize-method" knows nothing of properties and asks on a thread of a
 * shared pool; this stays on the main thread. */

/* A skeleton of @type (generated, e.g. VP_DBUS_TYPE_SANDBOX1_SKELETON), guarded. */
gpointer vp_dbus_guard_new (GType type);
gboolean vp_dbus_guard_has (GDBusInterfaceSkeleton *skeleton);

/* Who lets in, and who made the object (VP_UID_NOBODYS by default). */
void vp_dbus_guard_set_bouncer (GDBusInterfaceSkeleton *skeleton, VpBouncer *bouncer);
void vp_dbus_guard_set_owner (GDBusInterfaceSkeleton *skeleton, guint32 uid);
guint32 vp_dbus_guard_get_owner (GDBusInterfaceSkeleton *skeleton);

/* a{sv}, a new reference: the properties, without secrets unless @full. */
GVariant *vp_dbus_guard_dup_properties (GDBusInterfaceSkeleton *skeleton, gboolean full);
