/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* A bounded pool of threads for calls that block. A job sees only what it was
 * given (its task data: copies, or objects that are safe in any thread); its
 * result comes back on the main context of the thread that started it, so no
 * state of the daemon needs a lock.
 *
 * Jobs run in the order they were queued, at most "threads" of them at once. A
 * job can be cancelled while it waits in the queue; once it runs it runs to its
 * end, because a blocking call that is abandoned half way leaves nobody who
 * knows what it did.
 *
 * All functions belong to the main thread. */

typedef struct _VpWorker VpWorker;

/* How many threads the daemon's pool may have. */
#define VP_WORKER_THREADS 16

/* Runs on a thread of the pool. @task_data is what vp_worker_run_async () was
 * given and stays owned by @task. Ends by exactly one g_task_return_* (). */
typedef void (*VpWorkerFunc) (GTask *task, gpointer source_object, gpointer task_data);

/* Makes a pool of at most @threads threads whose names start with @name (11
 * characters are kept). A thread is started when a job needs it. */
VpWorker *vp_worker_new (const char *name, guint threads);

VpWorker *vp_worker_ref (VpWorker *self);

/* The last unref does not wait: jobs that run or are queued still finish and
 * keep what they need alive. */
void vp_worker_unref (VpWorker *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpWorker, vp_worker_unref)

/* Queues @func for a pool thread. @callback gets @source_object (may be NULL)
 * and a GTask, whose g_task_propagate_* () gives what @func returned.
 * @source_tag names the operation (g_task_is_valid, debugging). The task holds
 * a reference on @source_object until the callback has run and frees
 * @task_data with @destroy. VP_ERROR_CANCELLED when @cancellable fires before
 * @func starts: the callback then runs at once. */
void vp_worker_run_async (VpWorker *self, gpointer source_object, gpointer source_tag, VpWorkerFunc func,
                          gpointer task_data, GDestroyNotify destroy, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data);

/* Jobs that run, and jobs that wait for a thread. For statistics and tests. */
guint vp_worker_get_running (VpWorker *self);
guint vp_worker_get_queued (VpWorker *self);
