/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-error.h"
#include "vp-failpoint.h"
#include "vp-log.h"

#define SETTLE_MS 1000 /* how often it is looked whether libvirt is back */

/* An interface taken out of a machine that runs. The guest has to let go of it;
 * until it has, its tap stays, and one that is too slow is not forgotten. */

/* ---- out of the machine ---- */

typedef struct
{
  char *handle; /* NULL: nobody is told when it goes later */
  char *tap;
  char *alias;        /* what libvirt calls it; NULL: it has not been asked yet */
  GHashTable *gone;   /* aliases that have gone meanwhile */
  guint timeout_ms;
  guint timer;
  gulong removed;     /* handler */
  GSource *cancelled; /* the sandbox ends */
  gboolean over;
} Unplug;

static void
unplug_free (gpointer data)
{
  Unplug *unplug = data;

  g_free (unplug->handle);
  g_free (unplug->tap);
  g_free (unplug->alias);
  g_hash_table_unref (unplug->gone);
  g_free (unplug);
}

/* Takes @error; NULL: it has gone. The first to say so. */
static void
finish_unplug (GTask *task, GError *error)
{
  VpSandbox *self = g_task_get_source_object (task);
  Unplug *unplug = g_task_get_task_data (task);

  if (unplug->over)
    {
      g_clear_error (&error);
      return;
    }
  unplug->over = TRUE;
  g_clear_handle_id (&unplug->timer, g_source_remove);
  g_clear_signal_handler (&unplug->removed, self->services->virt);
  if (unplug->cancelled != NULL)
    g_source_destroy (unplug->cancelled);
  g_clear_pointer (&unplug->cancelled, g_source_unref);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static void
on_late_removed (VpVirt *virt, const char *name, const char *alias, gboolean gone, VpSandbox *self)
{
  g_autofree char *handle = NULL;

  if (!g_str_equal (name, self->domain_name)
      || !g_hash_table_steal_extended (self->nics.leaving, alias, NULL, (gpointer *)&handle))
    return;
  if (gone && self->state == VP_SANDBOX_READY)
    vp_sandbox_detach_nic_async (self, handle, 0, NULL, NULL); /* the rest of it */
}

/* Whenever the guest lets go of it, it is to go. */
static void
watch_for_later (VpSandbox *self, const Unplug *unplug)
{
  if (unplug->handle == NULL || unplug->alias == NULL)
    return;
  if (self->nics.leaving == NULL)
    {
      self->nics.leaving = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
      g_signal_connect_object (self->services->virt, "device-removed", G_CALLBACK (on_late_removed), self, 0);
    }
  g_hash_table_replace (self->nics.leaving, g_strdup (unplug->alias), g_strdup (unplug->handle));
}

/* What happened while libvirt was away nobody has told. */
static void
on_last_look (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Unplug *unplug = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autofree char *alias = vp_virt_find_nic_finish (VP_VIRT (source), result, &error);

  if (unplug->over)
    return;
  if (alias == NULL && vp_error_is (error, VP_ERROR_NOT_FOUND))
    {
      finish_unplug (task, NULL);
      return;
    }
  watch_for_later (g_task_get_source_object (task), unplug);
  finish_unplug (task, g_error_new (VP_ERROR, VP_ERROR_TIMED_OUT, "the guest has not let go of it after %u ms",
                                    unplug->timeout_ms));
}

static gboolean
on_timeout (gpointer user_data)
{
  GTask *task = user_data;
  VpSandbox *self = g_task_get_source_object (task);
  Unplug *unplug = g_task_get_task_data (task);

  unplug->timer = 0;
  vp_virt_find_nic_async (self->services->virt, self->domain_name, unplug->tap, NULL, on_last_look,
                          g_object_ref (task));
  return G_SOURCE_REMOVE;
}

static gboolean
on_sandbox_ends (GCancellable *cancellable, gpointer task)
{
  finish_unplug (task, g_error_new (VP_ERROR, VP_ERROR_CANCELLED, "the sandbox ends"));
  return G_SOURCE_REMOVE;
}

static void
on_removed (VpVirt *virt, const char *name, const char *alias, gboolean gone, gpointer user_data)
{
  GTask *task = user_data;
  VpSandbox *self = g_task_get_source_object (task);
  Unplug *unplug = g_task_get_task_data (task);

  if (!g_str_equal (name, self->domain_name))
    return;
  if (unplug->alias == NULL)
    g_hash_table_insert (unplug->gone, g_strdup (alias), GINT_TO_POINTER (gone));
  else if (g_str_equal (alias, unplug->alias))
    finish_unplug (task, gone ? NULL : g_error_new (VP_ERROR, VP_ERROR_BUSY, "the guest refuses to let go of it"));
}

static void
on_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandbox *self = g_task_get_source_object (task);
  Unplug *unplug = g_task_get_task_data (task);
  GError *error = NULL;
  gpointer gone;

  unplug->alias = vp_virt_detach_nic_finish (VP_VIRT (source), result, &error);
  if (unplug->over)
    g_clear_error (&error);
  else if (unplug->alias == NULL)
    {
      if (vp_error_is (error, VP_ERROR_NOT_FOUND))
        g_clear_error (&error);
      finish_unplug (task, error);
    }
  else if (g_hash_table_lookup_extended (unplug->gone, unplug->alias, NULL, &gone))
    on_removed (self->services->virt, self->domain_name, unplug->alias, GPOINTER_TO_INT (gone), task);
  else
    unplug->timer = g_timeout_add (unplug->timeout_ms, on_timeout, task);
}

void
vp_sandbox_unplug_async (VpSandbox *self, const char *handle, const char *tap, guint timeout_ms,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data); /* owned by its end */
  Unplug *unplug = g_new0 (Unplug, 1);

  unplug->handle = g_strdup (handle);
  unplug->tap = g_strdup (tap);
  unplug->timeout_ms = timeout_ms;
  unplug->gone = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_task_set_task_data (task, unplug, unplug_free);
  unplug->removed = g_signal_connect (self->services->virt, "device-removed", G_CALLBACK (on_removed), task);
  unplug->cancelled = g_cancellable_source_new (self->end.cancellable);
  g_source_set_callback (unplug->cancelled, G_SOURCE_FUNC (on_sandbox_ends), task, NULL);
  vp_virt_detach_nic_async (self->services->virt, self->domain_name, tap, NULL, on_asked, g_object_ref (task));
  g_source_attach (unplug->cancelled, NULL);
}

gboolean
vp_sandbox_unplug_finish (VpSandbox *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- off the host ---- */

static void
remove_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  GError *error = NULL;

  if (vp_net_tcfilter.remove (task_data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

void
vp_sandbox_remove_nic_job_async (VpSandbox *self, VpNetJob *job, GAsyncReadyCallback callback, gpointer user_data)
{
  vp_worker_run_async (self->services->worker, self, vp_sandbox_remove_nic_job_async, remove_in_worker,
                       vp_net_job_ref (job), (GDestroyNotify)vp_net_job_unref, NULL, callback, user_data);
}

gboolean
vp_sandbox_remove_nic_job_finish (VpSandbox *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- the whole ---- */

typedef struct
{
  VpSandbox *self;
  GTask *task;
  char *handle;
  char *tap;
  guint timeout_ms;
  gboolean settling; /* only if it is half plugged when its turn comes */
} Detach;

static void
detach_free (Detach *detach)
{
  g_clear_object (&detach->task);
  g_free (detach->handle);
  g_free (detach->tap);
  g_object_unref (detach->self);
  g_free (detach);
}

/* Takes @detach and @error; NULL: it has gone. */
static void
finish_detach (Detach *detach, GError *error)
{
  g_autoptr (VpSandbox) self = g_object_ref (detach->self);

  g_signal_emit_by_name (self, "device-removed", detach->handle, error == NULL);
  if (error == NULL)
    {
      vp_notice (self->id, NULL, "interface %s plugged out", detach->handle);
      g_task_return_boolean (detach->task, TRUE);
    }
  else
    {
      g_prefix_error (&error, "%s sandbox \"%s\": %s: ", vp_verb_to_string (VP_VERB_SANDBOX_DETACH), self->id,
                      detach->handle);
      g_task_return_error (detach->task, error);
    }
  detach_free (detach);
  vp_sandbox_changed (self);
  vp_sandbox_end_turn (self);
}

static void
on_taken_away (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Detach *detach = user_data;
  VpSandbox *self = detach->self;
  GError *error = NULL;

  if (vp_sandbox_remove_nic_job_finish (self, result, &error))
    {
      VP_FAILPOINT_ONLY ("nic.removed");
      vp_sandbox_remove_pair (self, detach->tap);
      (void)vp_sandbox_save (self, &error);
    }
  finish_detach (detach, error);
}

/* It is not going to go any more, unless the guest was only too slow, or libvirt away. */
static void
keep_device (Detach *detach, const GError *why)
{
  g_autoptr (GError) error = NULL;

  if (vp_error_is (why, VP_ERROR_HYPERVISOR_UNAVAILABLE))
    vp_sandbox_settle_nics_later (detach->self);
  else if (!vp_error_is (why, VP_ERROR_TIMED_OUT) && !vp_error_is (why, VP_ERROR_CANCELLED)
      && !vp_sandbox_mark_pair (detach->self, detach->tap, FALSE, &error))
    vp_warning (detach->self->id, NULL, "record not written: %s", error->message);
}

static void
on_unplugged (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Detach *detach = user_data;
  VpSandbox *self = detach->self;
  const VpNetPair *pair = vp_sandbox_find_nic (self, detach->handle);
  g_autoptr (VpNetJob) job = NULL;
  GError *error = NULL;

  if (!vp_sandbox_unplug_finish (self, result, &error) || pair == NULL)
    {
      keep_device (detach, error);
      finish_detach (detach, error);
      return;
    }
  VP_FAILPOINT_ONLY ("nic.unplugged");
  if (self->nics.n_plugged > 0)
    self->nics.n_plugged--;
  job = vp_sandbox_new_nic_job (self, NULL, pair);
  vp_sandbox_remove_nic_job_async (self, job, on_taken_away, detach);
}

/* What is its turn to be taken out; FALSE: nothing. */
static gboolean
check_detach (Detach *detach, GError **error)
{
  VpSandbox *self = detach->self;
  const VpNetPair *pair = vp_sandbox_find_nic (self, detach->handle);
  g_autofree char *shown = vp_error_shown (detach->handle);

  if (!vp_sandbox_check_verb (self, VP_VERB_SANDBOX_DETACH, error))
    return FALSE;
  if (pair == NULL || (detach->settling && !pair->changing))
    g_set_error_literal (error, VP_ERROR, VP_ERROR_NOT_FOUND, "there is no such device");
  else if (vp_sandbox_mark_pair (self, pair->tap, TRUE, error))
    {
      detach->tap = g_strdup (pair->tap);
      return TRUE;
    }
  g_prefix_error (error, "%s sandbox \"%s\": %s: ", vp_verb_to_string (VP_VERB_SANDBOX_DETACH), self->id, shown);
  return FALSE;
}

static void
begin (gpointer data)
{
  Detach *detach = data;
  g_autoptr (VpSandbox) self = g_object_ref (detach->self);
  GError *error = NULL;

  if (check_detach (detach, &error))
    {
      vp_sandbox_unplug_async (self, detach->handle, detach->tap, detach->timeout_ms, on_unplugged, detach);
      return;
    }
  g_task_return_error (detach->task, error);
  detach_free (detach);
  vp_sandbox_end_turn (self);
}

/* @timeout_ms: 0: the usual one */
static void
start_detach (VpSandbox *self, const char *handle, guint timeout_ms, gboolean settling, GAsyncReadyCallback callback,
              gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  guint64 usual = vp_config_get_uint (self->config, VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS);
  GError *error = NULL;
  Detach *detach;

  if (!vp_sandbox_check_verb (self, VP_VERB_SANDBOX_DETACH, &error))
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  detach = g_new0 (Detach, 1);
  detach->self = g_object_ref (self);
  detach->task = task;
  detach->handle = g_strdup (handle);
  detach->timeout_ms = timeout_ms != 0 ? timeout_ms : (guint)MAX (usual, VP_SANDBOX_PLUG_MS);
  detach->settling = settling;
  if (vp_sandbox_take_turn (self, begin, detach, &error))
    return;
  g_task_return_error (task, error);
  detach_free (detach);
}

void
vp_sandbox_detach_nic_async (VpSandbox *self, const char *handle, guint timeout_ms, GAsyncReadyCallback callback,
                             gpointer user_data)
{
  start_detach (self, handle, timeout_ms, FALSE, callback, user_data);
}

gboolean
vp_sandbox_detach_nic_finish (VpSandbox *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- what was cut short ---- */

static void
on_settled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VpSandbox *self = VP_SANDBOX (source);
  g_autoptr (GError) error = NULL;

  /* NotFound: when its turn came it was in order, or gone; libvirt away: once more */
  if (!vp_sandbox_detach_nic_finish (self, result, &error) && !vp_error_is (error, VP_ERROR_NOT_FOUND)
      && !vp_error_is (error, VP_ERROR_HYPERVISOR_UNAVAILABLE) && self->state == VP_SANDBOX_READY)
    vp_warning (self->id, NULL, "an interface whose plugging was cut short stays: %s", error->message);
}

void
vp_sandbox_settle_nics (VpSandbox *self)
{
  const VpNetJob *net = self->machine.net;

  for (guint i = 0; self->state == VP_SANDBOX_READY && net != NULL && i < net->pairs->len; i++)
    {
      const VpNetPair *pair = net->pairs->pdata[i];
      g_autofree char *handle = vp_sandbox_nic_handle (pair);

      if (pair->changing)
        start_detach (self, handle, 0, TRUE, on_settled, NULL);
    }
}

static gboolean
on_time_to_settle (gpointer user_data)
{
  VpSandbox *self = user_data;

  if (self->state == VP_SANDBOX_READY && vp_virt_get_state (self->services->virt) != VP_VIRT_CONNECTED)
    return G_SOURCE_CONTINUE;
  self->nics.settle_timer = 0;
  vp_sandbox_settle_nics (self);
  return G_SOURCE_REMOVE;
}

void
vp_sandbox_settle_nics_later (VpSandbox *self)
{
  if (self->nics.settle_timer == 0)
    self->nics.settle_timer = g_timeout_add (SETTLE_MS, on_time_to_settle, self);
}
