/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* What polkit says, over the bus and without waiting for it: a prompt for a
 * password may take minutes. No library of polkit's is needed, and none of its
 * threads. Main thread. */

/* @bus: where polkit and the caller are; @name: the caller's unique name there,
 * which polkit itself looks behind. @interactive: the user may be asked. A
 * cancelled check takes the prompt away again. */
void vp_polkit_check_async (GDBusConnection *bus, const char *name, const char *action_id,
                            gboolean interactive, GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data);

/* Everything but a clear yes is FALSE with @error NotAuthorized saying why:
 * refused, a prompt would be needed, or polkit does not answer. Cancelled is Cancelled. */
gboolean vp_polkit_check_finish (GAsyncResult *result, GError **error);
