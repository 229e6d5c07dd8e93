/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-sandbox.h"

/* What an earlier daemon left behind: for each of @names (what the store listed
 * before anything new was made; taken) the domain is destroyed,
 * the share unmounted and the directory removed. Sandboxes are not taken over
 * by a new daemon. A record that cannot be read is cleaned up by the name of
 * its directory, which is the domain's.
 *
 * Needs a connected libvirt. Failures are logged and leave the directory for
 * the next time. */
void vp_recovery_run_async (const VpServices *services, GStrv names, GAsyncReadyCallback callback,
                            gpointer user_data);

/* How many sandboxes were cleaned up. */
guint vp_recovery_run_finish (GAsyncResult *result);
