/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "vp-network.h"

/* What callers say of networks, as Sandbox1 documents it, made into a sealed
 * VpNetwork. Errors are InvalidArgument naming the key, and those of VpNetwork. */

/* a{sv} of one interface: name, mac, mtu, addresses. */
VpNetwork *vp_dbus_args_dup_interface (GVariant *dict, GError **error);

/* aa{sv} of routes. Its interfaces are only names. */
VpNetwork *vp_dbus_args_dup_routes (GVariant *rows, GError **error);
