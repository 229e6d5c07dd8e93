/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-bouncer.h"

/* org.freedesktop.LogControl1, as systemctl service-log-level uses it. */

GDBusInterfaceInfo *vp_dbus_log_control_info (void);

/* The registration on @connection, 0 on failure. */
guint vp_dbus_log_control_export (GDBusConnection *connection, VpBouncer *bouncer, GError **error);
