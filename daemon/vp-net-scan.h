/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-network.h"

/* What the network namespace of descriptor @fd holds, sealed. Blocks; not on
 * the main thread. Errors name the namespace's interface or the bound that is
 * exceeded (vp-network.h); NotSupported for what a guest cannot be told. */
VpNetwork *vp_net_scan (int fd, GError **error);
