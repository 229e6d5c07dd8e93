/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* How the host itself gets out: its IPv4 default route, and the name servers it asks, as a
 * guest sees them whose packets passt sends as the host's own. For such a guest the address
 * of the host's gateway is the host: what it sends there, passt sends to the host's
 * loopback device, but for questions of names, which go to the host's first server.
 *
 * Immutable and reference counted; any thread. */
typedef struct _VpUplink VpUplink;

/* @routes is the text of /proc/net/route, @resolv_conf of /etc/resolv.conf (NULL: there is
 * none). Pure. NULL when there is no default route with a gateway; of several the one with
 * the lowest metric counts. */
VpUplink *vp_uplink_parse (const char *routes, const char *resolv_conf);
VpUplink *vp_uplink_ref (VpUplink *self);
void vp_uplink_unref (VpUplink *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpUplink, vp_uplink_unref)

/* Everything is borrowed. */
const char *vp_uplink_get_device (const VpUplink *self);
const char *vp_uplink_get_gateway (const VpUplink *self);
/* Addresses, at least one and at most three. Where the host asks itself (127.0.0.53), asks its
 * gateway or names no server with an IPv4 address, it is the gateway's. */
const char *const *vp_uplink_get_dns (const VpUplink *self);
