/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cgroup.pb-c.h"
#include "google.pb-c.h"
#include "vp-bus-reader.h"

/* Container1.GetStats()'s dictionary in containerd's form, or Sandbox1's: of a machine
 * what it takes of the host counts, and not what its guest says. Everything that is not
 * in it is 0. Freed with shim_stats_free(); NULL: the reply is not such a dictionary. */
Cgroup__Metrics *shim_stats_new (const VpBusMessage *reply);
void shim_stats_free (Cgroup__Metrics *self);
/* The same as an Any, whose data are malloc'd. 0, or -1: it is no such dictionary. */
int shim_stats_pack (const VpBusMessage *reply, Google__Protobuf__Any *ret);
