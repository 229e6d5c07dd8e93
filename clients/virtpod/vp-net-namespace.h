/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-client.h"

/* Engines set up the network of a container by its process id, between its creation
 * and its start (buildah does): they go by /proc/PID/ns/net. So whoever stands for a
 * container whose bundle asks for a new network namespace is in the one that was made. */

/* A path by which root in any mount namespace opens @path, which is one of the daemon's; to free. */
char *vp_net_namespace_dup_path (VpClient *client, const char *path, GError **error);

/* Has the guest of @container be given what has been set up since it was made, if
 * the process that stands for it is in a network namespace of its own. */
gboolean vp_net_namespace_settle (VpClient *client, VpDBusContainer1 *container, GError **error);
