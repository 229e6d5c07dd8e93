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

/* Each defines the GAsyncReadyCallback of such a method: @finish, of an object of
 * @TYPE, says how it ended. The user data is the invocation. */
#define VP_DBUS_DONE_CALLBACK(callback, TYPE, finish)                                                                 \
  static void callback (GObject *source, GAsyncResult *result, gpointer invocation)                                   \
  {                                                                                                                   \
    GError *error = NULL;                                                                                             \
                                                                                                                      \
    (void) finish (TYPE (source), result, &error);                                                                    \
    vp_dbus_reply_done (invocation, error);                                                                           \
  }
#define VP_DBUS_EXIT_CALLBACK(callback, TYPE, finish)                                                                 \
  static void callback (GObject *source, GAsyncResult *result, gpointer invocation)                                   \
  {                                                                                                                   \
    GError *error = NULL;                                                                                             \
    guint status = 0;                                                                                                 \
    gint64 exited_at = 0;                                                                                             \
                                                                                                                      \
    (void) finish (TYPE (source), result, &status, &exited_at, &error);                                               \
    vp_dbus_reply_exit (invocation, status, exited_at, error);                                                        \
  }

/* Cancelled when the caller has left the bus, or closed his private connection:
 * for calls that may take for ever. Borrowed from @invocation. */
GCancellable *vp_dbus_watch_caller (GDBusMethodInvocation *invocation);

/* Answers when @process has ended, or when the caller has left. */
void vp_dbus_wait_process (GDBusMethodInvocation *invocation, VpProcess *process);
