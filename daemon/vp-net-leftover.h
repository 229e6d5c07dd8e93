/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What a sandbox has in network namespaces when its record cannot say so: its taps, which
 * their notes tell (vp-net-tap.h), and what they were joined to. */

/* Removes those of the sandbox with that domain name in the namespace at @path (NULL: the
 * host's) with their queueing disciplines. No such namespace, or none at all, is success.
 * Blocks; not on the main thread. */
gboolean vp_net_leftover_remove (const char *domain_name, const char *path, GError **error);
