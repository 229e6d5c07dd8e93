/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cgroup.pb-c.h"
#include "vp-bus-reader.h"

/* Container1.GetStats()'s dictionary in containerd's form. Everything that is not
 * in it is 0. Freed with shim_stats_free(); NULL: the reply is not such a dictionary. */
Cgroup__Metrics *shim_stats_new (const VpBusMessage *reply);
void shim_stats_free (Cgroup__Metrics *self);
