/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Limits of what leaves by an interface: a token bucket at its root. libvirt's
 * <bandwidth> does not outlive the move of a tap into another namespace.
 *
 * @owner is the tap it is for: limits are told apart by that, so that nobody
 * takes away another one's. Block, and work in the namespace of the calling thread. */

/* @rate: bit/s. One that is more than the kernel's bucket can count is none.
 * AlreadyExists when somebody has set up how packets leave there. */
gboolean vp_net_rate_limit (const char *device, const char *owner, guint64 rate, GError **error);

/* What is not there, or is somebody else's, is success. */
gboolean vp_net_rate_unlimit (const char *device, const char *owner, GError **error);
