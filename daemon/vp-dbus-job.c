/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus-job.h"

#include "vp-dbus-guard.h"
#include "vp-dbus.h"
#include "vp-error.h"
#include "vp-names.h"

typedef struct
{
  VpDbusServer *server; /* weak: it may go while a call is under way */
  VpDBusJob1 *skeleton; /* NULL until the moment is over */
  const char *operation;
  char **objects;
  GCancellable *cancellable;
  guint timer;
  guint32 uid;
  gint64 started_at;
  char *path;
  char *stage;
  double progress;
  GError *error;
} Job;

static guint64 last_number;

static Job *
find_job (GDBusMethodInvocation *invocation)
{
  return g_object_get_data (G_OBJECT (invocation), "job");
}

/* The invocation is answered. */
static void
job_free (gpointer data)
{
  Job *job = data;

  if (job->timer != 0)
    g_source_remove (job->timer);
  if (job->skeleton != NULL && job->server != NULL)
    {
      g_autofree char *name = job->error != NULL ? g_dbus_error_encode_gerror (job->error) : NULL;

      vp_dbus_job1_emit_completed (job->skeleton, name != NULL ? name : "",
                                   job->error != NULL ? job->error->message : "");
      vp_dbus_server_withdraw (job->server, job->path);
    }
  g_clear_weak_pointer (&job->server);
  g_clear_object (&job->skeleton);
  g_clear_object (&job->cancellable);
  g_strfreev (job->objects);
  g_free (job->path);
  g_free (job->stage);
  g_clear_error (&job->error);
  g_free (job);
}

static gboolean
handle_cancel (VpDBusJob1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  if (user_data == NULL)
    vp_dbus_fail (invocation,
                  g_error_new (VP_ERROR, VP_ERROR_NOT_SUPPORTED, "cancel: %s cannot be ended early",
                               vp_dbus_job1_get_operation (skeleton)));
  else
    {
      vp_dbus_job1_complete_cancel (skeleton, invocation);
      g_cancellable_cancel (user_data);
    }
  return TRUE;
}

static void
show_stage (Job *job)
{
  vp_dbus_job1_set_stage (job->skeleton, job->stage != NULL ? job->stage : "");
  vp_dbus_job1_set_progress_valid (job->skeleton, job->progress >= 0);
  vp_dbus_job1_set_progress (job->skeleton, CLAMP (job->progress, 0, 1));
}

static gboolean
on_moment_over (gpointer user_data)
{
  Job *job = user_data;

  job->timer = 0;
  if (job->server == NULL)
    return G_SOURCE_REMOVE;
  job->skeleton = vp_dbus_guard_new (VP_DBUS_TYPE_JOB1_SKELETON);
  if (job->cancellable != NULL)
    vp_dbus_handle (job->skeleton, "handle-cancel", handle_cancel, job->cancellable);
  else
    g_signal_connect (job->skeleton, "handle-cancel", G_CALLBACK (handle_cancel), NULL);
  vp_dbus_job1_set_operation (job->skeleton, job->operation);
  vp_dbus_job1_set_objects (job->skeleton, (const char *const *) job->objects);
  vp_dbus_job1_set_started_by_uid (job->skeleton, job->uid);
  vp_dbus_job1_set_start_time (job->skeleton, (guint64) job->started_at);
  vp_dbus_job1_set_cancelable (job->skeleton, job->cancellable != NULL);
  show_stage (job);
  job->path = g_strdup_printf ("%s/%" G_GUINT64_FORMAT, VP_PATH_JOBS, ++last_number);
  vp_dbus_server_publish (job->server, job->path, G_DBUS_INTERFACE_SKELETON (job->skeleton), job->uid);
  return G_SOURCE_REMOVE;
}

void
vp_dbus_job_begin (GDBusMethodInvocation *invocation, const char *operation, const char *const *objects,
                   GCancellable *cancellable)
{
  VpDbusServer *server = vp_dbus_server_of (invocation);
  Job *job = g_new0 (Job, 1);

  g_set_weak_pointer (&job->server, server);
  job->operation = operation;
  job->objects = g_strdupv ((char **) objects);
  g_set_object (&job->cancellable, cancellable);
  job->uid = vp_dbus_caller_uid (invocation);
  job->started_at = g_get_real_time ();
  job->progress = -1;
  job->timer = g_timeout_add (VP_DBUS_JOB_MOMENT_MS, on_moment_over, job);
  g_object_set_data_full (G_OBJECT (invocation), "job", job, job_free);
}

void
vp_dbus_job_set_stage (GDBusMethodInvocation *invocation, const char *stage, double progress)
{
  Job *job = find_job (invocation);

  if (job == NULL)
    return;
  g_free (job->stage);
  job->stage = g_strdup (stage);
  job->progress = progress;
  if (job->skeleton != NULL)
    show_stage (job);
}

void
vp_dbus_job_set_error (GDBusMethodInvocation *invocation, const GError *error)
{
  Job *job = find_job (invocation);

  if (job == NULL)
    return;
  g_clear_error (&job->error);
  job->error = g_error_copy (error);
}
