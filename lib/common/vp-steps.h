/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* An ordered list of things to do, each with its undo. One list serves the way
 * up (forward), a failure on the way (unwind from where it stopped), Stop
 * (unwind everything) and recovery after a crash (mark what was done, unwind).
 *
 * A step's function starts its work and, now or later but on the thread of the
 * main context it was called in, calls vp_step_done() exactly once. Steps run
 * one after the other; nothing here knows what a step does. */
typedef struct _VpSteps VpSteps;

typedef struct
{
  const char *name; /* for the log and for errors */
  void (*run) (gpointer owner, VpSteps *steps, GCancellable *cancellable);
  void (*undo) (gpointer owner, VpSteps *steps); /* NULL: nothing to undo */
} VpStep;

/* @table outlives the list. @owner is handed to every step and is kept alive
 * by the caller while a run is under way. */
VpSteps *vp_steps_new (const VpStep *table, gsize n_steps, gpointer owner);
void vp_steps_free (VpSteps *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpSteps, vp_steps_free)

/* Called by a step when it is finished; takes @error (NULL: it went well). An
 * error of an undo is logged by the step itself and does not stop the unwinding. */
void vp_step_done (VpSteps *self, GError *error);

/* Runs the steps that have not been done. When one fails, those done before it
 * are undone in reverse order, then the finish call returns the failure.
 * @cancellable is looked at between steps. */
void vp_steps_forward_async (VpSteps *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data);
gboolean vp_steps_forward_finish (VpSteps *self, GAsyncResult *result, GError **error);

/* Undoes what has been done, last first. Cannot fail. */
void vp_steps_unwind_async (VpSteps *self, GAsyncReadyCallback callback, gpointer user_data);
void vp_steps_unwind_finish (VpSteps *self, GAsyncResult *result);

/* How many steps are done; setting it is for recovery from a record. */
gsize vp_steps_get_done (VpSteps *self);
void vp_steps_set_done (VpSteps *self, gsize n_done);
gboolean vp_steps_is_busy (VpSteps *self);

/* TRUE while steps are being undone, be it after a failure or by _unwind. */
gboolean vp_steps_is_unwinding (VpSteps *self);

/* Microseconds step @index took on its last run, 0 when it did not run. */
gint64 vp_steps_get_usec (VpSteps *self, gsize index);
