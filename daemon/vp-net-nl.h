/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>

/* What the rooms of vp-net-* share of libnl. A socket talks to the network
 * namespace its thread was in when it was opened, and belongs to one thread. */

typedef struct nl_sock VpNlSock;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpNlSock, nl_socket_free)
typedef struct nl_cache VpNlCache;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpNlCache, nl_cache_free)
typedef struct rtnl_link VpNlLink;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpNlLink, rtnl_link_put)

/* NULL on failure. */
VpNlSock *vp_net_nl_open (GError **error);

/* @err: what libnl returned. TRUE when it is no error, else @error "FORMAT…: why". */
gboolean vp_net_nl_check (int err, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* NULL with NotFound when the namespace has no interface of that name. */
VpNlLink *vp_net_nl_get_link (VpNlSock *sock, const char *name, GError **error);
