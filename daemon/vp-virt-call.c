/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-virt-private.h"

#include "vp-error.h"
#include "vp-source.h"
#include "vp-virt-error.h"

/* A blocking call of libvirt: its copies, its way to a worker, and what it waits
 * for before: the connection, when the configuration says so, or the end of what
 * is left of an earlier domain of the same name. */

/* libvirt's clean-up after a domain takes a second or two; if it hangs, libvirt is to say what is wrong */
#define NAME_WAIT_MS 30000

typedef struct
{
  VpVirt *virt;
  gpointer tag;
  VpWorkerFunc func;
  VpVirtCall *call;
  GCancellable *cancellable;
  GAsyncReadyCallback callback;
  gpointer user_data;
  GSource *timer;
  GSource *cancelled;
} Waiting;

VpVirtCall *
vp_virt_call_new (VpVirt *self, const char *name)
{
  VpVirtCall *call = g_new0 (VpVirtCall, 1);

  call->uri = g_strdup (self->uri);
  call->name = g_strdup (name);
  if (self->embed != NULL)
    {
      call->embed = vp_virt_embed_ref (self->embed);
      vp_virt_embed_hold (call->embed);
    }
  return call;
}

static void
call_free (gpointer data)
{
  VpVirtCall *call = data;

  if (call->embed != NULL)
    {
      vp_virt_embed_release (call->embed);
      vp_virt_embed_unref (call->embed);
    }
  /* left only when the job never ran; then the door still has its own reference */
  if (call->conn != NULL)
    virConnectClose (call->conn);
  g_free (call->uri);
  g_free (call->name);
  g_free (call->xml);
  g_free (call);
}

/* In the worker, when a call is over: the last reference on a connection blocks. */
void
vp_virt_call_drop_connection (VpVirtCall *call)
{
  virConnectPtr conn = g_steal_pointer (&call->conn);

  virConnectClose (conn);
}

GError *
vp_virt_call_error (VpVirtCall *call, const char *verb)
{
  virErrorPtr last = virSaveLastError ();
  GError *error = vp_virt_error (last);

  if (last != NULL)
    virFreeError (last);
  if (virConnectIsAlive (call->conn) != 1)
    {
      error->code = VP_ERROR_HYPERVISOR_UNAVAILABLE;
      g_prefix_error (&error, "libvirt at %s: ", call->uri);
    }
  else if (call->name != NULL)
    g_prefix_error (&error, "%s domain \"%s\": ", verb, call->name);
  else
    g_prefix_error (&error, "%s domain: ", verb);
  return error;
}

/* ---- running, failing ------------------------------------------------------- */

static void
start (Waiting *w)
{
  if (w->call->needs_name)
    {
      /* what there was of this name has been dealt with, what comes now is wanted */
      g_hash_table_remove (w->virt->doomed, w->call->name);
      g_hash_table_remove (w->virt->gone, w->call->name);
    }
  (void) virConnectRef (w->virt->conn);
  w->call->conn = w->virt->conn;
  vp_worker_run_async (w->virt->worker, w->virt, w->tag, w->func, w->call, call_free, w->cancellable,
                       w->callback, w->user_data);
}

/* Takes @error. */
static void
fail (Waiting *w, GError *error)
{
  g_autoptr (GTask) task = g_task_new (w->virt, NULL, w->callback, w->user_data);

  g_task_set_source_tag (task, w->tag);
  g_task_set_task_data (task, w->call, call_free);
  g_task_return_error (task, error);
}

GError *
vp_virt_unavailable (VpVirt *self)
{
  return g_error_new (VP_ERROR, VP_ERROR_HYPERVISOR_UNAVAILABLE, "libvirt at %s: %s", self->uri,
                      self->reason != NULL ? self->reason : "not connected");
}

/* ---- waiting ------------------------------------------------------------------ */

static gboolean
is_blocked (VpVirt *self, VpVirtCall *call)
{
  return call->needs_name && g_hash_table_contains (self->destroying, call->name);
}

/* Out of the queue; what it holds stays its own. */
static void
leave_queue (Waiting *w)
{
  g_ptr_array_remove (w->virt->waiting, w);
  g_clear_pointer (&w->timer, vp_source_end);
  g_clear_pointer (&w->cancelled, vp_source_end);
}

static void
waiting_free (Waiting *w)
{
  g_clear_object (&w->cancellable);
  g_object_unref (w->virt);
  g_free (w);
}

static gboolean
on_waited_long_enough (gpointer data)
{
  Waiting *w = data;

  leave_queue (w);
  if (w->virt->conn != NULL)
    start (w);
  else
    fail (w, vp_virt_unavailable (w->virt));
  waiting_free (w);
  return G_SOURCE_REMOVE;
}

static gboolean
on_wait_cancelled (GCancellable *cancellable, gpointer data)
{
  Waiting *w = data;

  leave_queue (w);
  fail (w, g_error_new (VP_ERROR, VP_ERROR_CANCELLED, "libvirt at %s: cancelled before it began", w->virt->uri));
  waiting_free (w);
  return G_SOURCE_REMOVE;
}

static void
enqueue (const Waiting *what, guint ms)
{
  Waiting *w = g_new (Waiting, 1);

  *w = *what;
  g_object_ref (w->virt);
  if (w->cancellable != NULL)
    {
      g_object_ref (w->cancellable);
      w->cancelled = g_cancellable_source_new (w->cancellable);
      g_source_set_callback (w->cancelled, G_SOURCE_FUNC (on_wait_cancelled), w, NULL);
      g_source_attach (w->cancelled, NULL);
    }
  w->timer = g_timeout_source_new (ms);
  g_source_set_callback (w->timer, on_waited_long_enough, w, NULL);
  g_source_attach (w->timer, NULL);
  g_ptr_array_add (w->virt->waiting, w);
}

void
vp_virt_call_run (VpVirt *self, gpointer tag, VpWorkerFunc func, VpVirtCall *call, GCancellable *cancellable,
                  GAsyncReadyCallback callback, gpointer user_data)
{
  Waiting w = { self, tag, func, call, cancellable, callback, user_data, NULL, NULL };

  if (self->conn != NULL && !is_blocked (self, call))
    start (&w);
  else if (self->conn != NULL)
    enqueue (&w, NAME_WAIT_MS);
  else if (self->wanted && self->wait_ms > 0)
    enqueue (&w, self->wait_ms);
  else
    fail (&w, vp_virt_unavailable (self));
}

void
vp_virt_calls_go_on (VpVirt *self)
{
  guint i = 0;

  while (self->conn != NULL && i < self->waiting->len)
    {
      Waiting *w = self->waiting->pdata[i];

      if (is_blocked (self, w->call))
        {
          i++;
          continue;
        }
      leave_queue (w);
      start (w);
      waiting_free (w);
    }
}

void
vp_virt_calls_give_up (VpVirt *self)
{
  while (self->waiting->len > 0)
    {
      Waiting *w = self->waiting->pdata[0];

      leave_queue (w);
      fail (w, vp_virt_unavailable (self));
      waiting_free (w);
    }
}
