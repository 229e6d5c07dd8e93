/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-dbus.h"

/* The handlers of an interface that are in files of their own: bound to a
 * skeleton by the file that makes it. */

void vp_dbus_container_add_exec (VpDBusContainer1 *skeleton, VpContainer *container);
void vp_dbus_container_add_verbs (VpDBusContainer1 *skeleton, VpContainer *container);
void vp_dbus_sandbox_add_verbs (VpDBusSandbox1 *skeleton, VpManager *manager, VpSandbox *sandbox);
void vp_dbus_sandbox_add_network (VpDBusSandbox1 *skeleton, VpSandbox *sandbox);
void vp_dbus_manager_add_verbs (VpDBusManager1 *skeleton, VpManager *manager);

/* From here on @skeleton emits SandboxEvent. */
void vp_dbus_watch_events (VpDBusManager1 *skeleton, VpManager *manager);

/* Annotations of a spec as a{ss}; a floating reference. */
GVariant *vp_dbus_make_annotations (VpSpec *spec);
