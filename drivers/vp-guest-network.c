/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-guest-network.h"

/* Everything in a message is malloc'd: see vp-guest-spec.c. */

static Types__IPFamily
wire_family (VpFamily family)
{
  return family == VP_FAMILY_V6 ? TYPES__IPFAMILY__v6 : TYPES__IPFAMILY__v4;
}

static Types__IPAddress *
new_address (VpFamily family, const char *text)
{
  Types__IPAddress *message = g_new0 (Types__IPAddress, 1);

  types__ipaddress__init (message);
  message->family = wire_family (family);
  message->address = g_strdup (text);
  return message;
}

Grpc__UpdateInterfaceRequest *
vp_guest_network_update_interface (const VpNetworkInterface *interface)
{
  Grpc__UpdateInterfaceRequest *request = g_new0 (Grpc__UpdateInterfaceRequest, 1);
  Types__Interface *message = g_new0 (Types__Interface, 1);
  guint n = interface->addresses != NULL ? interface->addresses->len : 0;

  grpc__update_interface_request__init (request);
  types__interface__init (message);
  request->interface = message;
  /* Kata's agents look at the name only, and take the device for the host's word for it */
  message->device = g_strdup (interface->name);
  message->name = g_strdup (interface->name);
  message->hwaddr = g_strdup (interface->mac);
  message->type = g_strdup (interface->kind);
  message->mtu = interface->mtu;
  message->raw_flags = interface->flags;
  message->ipaddresses = n > 0 ? g_new0 (Types__IPAddress *, n) : NULL;
  for (guint i = 0; i < n; i++)
    {
      const VpNetworkAddress *address = g_ptr_array_index (interface->addresses, i);
      Types__IPAddress *one = new_address (address->family, address->text);

      one->mask = g_strdup_printf ("%u", address->prefix);
      message->ipaddresses[message->n_ipaddresses++] = one;
    }
  return request;
}

static Types__Route *
new_route (const VpNetworkRoute *route)
{
  Types__Route *message = g_new0 (Types__Route, 1);

  types__route__init (message);
  message->dest = g_strdup (route->dest);
  message->gateway = g_strdup (route->gateway);
  message->device = g_strdup (route->device);
  message->source = g_strdup (route->source);
  message->scope = route->scope;
  message->family = wire_family (route->family);
  message->flags = route->flags;
  message->mtu = route->mtu;
  return message;
}

Grpc__UpdateRoutesRequest *
vp_guest_network_update_routes (const VpNetwork *network)
{
  Grpc__UpdateRoutesRequest *request = g_new0 (Grpc__UpdateRoutesRequest, 1);
  guint n = vp_network_get_n_routes (network);

  grpc__update_routes_request__init (request);
  /* also when there are none: then the guest has none */
  request->routes = g_new0 (Grpc__Routes, 1);
  grpc__routes__init (request->routes);
  request->routes->routes = n > 0 ? g_new0 (Types__Route *, n) : NULL;
  for (guint i = 0; i < n; i++)
    request->routes->routes[request->routes->n_routes++] = new_route (vp_network_get_route (network, i));
  return request;
}

static Types__ARPNeighbor *
new_neighbour (const VpNetworkNeighbour *neighbour)
{
  Types__ARPNeighbor *message = g_new0 (Types__ARPNeighbor, 1);

  types__arpneighbor__init (message);
  message->toipaddress = new_address (neighbour->family, neighbour->address);
  message->device = g_strdup (neighbour->device);
  message->lladdr = g_strdup (neighbour->lladdr);
  message->state = (gint32)neighbour->state;
  message->flags = (gint32)neighbour->flags;
  return message;
}

Grpc__AddARPNeighborsRequest *
vp_guest_network_add_neighbours (const VpNetwork *network)
{
  Grpc__AddARPNeighborsRequest *request = g_new0 (Grpc__AddARPNeighborsRequest, 1);
  guint n = vp_network_get_n_neighbours (network);

  grpc__add_arpneighbors_request__init (request);
  request->neighbors = g_new0 (Grpc__ARPNeighbors, 1);
  grpc__arpneighbors__init (request->neighbors);
  request->neighbors->arpneighbors = n > 0 ? g_new0 (Types__ARPNeighbor *, n) : NULL;
  for (guint i = 0; i < n; i++)
    {
      const VpNetworkNeighbour *neighbour = vp_network_get_neighbour (network, i);

      /* one that goes by no hardware address need not be told about */
      if (neighbour->lladdr[0] != '\0')
        request->neighbors->arpneighbors[request->neighbors->n_arpneighbors++] = new_neighbour (neighbour);
    }
  return request;
}
