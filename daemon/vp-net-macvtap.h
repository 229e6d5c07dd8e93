/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-net-tap.h"

/* Macvtap devices: all that an interface receives comes to a character device,
 * what is written to that leaves by the interface. It has the hardware address
 * of the interface, which keeps its own addresses and gets nothing any more.
 *
 * Made in the namespace of the interface, which is the calling thread's, but put
 * into that of descriptor @fd, where the hypervisor opens it; then it is moved
 * and removed as a tap is (vp-net-tap.h). Blocks. */

/* AlreadyExists when there is a device of that name, or somebody else has taken
 * what the interface receives (a bridge, another macvtap, a macvlan). */
gboolean vp_net_macvtap_create (const char *name, const char *device, int fd, GError **error);
