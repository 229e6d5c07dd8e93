/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent.pb-c.h"
#include "vp-network.h"

/* A network namespace's content as requests to the agent of the guest that takes its
 * place, in the order of the calls: each interface, then all routes, then all
 * neighbours. @network is sealed. Pure, nothing can fail: what a guest cannot take is
 * not in a VpNetwork. Pack with vp_guest_message_pack(); free the results with
 * grpc__…__free_unpacked (m, NULL). */
Grpc__UpdateInterfaceRequest *vp_guest_network_update_interface (const VpNetworkInterface *interface);
Grpc__UpdateRoutesRequest *vp_guest_network_update_routes (const VpNetwork *network);
Grpc__AddARPNeighborsRequest *vp_guest_network_add_neighbours (const VpNetwork *network);
