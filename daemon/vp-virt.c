/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-virt-private.h"

#include <libvirt-glib/libvirt-glib.h>

#include "vp-error.h"
#include "vp-event.h"
#include "vp-failpoint.h"
#include "vp-log.h"
#include "vp-virt-error.h"
#include "vp-virt-xml.h"

#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 5000

G_DEFINE_FINAL_TYPE (VpVirt, vp_virt, G_TYPE_OBJECT)

enum
{
  SIGNAL_STATE_CHANGED,
  SIGNAL_DOMAIN_STOPPED,
  SIGNAL_DEVICE_REMOVED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

static void attempt (VpVirt *self);

/* ---- link ---------------------------------------------------------------- */

static VpVirtLink *
link_new (VpVirt *self)
{
  VpVirtLink *link = g_new0 (VpVirtLink, 1);

  g_atomic_ref_count_init (&link->refs);
  link->self = self;
  return link;
}

VpVirtLink *
vp_virt_link_ref (VpVirtLink *link)
{
  g_atomic_ref_count_inc (&link->refs);
  return link;
}

void
vp_virt_link_unref (void *data)
{
  VpVirtLink *link = data;

  if (g_atomic_ref_count_dec (&link->refs))
    g_free (link);
}

/* From here on libvirt's callbacks find nobody at home. */
static void
link_cut (VpVirtLink **link)
{
  if (*link == NULL)
    return;
  (*link)->self = NULL;
  vp_virt_link_unref (g_steal_pointer (link));
}

/* ---- connecting and disconnecting, on a worker --------------------------- */

typedef struct
{
  char *uri;
  VpVirtEmbed *embed;
  VpVirtLink *link;
  gboolean local;
  /* what came of it; what the main thread does not take stays here */
  virConnectPtr conn;
  VpVirtEventIds events;
  VpFacts *facts;
  GPtrArray *domains;
} Attempt;

static void
attempt_free (gpointer data)
{
  Attempt *a = data;

  if (a->embed != NULL)
    {
      vp_virt_embed_release (a->embed);
      vp_virt_embed_unref (a->embed);
    }
  vp_virt_link_unref (a->link);
  g_clear_pointer (&a->facts, vp_facts_unref);
  g_clear_pointer (&a->domains, g_ptr_array_unref);
  g_free (a->uri);
  g_free (a);
}

static gboolean
open_connection (Attempt *a, GError **error)
{
  if (a->embed != NULL && !vp_virt_embed_prepare (a->embed, error))
    return FALSE;
  if (!VP_FAILPOINT ("virt.connect.before", error))
    return FALSE;
  a->conn = virConnectOpen (a->uri);
  VP_FAILPOINT_ONLY ("virt.connect.after");
  if (a->conn == NULL)
    {
      g_propagate_error (error, vp_virt_error (virGetLastError ()));
      return FALSE;
    }
  if (!vp_virt_events_register (a->conn, a->link, &a->events))
    {
      g_propagate_error (error, vp_virt_error_last ("events"));
      return FALSE;
    }
  a->facts = vp_virt_gather_facts (a->conn, a->local, error);
  if (a->facts == NULL)
    return FALSE;
  /* after the events are on: nothing falls between the two */
  a->domains = vp_virt_list_domains (a->conn, error);
  return a->domains != NULL;
}

static void
connect_in_worker (GTask *task, gpointer source, gpointer data)
{
  Attempt *a = data;
  g_autoptr (GError) error = NULL;

  if (open_connection (a, &error))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  if (a->conn != NULL)
    {
      if (a->events.lifecycle >= 0)
        vp_virt_events_deregister (a->conn, a->link, &a->events);
      virConnectClose (g_steal_pointer (&a->conn));
    }
  g_task_return_error (task, g_steal_pointer (&error));
}

static void
disconnect_in_worker (GTask *task, gpointer source, gpointer data)
{
  Attempt *a = data;

  vp_virt_events_deregister (a->conn, a->link, &a->events);
  virConnectClose (g_steal_pointer (&a->conn));
  g_task_return_boolean (task, TRUE);
}

/* ---- state --------------------------------------------------------------- */

static void
set_state (VpVirt *self, VpVirtState state)
{
  if (self->state == state)
    return;
  self->state = state;
  vp_debug (NULL, NULL, "libvirt at %s: %s", self->uri, vp_virt_state_to_string (state));
  g_signal_emit (self, signals[SIGNAL_STATE_CHANGED], 0);
}

static void
set_reason (VpVirt *self, const char *reason)
{
  g_free (self->reason);
  self->reason = g_strdup (reason);
}

static gboolean
on_retry (gpointer data)
{
  VpVirt *self = data;

  self->retry_id = 0;
  attempt (self);
  return G_SOURCE_REMOVE;
}

static void
schedule_retry (VpVirt *self)
{
  if (!self->wanted || self->retry_id != 0)
    return;
  /* not all daemons of a host at the same moment */
  self->retry_id
      = g_timeout_add ((guint) g_random_int_range ((gint32) self->retry_ms * 3 / 4, (gint32) self->retry_ms * 5 / 4),
                       on_retry, self);
  self->retry_ms = MIN (self->retry_ms * 2, RETRY_MAX_MS);
}

static Attempt *
attempt_new (VpVirt *self, VpVirtLink *link)
{
  Attempt *a = g_new0 (Attempt, 1);

  a->uri = g_strdup (self->uri);
  a->local = self->local;
  a->link = vp_virt_link_ref (link);
  a->events = (VpVirtEventIds){ -1, -1, -1 };
  if (self->embed != NULL)
    {
      a->embed = vp_virt_embed_ref (self->embed);
      vp_virt_embed_hold (a->embed);
    }
  return a;
}

/* Gives the connection up; @callback (may be NULL) when it is closed. @owner is
 * NULL when the object is being disposed of. */
static void
disconnect (VpVirt *self, gpointer owner, GAsyncReadyCallback callback)
{
  Attempt *a = attempt_new (self, self->link);

  a->conn = g_steal_pointer (&self->conn);
  a->events = self->events;
  link_cut (&self->link);
  vp_worker_run_async (self->worker, owner, disconnect, disconnect_in_worker, a, attempt_free, NULL, callback,
                       NULL);
}

static void
finish_close (VpVirt *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->close_task);

  set_reason (self, "closed");
  vp_virt_calls_give_up (self);
  set_state (self, VP_VIRT_DOWN);
  if (task != NULL)
    g_task_return_boolean (task, TRUE);
}

static void
on_disconnected (GObject *source, GAsyncResult *result, gpointer data)
{
  VpVirt *self = VP_VIRT (source);

  self->disconnecting = FALSE;
  finish_close (self);
}

static void
take_connection (VpVirt *self, Attempt *a)
{
  self->conn = g_steal_pointer (&a->conn);
  self->events = a->events;
}

static void
on_attempt_failed (VpVirt *self, const GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->open_task);

  link_cut (&self->link);
  if (g_strcmp0 (self->reason, error->message) != 0)
    vp_warning (NULL, NULL, "libvirt at %s: %s", self->uri, error->message);
  set_reason (self, error->message);
  schedule_retry (self);
  set_state (self, VP_VIRT_DOWN);
  if (task != NULL)
    g_task_return_new_error (task, VP_ERROR, VP_ERROR_HYPERVISOR_UNAVAILABLE, "libvirt at %s: %s", self->uri,
                             error->message);
}

static void
on_connected (VpVirt *self, Attempt *a)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->open_task);

  take_connection (self, a);
  g_clear_pointer (&self->facts, vp_facts_unref);
  self->facts = g_steal_pointer (&a->facts);
  g_clear_pointer (&self->reason, g_free);
  self->retry_ms = RETRY_MIN_MS;
  /* the list is newer than all that was heard of processes */
  g_hash_table_remove_all (self->gone);
  vp_virt_sift (self, a->domains);
  vp_virt_doomed_look (self);
  vp_virt_lives_reconcile (self, a->domains);
  vp_event (VP_EVENT_LIBVIRT_CONNECTED, NULL, NULL, "connected to libvirt at %s", self->uri);
  set_state (self, VP_VIRT_CONNECTED);
  vp_virt_calls_go_on (self);
  if (task != NULL)
    g_task_return_boolean (task, TRUE);
  if (self->lost_early)
    vp_virt_connection_lost (self, "lost while it was being opened");
}

/* It was closed while it was being opened. */
static void
give_back (VpVirt *self, Attempt *a)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->open_task);

  take_connection (self, a);
  self->disconnecting = TRUE;
  disconnect (self, self, on_disconnected);
  if (task != NULL)
    g_task_return_new_error (task, VP_ERROR, VP_ERROR_CANCELLED, "libvirt at %s: closed while it was opened",
                             self->uri);
}

static void
on_attempt_done (GObject *source, GAsyncResult *result, gpointer data)
{
  VpVirt *self = VP_VIRT (source);
  Attempt *a = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) error = NULL;

  self->opening = FALSE;
  if (!g_task_propagate_boolean (G_TASK (result), &error))
    on_attempt_failed (self, error);
  else if (self->wanted)
    on_connected (self, a);
  else
    give_back (self, a);
  vp_virt_snapshot_end (self);
  if (self->close_task != NULL && self->conn == NULL && !self->disconnecting)
    finish_close (self);
}

static void
attempt (VpVirt *self)
{
  self->opening = TRUE;
  self->lost_early = FALSE;
  self->link = link_new (self);
  vp_virt_snapshot_begin (self);
  set_state (self, VP_VIRT_CONNECTING);
  vp_worker_run_async (self->worker, self, attempt, connect_in_worker, attempt_new (self, self->link),
                       attempt_free, NULL, on_attempt_done, NULL);
}

void
vp_virt_connection_lost (VpVirt *self, const char *reason)
{
  if (self->conn == NULL)
    {
      self->lost_early = TRUE;
      return;
    }
  vp_event (VP_EVENT_LIBVIRT_LOST, NULL, NULL, "libvirt at %s: %s", self->uri, reason);
  set_reason (self, reason);
  disconnect (self, self, NULL);
  schedule_retry (self);
  set_state (self, VP_VIRT_DOWN);
}

/* ---- the object ---------------------------------------------------------- */

static void
vp_virt_init (VpVirt *self)
{
  self->worker = vp_worker_new ("virt", VP_WORKER_THREADS);
  self->retry_ms = RETRY_MIN_MS;
  self->waiting = g_ptr_array_new ();
  self->destroying = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->doomed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->gone = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->creating = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->husks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  vp_virt_lives_init (self);
}

/* Nothing can be under way here: whatever is holds a reference. */
static void
vp_virt_dispose (GObject *object)
{
  VpVirt *self = VP_VIRT (object);

  self->wanted = FALSE;
  g_clear_handle_id (&self->retry_id, g_source_remove);
  g_clear_handle_id (&self->look_id, g_source_remove);
  if (self->conn != NULL)
    disconnect (self, NULL, NULL);
  link_cut (&self->link);
  G_OBJECT_CLASS (vp_virt_parent_class)->dispose (object);
}

static void
vp_virt_finalize (GObject *object)
{
  VpVirt *self = VP_VIRT (object);

  vp_virt_lives_clear (self);
  g_ptr_array_unref (self->waiting);
  g_hash_table_unref (self->destroying);
  g_hash_table_unref (self->doomed);
  g_hash_table_unref (self->gone);
  g_hash_table_unref (self->creating);
  g_hash_table_unref (self->husks);
  g_clear_pointer (&self->facts, vp_facts_unref);
  g_clear_pointer (&self->embed, vp_virt_embed_unref);
  g_clear_pointer (&self->worker, vp_worker_unref);
  g_free (self->directories);
  g_free (self->uri);
  g_free (self->reason);
  G_OBJECT_CLASS (vp_virt_parent_class)->finalize (object);
}

static void
vp_virt_class_init (VpVirtClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = vp_virt_dispose;
  G_OBJECT_CLASS (klass)->finalize = vp_virt_finalize;
  /* libvirt logs warnings to stderr (4: errors, which it then leaves to the
   * error handler). Here because the process has few threads yet. */
  (void) g_setenv ("LIBVIRT_DEBUG", "4", FALSE);
  signals[SIGNAL_STATE_CHANGED]
      = g_signal_new ("state-changed", VP_TYPE_VIRT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_DOMAIN_STOPPED] = g_signal_new ("domain-stopped", VP_TYPE_VIRT, G_SIGNAL_RUN_LAST, 0, NULL,
                                                 NULL, NULL, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
  signals[SIGNAL_DEVICE_REMOVED]
      = g_signal_new ("device-removed", VP_TYPE_VIRT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 3,
                      G_TYPE_STRING, G_TYPE_STRING, G_TYPE_BOOLEAN);
}

const char *
vp_virt_state_to_string (VpVirtState state)
{
  switch (state)
    {
    case VP_VIRT_CONNECTING:
      return "connecting";
    case VP_VIRT_CONNECTED:
      return "connected";
    case VP_VIRT_DOWN:
    default:
      return "down";
    }
}

static gboolean
is_local (const char *uri)
{
  g_autoptr (GUri) parsed = g_uri_parse (uri, G_URI_FLAGS_ENCODED_QUERY, NULL);

  return parsed == NULL || g_uri_get_host (parsed) == NULL || g_uri_get_host (parsed)[0] == '\0';
}

VpVirt *
vp_virt_new (const char *uri)
{
  VpVirt *self = g_object_new (VP_TYPE_VIRT, NULL);

  vp_virt_xml_init ();
  self->uri = g_strdup (uri);
  self->local = is_local (uri);
  self->embed = vp_virt_embed_new (uri);
  set_reason (self, "not opened");
  return self;
}

void
vp_virt_set_directories (VpVirt *self, const char *path)
{
  g_free (self->directories);
  self->directories = g_strdup (path);
}

void
vp_virt_set_wait (VpVirt *self, guint ms)
{
  self->wait_ms = ms;
}

const char *
vp_virt_get_uri (VpVirt *self)
{
  return self->uri;
}

VpVirtState
vp_virt_get_state (VpVirt *self)
{
  return self->state;
}

const char *
vp_virt_get_reason (VpVirt *self)
{
  return self->reason;
}

VpFacts *
vp_virt_get_facts (VpVirt *self)
{
  return self->facts;
}

/* libvirt prints each error to stderr unless somebody takes it. */
static void
ignore_error (void *data, virErrorPtr error)
{
}

static void
initialize_libvirt (void)
{
  static gsize once;

  if (!g_once_init_enter (&once))
    return;
  /* libvirt's timers and sockets become sources of the default main context;
   * has to come before the first connection */
  gvir_event_register ();
  (void) virInitialize ();
  virSetErrorFunc (NULL, ignore_error);
  g_once_init_leave (&once, 1);
}

void
vp_virt_open_async (VpVirt *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, vp_virt_open_async);
  g_task_set_check_cancellable (task, FALSE);
  if (self->wanted || self->opening || self->disconnecting)
    {
      g_task_return_new_error (task, VP_ERROR, VP_ERROR_INVALID_STATE, "libvirt at %s: is open already",
                               self->uri);
      g_object_unref (task);
      return;
    }
  initialize_libvirt ();
  self->wanted = TRUE;
  self->open_task = task;
  attempt (self);
}

gboolean
vp_virt_open_finish (VpVirt *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
vp_virt_close_async (VpVirt *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, vp_virt_close_async);
  self->wanted = FALSE;
  g_clear_handle_id (&self->retry_id, g_source_remove);
  g_clear_handle_id (&self->look_id, g_source_remove);
  if (self->close_task != NULL)
    {
      /* the second caller need not wait for what the first one waits for */
      g_task_return_boolean (task, TRUE);
      g_object_unref (task);
      return;
    }
  self->close_task = task;
  if (self->conn != NULL)
    {
      self->disconnecting = TRUE;
      disconnect (self, self, on_disconnected);
    }
  else if (!self->opening)
    finish_close (self);
}

void
vp_virt_close_finish (VpVirt *self, GAsyncResult *result)
{
  g_return_if_fail (g_task_is_valid (result, self));
  (void) g_task_propagate_boolean (G_TASK (result), NULL);
}
