/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-manager.h"

/* What an earlier daemon left, put in order: the records on disk are compared with
 * the domains libvirt has.
 *
 *   record and domain      the manager gets the sandbox, which is adopted or, when
 *                          its start or end was under way, undone
 *   record, no domain      the same; what ran in it is lost
 *   directory, no record   unmounted and removed
 *   domain, no record      destroyed after daemon.orphan-grace-ms, and until then
 *                          its directory stays. Only domains that carry our
 *                          metadata and whose files are in our state directory:
 *                          another virtpodd may be using the same libvirt.
 *
 * A record that cannot be read is moved to quarantine/ and counts as none.
 * Nothing of this is fatal; failures are logged and leave what they concern for
 * the next time. */

/* @names: what the store listed before anything new was made; borrowed for the
 * call. Needs a connected libvirt. */
void vp_recovery_run_async (VpManager *manager, const char *const *names, GAsyncReadyCallback callback,
                            gpointer user_data);

/* FALSE when the domains could not be listed: nothing was done. *@ret_restored
 * (may be NULL) sandboxes are known again, *@ret_cleaned directories are gone. */
gboolean vp_recovery_run_finish (GAsyncResult *result, guint *ret_restored, guint *ret_cleaned, GError **error);
