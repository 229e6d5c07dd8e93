/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "agent.pb-c.h"

/* Statistics as the bus has them (Container1.GetStats in data/): a{sv} with
 * flat keys and units. What the guest left out is left out, texts of the guest
 * are sanitised, lists are cut, units and "no limit" are made the same whatever
 * the agent and its cgroups. Pure; a floating reference. */
GVariant *vp_agent_stats_to_variant (const Grpc__StatsContainerResponse *stats);

/* The number @key has, 0 when there is none. */
guint64 vp_agent_stats_get (GVariant *stats, const char *key);
