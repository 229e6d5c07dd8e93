/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "vp-process.h"

/* How calls end: the answers that several interfaces give. Each function ends
 * @invocation, on the main thread. What a _finish () left in its error goes
 * straight in: @error (taken) is NULL for a success, and the rest of the
 * arguments counts only then. */

/* With @error, made one of ours if it is not. */
void vp_dbus_fail (GDBusMethodInvocation *invocation, GError *error);

/* For methods that return nothing. */
void vp_dbus_reply_done (GDBusMethodInvocation *invocation, GError *error);

/* For those that return how something ended: (u exit_status, t exited_at). */
void vp_dbus_reply_exit (GDBusMethodInvocation *invocation, guint status, gint64 exited_at, GError *error);

/* Cancelled when the caller has left the bus, or closed his private connection:
 * for calls that may take for ever. Borrowed from @invocation. */
GCancellable *vp_dbus_watch_caller (GDBusMethodInvocation *invocation);

/* Answers when @process has ended, or when the caller has left. */
void vp_dbus_wait_process (GDBusMethodInvocation *invocation, VpProcess *process);
