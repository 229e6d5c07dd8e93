/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-virt-private.h"

#include <signal.h>

#include "vp-error.h"
#include "vp-failpoint.h"
#include "vp-log.h"
#include "vp-virt-error.h"

/* Ending a domain. libvirt is asked to, but whoever wants it gone does not wait
 * for libvirt's clean-up (which waits for init to reap, among others): the end
 * of the hypervisor's process is the answer. When libvirt cannot be asked the
 * process is killed, and libvirt is told when it is back. */

/* From SIGKILL to the end of a process whose memory has to be given back. */
#define KILLED_MS 10000

/* libvirt sends SIGTERM and waits 10 seconds before it sends SIGKILL, and QEMU may be
 * deaf: stopped, or so young that libvirt is talking to it. There is nothing in it
 * that is worth more than this. */
#define PATIENCE_MS 3000

typedef struct
{
  VpVirt *virt;
  char *name;
  GTask *task;       /* NULL: answered */
  GCancellable *cancellable;
  VpPidwatch *watch; /* NULL: no process is known */
  guint timer;
  gboolean asking; /* libvirt has been asked and has not answered */
  gboolean waits;  /* the call may wait for libvirt now */
} Destroy;

static void ask_libvirt (Destroy *d);

/* ---- one destroy ---------------------------------------------------------------- */

static void
destroy_free (Destroy *d)
{
  VpVirt *self = d->virt;
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (self->destroying, d->name));

  g_clear_handle_id (&d->timer, g_source_remove);
  if (d->watch != NULL)
    g_signal_handlers_disconnect_by_data (d->watch, d);
  g_clear_object (&d->watch);
  g_clear_object (&d->cancellable);
  if (n > 1)
    g_hash_table_insert (self->destroying, g_strdup (d->name), GUINT_TO_POINTER (n - 1));
  else
    g_hash_table_remove (self->destroying, d->name);
  g_free (d->name);
  g_free (d);
  vp_virt_calls_go_on (self);
  g_object_unref (self);
}

/* Takes @error; NULL: it is gone. What libvirt still does goes on. */
static void
answer (Destroy *d, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&d->task);
  g_autoptr (GError) owned = error;

  g_clear_handle_id (&d->timer, g_source_remove);
  if (!d->asking)
    destroy_free (d);
  if (task == NULL)
    return;
  if (owned != NULL)
    g_task_return_error (task, g_steal_pointer (&owned));
  else
    g_task_return_boolean (task, TRUE);
}

static void
on_process_gone (VpPidwatch *watch, Destroy *d)
{
  if (d->task != NULL)
    answer (d, NULL);
}

static gboolean
on_not_gone (gpointer data)
{
  Destroy *d = data;

  d->timer = 0;
  answer (d, g_error_new (VP_ERROR, VP_ERROR_TIMED_OUT, "destroy domain \"%s\": process %d was killed and is still there",
                          d->name, (int) vp_pidwatch_get_pid (d->watch)));
  return G_SOURCE_REMOVE;
}

static gboolean
on_impatient (gpointer data)
{
  Destroy *d = data;

  d->timer = 0;
  if (vp_pidwatch_kill (d->watch, SIGKILL, NULL))
    vp_notice (NULL, NULL, "domain %s: hypervisor %d did not end within %d s, killed", d->name,
               (int) vp_pidwatch_get_pid (d->watch), PATIENCE_MS / 1000);
  return G_SOURCE_REMOVE;
}

static void
watch_process (Destroy *d)
{
  if (d->watch != NULL)
    g_signal_connect (d->watch, "exited", G_CALLBACK (on_process_gone), d);
}

/* libvirt cannot be asked. Takes @error. */
static void
do_without_libvirt (Destroy *d, GError *error)
{
  g_autoptr (GError) owned = error;
  VpVirt *self = d->virt;

  g_clear_handle_id (&d->timer, g_source_remove);
  if (d->watch == NULL)
    {
      d->watch = vp_virt_watch_process (self, d->name);
      watch_process (d);
    }
  if (d->watch != NULL)
    vp_virt_doom (self, d->name);
  else
    {
      vp_virt_doom_and_kill (self, d->name);
      if (g_hash_table_contains (self->gone, d->name))
        answer (d, NULL);
      else if (!d->waits && self->wait_ms > 0)
        {
          d->waits = TRUE;
          ask_libvirt (d);
        }
      else
        answer (d, g_steal_pointer (&owned));
      return;
    }
  /* an error means that it has ended, which the watch is about to say */
  if (vp_pidwatch_kill (d->watch, SIGKILL, NULL))
    vp_notice (NULL, NULL, "domain %s: hypervisor %d killed without libvirt", d->name,
               (int) vp_pidwatch_get_pid (d->watch));
  if (vp_pidwatch_has_exited (d->watch))
    answer (d, NULL);
  else
    d->timer = g_timeout_add (KILLED_MS, on_not_gone, d);
}

static void
on_asked (GObject *source, GAsyncResult *result, gpointer data)
{
  Destroy *d = data;
  g_autoptr (GError) error = NULL;

  d->asking = FALSE;
  if (g_task_propagate_boolean (G_TASK (result), &error) || vp_error_is (error, VP_ERROR_NOT_FOUND))
    g_hash_table_remove (d->virt->doomed, d->name);
  if (vp_error_is (error, VP_ERROR_NOT_FOUND))
    (void) vp_virt_end_helpers (d->virt, d->name);
  if (d->task == NULL)
    {
      /* it is gone, and nobody waits; what libvirt did not clean up is told it again when it is back */
      if (error != NULL && vp_error_is (error, VP_ERROR_HYPERVISOR_UNAVAILABLE))
        vp_virt_doom (d->virt, d->name);
      else if (error != NULL && !vp_error_is (error, VP_ERROR_NOT_FOUND))
        vp_notice (NULL, NULL, "%s", error->message);
      destroy_free (d);
    }
  else if (error != NULL && vp_error_is (error, VP_ERROR_HYPERVISOR_UNAVAILABLE))
    do_without_libvirt (d, g_steal_pointer (&error));
  else
    answer (d, g_steal_pointer (&error));
}

static void
destroy_in_worker (GTask *task, gpointer source, gpointer data)
{
  VpVirtCall *call = data;
  GError *error = NULL;
  virDomainPtr domain = NULL;

  if (VP_FAILPOINT ("virt.destroy.before", &error))
    {
      domain = virDomainLookupByName (call->conn, call->name);
      if (domain == NULL || virDomainDestroy (domain) < 0)
        error = vp_virt_call_error (call, "destroy");
      VP_FAILPOINT_ONLY ("virt.destroy.after");
    }
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
  if (domain != NULL)
    virDomainFree (domain);
  vp_virt_call_drop_connection (call);
}

static void
ask_libvirt (Destroy *d)
{
  d->asking = TRUE;
  vp_virt_call_run (d->virt, vp_virt_destroy_async, destroy_in_worker, vp_virt_call_new (d->virt, d->name),
                    d->cancellable, on_asked, d);
}

/* Nothing runs, and libvirt would only be waited for. Should it be starting the
 * domain after all, that is seen. */
static void
destroy_husk (VpVirt *self, const char *name, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, vp_virt_destroy_async);
  vp_virt_doom_and_kill (self, name);
  g_task_return_boolean (task, TRUE);
}

void
vp_virt_destroy_async (VpVirt *self, const char *domain_name, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data)
{
  Destroy *d;
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (self->destroying, domain_name));

  if (g_hash_table_contains (self->husks, domain_name))
    {
      destroy_husk (self, domain_name, callback, user_data);
      return;
    }
  d = g_new0 (Destroy, 1);
  d->virt = g_object_ref (self);
  d->name = g_strdup (domain_name);
  g_set_object (&d->cancellable, cancellable);
  d->task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (d->task, vp_virt_destroy_async);
  g_hash_table_insert (self->destroying, g_strdup (domain_name), GUINT_TO_POINTER (n + 1));
  vp_virt_life_hint_by_name (self, domain_name, "destroyed");
  d->watch = vp_virt_life_dup_watch (self, domain_name);
  watch_process (d);

  if (self->conn == NULL)
    {
      do_without_libvirt (d, vp_virt_unavailable (self));
      return;
    }
  ask_libvirt (d);
  if (g_hash_table_contains (self->gone, domain_name))
    answer (d, NULL);
  else if (d->watch != NULL)
    d->timer = g_timeout_add (PATIENCE_MS, on_impatient, d);
}

gboolean
vp_virt_destroy_finish (VpVirt *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, vp_virt_destroy_async), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}
