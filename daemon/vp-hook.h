/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "vp-container-plan.h"
#include "vp-oci-state.h"
#include "vp-worker.h"

/* Runs one program of the host that a bundle asks for, as root and outside of
 * everything that confines a guest; who may ask is decided before.
 *
 * It gets the arguments and the environment of its row and nothing of ours: no
 * descriptor but its three, default signals, a process group of its own. What it
 * writes to stdout is dropped, of stderr the end is kept for the error. When its
 * time is over, or the call is cancelled, its whole group is killed; what it
 * leaves in the background when it ends by itself is its own affair. */

typedef struct
{
  const VpHostHook *hook;
  const char *directory; /* its working directory */
  const char *netns;     /* path of the network namespace it runs in; NULL: the daemon's */
  VpOciState state;      /* what it reads from its stdin */
  gboolean own_pid;      /* the pid in there is the hook's own: nothing else is in its namespace */
  guint timeout_ms;      /* for a hook that does not say itself */
} VpHookCall;

/* Takes a thread of @worker for as long as the hook runs. @call is copied, its
 * hook is borrowed until the callback. */
void vp_hook_run_async (VpWorker *worker, const VpHookCall *call, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data);

/* Errors name the hook: NotFound (no such program), Failed (it could not be
 * started, ended with a status that is not 0, or by a signal), TimedOut, Cancelled. */
gboolean vp_hook_run_finish (GAsyncResult *result, GError **error);
