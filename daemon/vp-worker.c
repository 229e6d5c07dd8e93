/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-worker.h"

#include <string.h>
#include <sys/prctl.h>

#include "vp-error.h"

#define NAME_MAX_LEN 11 /* of the kernel's 15, the rest is for "-N" */

struct _VpWorker
{
  gatomicrefcount refs;
  GThreadPool *pool;
  char name[NAME_MAX_LEN + 1];
  gint running;
  gint queued;
};

typedef enum
{
  JOB_QUEUED,
  JOB_TAKEN,
  JOB_CANCELLED
} JobState;

/* The queue owns one reference, a pending cancellation another. The last one
 * is always dropped on the task's main context: it may be the last reference of
 * the source object as well. */
typedef struct
{
  gatomicrefcount refs;
  VpWorker *worker;
  GTask *task;
  VpWorkerFunc func;
  gint state; /* JobState, atomic: whoever moves it on from JOB_QUEUED ends the task */
  gulong cancelled_id;
} Job;

static void
job_unref (gpointer data)
{
  Job *job = data;

  if (!g_atomic_ref_count_dec (&job->refs))
    return;
  g_object_unref (job->task);
  vp_worker_unref (job->worker);
  g_free (job);
}

static void
invoke_on_main (Job *job, GSourceFunc func)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, job, job_unref);
  g_source_attach (source, g_task_get_context (job->task));
}

static gboolean
drop_job (gpointer data)
{
  return G_SOURCE_REMOVE; /* the reference goes with the source */
}

static gboolean
return_cancelled (gpointer data)
{
  Job *job = data;

  g_cancellable_disconnect (g_task_get_cancellable (job->task), job->cancelled_id);
  g_task_return_new_error (job->task, VP_ERROR, VP_ERROR_CANCELLED, "cancelled before it began");
  return G_SOURCE_REMOVE;
}

/* In the thread that cancels, with the cancellable locked: no more than a note. */
static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  Job *job = data;

  g_atomic_ref_count_inc (&job->refs);
  if (g_atomic_int_compare_and_exchange (&job->state, JOB_QUEUED, JOB_CANCELLED))
    invoke_on_main (job, return_cancelled);
  else
    job_unref (job); /* not the last: the pool thread waits for us in disconnect */
}

/* Pool threads are shared with other pools of the process: the name is set for
 * the time of a job. */
static void
run_job (gpointer data, gpointer user_data)
{
  static gint serial;
  static _Thread_local gint number;
  Job *job = data;
  VpWorker *worker = job->worker;

  g_atomic_int_add (&worker->queued, -1);
  if (g_atomic_int_compare_and_exchange (&job->state, JOB_QUEUED, JOB_TAKEN))
    {
      char name[16];

      if (number == 0)
        number = g_atomic_int_add (&serial, 1) + 1;
      g_snprintf (name, sizeof name, "%s-%d", worker->name, number % 1000);
      (void) prctl (PR_SET_NAME, name);
      if (job->cancelled_id != 0)
        g_cancellable_disconnect (g_task_get_cancellable (job->task), job->cancelled_id);

      g_atomic_int_inc (&worker->running);
      job->func (job->task, g_task_get_source_object (job->task), g_task_get_task_data (job->task));
      g_atomic_int_add (&worker->running, -1);
      (void) prctl (PR_SET_NAME, "pool-idle");
    }
  /* after the task's own source in the same queue: the callback has run by then */
  invoke_on_main (job, drop_job);
}

VpWorker *
vp_worker_new (const char *name, guint threads)
{
  VpWorker *self = g_new0 (VpWorker, 1);

  g_atomic_ref_count_init (&self->refs);
  g_strlcpy (self->name, name, sizeof self->name);
  /* cannot fail: an unshared pool would, as it starts its threads at once */
  self->pool = g_thread_pool_new (run_job, NULL, (gint) MAX (threads, 1), FALSE, NULL);
  return self;
}

VpWorker *
vp_worker_ref (VpWorker *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
vp_worker_unref (VpWorker *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->refs))
    return;
  g_thread_pool_free (self->pool, FALSE, FALSE);
  g_free (self);
}

void
vp_worker_run_async (VpWorker *self, gpointer source_object, gpointer source_tag, VpWorkerFunc func,
                     gpointer task_data, GDestroyNotify destroy, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user_data)
{
  Job *job = g_new0 (Job, 1);

  g_atomic_ref_count_init (&job->refs);
  job->worker = vp_worker_ref (self);
  job->func = func;
  job->task = g_task_new (source_object, cancellable, callback, user_data);
  g_task_set_source_tag (job->task, source_tag);
  g_task_set_task_data (job->task, task_data, destroy);
  /* a result is never thrown away because of a cancellation that came too late */
  g_task_set_check_cancellable (job->task, FALSE);

  if (g_cancellable_is_cancelled (cancellable))
    {
      g_task_return_new_error (job->task, VP_ERROR, VP_ERROR_CANCELLED, "cancelled before it began");
      job_unref (job);
      return;
    }
  if (cancellable != NULL)
    job->cancelled_id = g_signal_connect (cancellable, "cancelled", G_CALLBACK (on_cancelled), job);
  g_atomic_int_inc (&self->queued);
  /* an error means that no further thread could be started; the job stays queued for those there are */
  (void) g_thread_pool_push (self->pool, job, NULL);
}

guint
vp_worker_get_running (VpWorker *self)
{
  return (guint) g_atomic_int_get (&self->running);
}

guint
vp_worker_get_queued (VpWorker *self)
{
  return (guint) g_atomic_int_get (&self->queued);
}
