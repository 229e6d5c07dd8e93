/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What a network namespace holds, as far as a guest that takes its place needs
 * it: interfaces with their addresses, routes, neighbours. It is filled by who
 * looks at a namespace, then sealed; a sealed one does not change, is safe in
 * any thread and is what everything else gets. All strings are the value's own.
 *
 * What a guest makes of itself or must not be told is left out when it is added
 * (the functions still return TRUE): loopback, link-local IPv6 addresses, which
 * follow from the hardware address, routes the kernel makes of addresses, routes
 * and neighbours of interfaces that are not here, neighbours that were learnt.
 *
 * Errors are ResourceExhausted (more than the bounds below: "network namespace:
 * more than N …") and InvalidArgument (a name or an address that is none). */

#define VP_NETWORK_MAX_INTERFACES 64
#define VP_NETWORK_MAX_ADDRESSES 4096 /* of all interfaces together */
#define VP_NETWORK_MAX_ROUTES 4096
#define VP_NETWORK_MAX_NEIGHBOURS 4096

typedef enum
{
  VP_FAMILY_V4, /* the numbers of the agent protocol */
  VP_FAMILY_V6,
} VpFamily;

typedef struct
{
  VpFamily family;
  char *text;   /* "10.0.0.2", "fd00::2" */
  guint prefix; /* length */
} VpNetworkAddress;

typedef struct
{
  char *name;
  char *mac;   /* "02:…", lower case */
  char *kind;  /* as rtnetlink says it: "veth", "macvlan", "ipvlan", "tun", …; "" for hardware */
  guint mtu;   /* 0: not known */
  guint flags; /* IFF_* */
  guint index; /* of the interface in its namespace */
  GPtrArray *addresses; /* of VpNetworkAddress, in the order they were added */
} VpNetworkInterface;

typedef struct
{
  VpFamily family;
  char *dest;    /* "10.1.0.0/16"; "": the default route */
  char *gateway; /* "": none */
  char *device;
  char *source; /* preferred source address, "": none */
  guint scope;  /* RT_SCOPE_* */
  guint flags;  /* RTNH_F_ONLINK and nothing else */
  guint mtu;    /* 0: the interface's */
  guint metric; /* the lower one of two for the same destination stays */
} VpNetworkRoute;

typedef struct
{
  VpFamily family;
  char *address;
  char *device;
  char *lladdr; /* "02:…", "": none */
  guint state;  /* NUD_* */
  guint flags;  /* NTF_* */
} VpNetworkNeighbour;

typedef struct _VpNetwork VpNetwork;

VpNetwork *vp_network_new (void);
VpNetwork *vp_network_ref (VpNetwork *self);
void vp_network_unref (VpNetwork *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpNetwork, vp_network_unref)

/* ---- filling; what is given is copied, `addresses` of an interface is not looked at ---- */

/* Interfaces go first: the rest names them. One without a hardware address is
 * left out, a guest has no place for it. */
gboolean vp_network_add_interface (VpNetwork *self, const VpNetworkInterface *interface, GError **error);
/* @device: the interface it belongs to. */
gboolean vp_network_add_address (VpNetwork *self, const char *device, const VpNetworkAddress *address,
                                 GError **error);
/* @protocol: RTPROT_*, whoever made the route. */
gboolean vp_network_add_route (VpNetwork *self, const VpNetworkRoute *route, guint protocol, GError **error);
gboolean vp_network_add_neighbour (VpNetwork *self, const VpNetworkNeighbour *neighbour, GError **error);

/* Brings everything into the order in which a guest can take it and refuses two
 * interfaces with the same hardware address, by which the guest finds them
 * (NotSupported). */
gboolean vp_network_seal (VpNetwork *self, GError **error);

/* ---- reading; everything is borrowed ----
 * The order is that of the calls to the agent: each interface, then all routes,
 * then all neighbours. */

/* By index in the namespace. */
guint vp_network_get_n_interfaces (const VpNetwork *self);
const VpNetworkInterface *vp_network_get_interface (const VpNetwork *self, guint i);
const VpNetworkInterface *vp_network_find_interface (const VpNetwork *self, const char *name);

/* Those without a gateway first: they make the gateways of the others reachable. One for a destination. */
guint vp_network_get_n_routes (const VpNetwork *self);
const VpNetworkRoute *vp_network_get_route (const VpNetwork *self, guint i);

guint vp_network_get_n_neighbours (const VpNetwork *self);
const VpNetworkNeighbour *vp_network_get_neighbour (const VpNetwork *self, guint i);

/* All of it, for people and for tests; equal values give equal bytes. */
char *vp_network_to_json (const VpNetwork *self);
