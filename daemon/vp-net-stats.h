/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-net.h"

/* What the host has counted at the taps of a job. */
typedef struct
{
  char *tap;
  char *device;
  guint64 rx_bytes, rx_packets, rx_dropped; /* as the guest sees it: what it was sent */
  guint64 tx_bytes, tx_packets, tx_dropped;
} VpNetCount;

/* Of VpNetCount, in the order of the job. Taps that are not in its namespace, and a
 * namespace that has gone, are none. Blocks; not on the main thread. */
GPtrArray *vp_net_stats (const VpNetJob *job, GError **error);
