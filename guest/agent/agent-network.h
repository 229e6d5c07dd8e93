/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-failure.h"

/* The network of the guest, as the host says. All containers are in the guest's own
 * network namespace. Requests are checked to their end before anything is changed; an
 * error names the field. */

/* Most elements of a list in a request. */
#define AGENT_NETWORK_MAX 4096

/* Where the value of a field that is no valid text goes into an error: not all of it. */
#define AGENT_VALUE "\"%.64s\""

/* agent-interface-rpc.c: an interface goes by its hardware address. One that is not there
 * yet, since it is being plugged in, is waited for; the driver is loaded when the first
 * one is asked for. The addresses that it has are replaced by those of the request, but
 * those that the kernel made stay. Answered with the interface as it is then. */
void agent_handle_update_interface (Agent *agent, AgentCall *call);
void agent_handle_list_interfaces (Agent *agent, AgentCall *call);
/* agent-route-rpc.c: the routes of the main table that somebody made (not the kernel, not a
 * router) are replaced by those of the request. What it has and is there already is not
 * touched, and what is not in it goes when all the others are there. Of those to the
 * same destination the first is preferred. Answered with the routes that there are then. */
void agent_handle_update_routes (Agent *agent, AgentCall *call);
void agent_handle_list_routes (Agent *agent, AgentCall *call);
/* agent-neighbour-rpc.c: adds or replaces */
void agent_handle_add_arp_neighbors (Agent *agent, AgentCall *call);
