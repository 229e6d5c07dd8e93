/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* org.virtpod.Job1: what a call that takes longer than a moment looks like from
 * outside. A job belongs to the invocation it began in and ends with its answer,
 * so a handler has one line to add and its callbacks none:
 *
 *   vp_dbus_job_begin (invocation, "stop", VP_DBUS_JOB_OBJECT (path), NULL);
 *
 * The object appears when the call has run for VP_DBUS_JOB_MOMENT_MS, and goes,
 * after Completed, when the invocation is answered; of an answer by vp_dbus_fail ()
 * Completed has the error. Main thread. */

#define VP_DBUS_JOB_MOMENT_MS 200

/* the usual case of one object */
#define VP_DBUS_JOB_OBJECT(path) ((const char *const[]) { (path), NULL })

/* To be called in the handler itself, before it returns; once for an
 * invocation. @operation is static; @objects (NULL-terminated paths) are copied.
 * @cancellable: what Job1.Cancel () cancels; NULL: it cannot be cancelled. */
void vp_dbus_job_begin (GDBusMethodInvocation *invocation, const char *operation, const char *const *objects,
                        GCancellable *cancellable);

/* @progress from 0 to 1, less than 0: not known. Nothing when @invocation has no job. */
void vp_dbus_job_set_stage (GDBusMethodInvocation *invocation, const char *stage, double progress);

/* For vp_dbus_fail (): what Completed is going to say. */
void vp_dbus_job_set_error (GDBusMethodInvocation *invocation, const GError *error);
