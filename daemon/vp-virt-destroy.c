/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-virt-private.h"

#include <signal.h>

#include "vp-error.h"
#include "vp-log.h"
#include "vp-virt-error.h"

/* Ending a domain. libvirt is asked to, but whoever wants it gone does not wait
 * for libvirt's clean-up (which waits for init to reap, among others): the end
 * of the hypervisor's process is the answer. When libvirt cannot be asked the
 * process is killed, and libvirt is told when it is back. */

/* From SIGKILL to the end of a process whose memory has to be given back. */
#define KILLED_MS 10000

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

/* ---- names that must not come back ------------------------------------------ */

void
vp_virt_doom (VpVirt *self, const char *name)
{
  g_autoptr (VpPidwatch) watch = NULL;

  if (name == NULL)
    return;
  g_hash_table_add (self->doomed, g_strdup (name));
  watch = vp_virt_watch_process (self, name);
  if (watch != NULL && vp_pidwatch_kill (watch, SIGKILL, NULL))
    vp_notice (NULL, NULL, "domain %s: hypervisor %d killed without libvirt", name,
               (int) vp_pidwatch_get_pid (watch));
}

char **
vp_virt_dup_doomed (VpVirt *self)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->doomed);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_strv_builder_add (names, name);
  return g_strv_builder_end (names);
}

/* In the connecting worker, before anybody else can ask for anything. */
void
vp_virt_destroy_doomed (virConnectPtr conn, char **names, GPtrArray *domains)
{
  for (guint i = domains->len; i > 0; i--)
    {
      VpVirtDomain *known = domains->pdata[i - 1];
      virDomainPtr domain;

      if (known->sandbox_id == NULL || !g_strv_contains ((const char *const *) names, known->name))
        continue;
      domain = virDomainLookupByUUIDString (conn, known->uuid);
      if (domain == NULL || virDomainDestroy (domain) == 0 || virGetLastErrorCode () == VIR_ERR_NO_DOMAIN)
        g_ptr_array_remove_index (domains, i - 1);
      else
        vp_warning (NULL, NULL, "domain %s: left over and not destroyed: %s", known->name,
                    virGetLastErrorMessage ());
      if (domain != NULL)
        virDomainFree (domain);
    }
}

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

  if (d->watch == NULL)
    {
      d->watch = vp_virt_watch_process (self, d->name);
      watch_process (d);
    }
  g_hash_table_add (self->doomed, g_strdup (d->name));
  if (d->watch == NULL)
    {
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
  (void) g_task_propagate_boolean (G_TASK (result), &error);
  if (d->task == NULL)
    {
      /* it is gone, and nobody waits; what libvirt did not clean up is told it again when it is back */
      if (error != NULL && vp_error_is (error, VP_ERROR_HYPERVISOR_UNAVAILABLE))
        g_hash_table_add (d->virt->doomed, g_strdup (d->name));
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
  virDomainPtr domain = virDomainLookupByName (call->conn, call->name);

  if (domain != NULL && virDomainDestroy (domain) == 0)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, vp_virt_call_error (call, "destroy"));
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

void
vp_virt_destroy_async (VpVirt *self, const char *domain_name, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data)
{
  Destroy *d = g_new0 (Destroy, 1);
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (self->destroying, domain_name));

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
}

gboolean
vp_virt_destroy_finish (VpVirt *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, vp_virt_destroy_async), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}
