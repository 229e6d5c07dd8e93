/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-container.h"

/* Connects to TCP port @port of the guest's loopback device. Finishes, when the
 * guest is connected, with a socket that belongs to the caller: what is written
 * to it goes to the port and the other way round, each direction ends by itself,
 * and whoever does not read is waited for. -1 and an error: NotFound (nobody
 * listens), NotSupported (an agent other than ours), ResourceExhausted (as many
 * as there may be), TimedOut, Cancelled, AgentUnavailable, AgentFailed with what
 * the guest says. @self is in the guest, which is up to the caller. */
void vp_container_connect_async (VpContainer *self, guint16 port, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data);
int vp_container_connect_finish (VpContainer *self, GAsyncResult *result, GError **error);
