/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-bouncer.h"

/* The objects of the daemon on all its connections, the bus and private ones:
 * one set of skeletons, the same tree everywhere, and an object manager at its
 * root (GDBusObjectManagerServer serves one connection and asks nobody who
 * calls). Main thread. */
typedef struct _VpDbusObjects VpDbusObjects;

VpDbusObjects *vp_dbus_objects_new (VpBouncer *bouncer);
void vp_dbus_objects_free (VpDbusObjects *self); /* withdraws everything, announces nothing */

/* @connection sees what there is and what comes. Failing, it sees nothing. */
gboolean vp_dbus_objects_add_connection (VpDbusObjects *self, GDBusConnection *connection, GError **error);
void vp_dbus_objects_remove_connection (VpDbusObjects *self, GDBusConnection *connection);

/* @skeleton is guarded (vp-dbus-guard.h) and referenced. @announced: the object
 * manager has it; others are found by those who know their path. */
void vp_dbus_objects_add (VpDbusObjects *self, const char *path, GDBusInterfaceSkeleton *skeleton,
                          gboolean announced);
void vp_dbus_objects_remove (VpDbusObjects *self, const char *path);

/* Everything whose path begins with @prefix. */
void vp_dbus_objects_remove_below (VpDbusObjects *self, const char *prefix);
