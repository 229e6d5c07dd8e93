/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Calls that wait for one event of an object: GTasks whose source object owns
 * the list and is kept alive by them. A task whose cancellable fires is answered
 * (Cancelled) and forgotten, so that who loses interest costs nothing.
 *
 * Main thread. */
typedef struct _VpWaiters VpWaiters;

VpWaiters *vp_waiters_new (void);
void vp_waiters_free (VpWaiters *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpWaiters, vp_waiters_free)

/* Takes @task. */
void vp_waiters_add (VpWaiters *self, GTask *task);

guint vp_waiters_get_n (VpWaiters *self);

/* Ends all that wait now, with TRUE or, unless it is NULL, with @error (borrowed). */
void vp_waiters_answer (VpWaiters *self, const GError *error);
