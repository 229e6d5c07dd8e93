/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-virt-private.h"

/* libvirt's callbacks. They may come in any thread and with libvirt's locks
 * held, so they only copy; the copy is looked at in the main loop, in order. */

typedef struct
{
  VpVirtLink *link;
  char *name; /* NULL: the connection is gone */
  char *uuid;
  char *alias; /* of a device */
  int event;
  int detail;
} Event;

static void
event_free (gpointer data)
{
  Event *event = data;

  vp_virt_link_unref (event->link);
  g_free (event->name);
  g_free (event->uuid);
  g_free (event->alias);
  g_free (event);
}

static void
post (Event *event, GSourceFunc func)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, event, event_free);
  g_source_attach (source, NULL);
}

static const char *
stop_reason (int detail)
{
  switch (detail)
    {
    case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN:
      return "shutdown";
    case VIR_DOMAIN_EVENT_STOPPED_DESTROYED:
      return "destroyed";
    case VIR_DOMAIN_EVENT_STOPPED_CRASHED:
      return "crashed";
    case VIR_DOMAIN_EVENT_STOPPED_MIGRATED:
      return "migrated";
    case VIR_DOMAIN_EVENT_STOPPED_SAVED:
      return "saved";
    default:
      return "failed";
    }
}

static gboolean
handle_lifecycle (gpointer data)
{
  Event *event = data;
  VpVirt *self = event->link->self;

  if (self == NULL)
    return G_SOURCE_REMOVE;
  if (event->event == VIR_DOMAIN_EVENT_STARTED)
    {
      g_hash_table_remove (self->husks, event->name);
      vp_virt_life_started (self, event->name, event->uuid);
      /* its creation was given up, and libvirt went on with it */
      vp_virt_doomed_end (self, event->name);
    }
  else if (event->event == VIR_DOMAIN_EVENT_STOPPED)
    {
      g_hash_table_remove (self->gone, event->name);
      g_hash_table_remove (self->husks, event->name);
      vp_virt_life_stopped (self, event->uuid, stop_reason (event->detail));
    }
  else if (event->event == VIR_DOMAIN_EVENT_CRASHED)
    vp_virt_life_hint (self, event->uuid, "crashed");
  /* HOST: QEMU got a signal, which is how destroying begins */
  else if (event->event == VIR_DOMAIN_EVENT_SHUTDOWN && event->detail != VIR_DOMAIN_EVENT_SHUTDOWN_HOST)
    vp_virt_life_hint (self, event->uuid, "shutdown");
  return G_SOURCE_REMOVE;
}

static int
on_lifecycle (virConnectPtr conn, virDomainPtr domain, int what, int detail, void *opaque)
{
  char uuid[VIR_UUID_STRING_BUFLEN];
  Event *event;

  if (virDomainGetUUIDString (domain, uuid) < 0)
    return 0;
  event = g_new0 (Event, 1);
  event->link = vp_virt_link_ref (opaque);
  event->name = g_strdup (virDomainGetName (domain));
  event->uuid = g_strdup (uuid);
  event->event = what;
  event->detail = detail;
  post (event, handle_lifecycle);
  return 0;
}

static void
on_device_settled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Event *event = user_data;

  /* what became of that is no matter: the device has gone */
  (void) vp_virt_settle_finish (VP_VIRT (source), result, NULL);
  g_signal_emit_by_name (source, "device-removed", event->name, event->alias, TRUE);
  event_free (event);
}

static gboolean
handle_device (gpointer data)
{
  Event *event = data;
  VpVirt *self = event->link->self;
  Event *copy;

  if (self == NULL)
    return G_SOURCE_REMOVE;
  if (event->detail == 0)
    {
      g_signal_emit_by_name (self, "device-removed", event->name, event->alias, FALSE);
      return G_SOURCE_REMOVE;
    }
  copy = g_new0 (Event, 1);
  copy->link = vp_virt_link_ref (event->link);
  copy->name = g_strdup (event->name);
  copy->alias = g_strdup (event->alias);
  vp_virt_settle_async (self, copy->name, on_device_settled, copy);
  return G_SOURCE_REMOVE;
}

static void
post_device (virDomainPtr domain, const char *alias, gboolean gone, VpVirtLink *link)
{
  Event *event = g_new0 (Event, 1);

  event->link = vp_virt_link_ref (link);
  event->name = g_strdup (virDomainGetName (domain));
  event->alias = g_strdup (alias);
  event->detail = gone;
  post (event, handle_device);
}

static void
on_device_removed (virConnectPtr conn, virDomainPtr domain, const char *alias, void *opaque)
{
  post_device (domain, alias, TRUE, opaque);
}

static void
on_device_refused (virConnectPtr conn, virDomainPtr domain, const char *alias, void *opaque)
{
  post_device (domain, alias, FALSE, opaque);
}

static gboolean
handle_close (gpointer data)
{
  static const char *const reasons[] = {
    [VIR_CONNECT_CLOSE_REASON_ERROR] = "the connection broke",
    [VIR_CONNECT_CLOSE_REASON_EOF] = "the daemon closed the connection",
    [VIR_CONNECT_CLOSE_REASON_KEEPALIVE] = "the daemon does not answer",
    [VIR_CONNECT_CLOSE_REASON_CLIENT] = "the connection was closed",
  };
  Event *event = data;
  gsize i = (gsize) event->detail;

  if (event->link->self != NULL)
    vp_virt_connection_lost (event->link->self, i < G_N_ELEMENTS (reasons) ? reasons[i] : reasons[0]);
  return G_SOURCE_REMOVE;
}

static void
on_close (virConnectPtr conn, int reason, void *opaque)
{
  Event *event = g_new0 (Event, 1);

  event->link = vp_virt_link_ref (opaque);
  event->detail = reason;
  post (event, handle_close);
}

/* Drivers without close callbacks accept one silently and never free its data,
 * so its reference on the link is ours to drop. After unregistering it cannot
 * be running any more. */
static void
close_callback_remove (virConnectPtr conn, VpVirtLink *link)
{
  (void) virConnectUnregisterCloseCallback (conn, on_close);
  vp_virt_link_unref (link);
}

static int
listen_for (virConnectPtr conn, VpVirtLink *link, int event, virConnectDomainEventGenericCallback callback)
{
  int id = virConnectDomainEventRegisterAny (conn, NULL, event, callback, vp_virt_link_ref (link), vp_virt_link_unref);

  if (id < 0)
    vp_virt_link_unref (link);
  return id;
}

gboolean
vp_virt_events_register (virConnectPtr conn, VpVirtLink *link, VpVirtEventIds *ret_ids)
{
  *ret_ids = (VpVirtEventIds){ -1, -1, -1 };
  ret_ids->lifecycle
      = listen_for (conn, link, VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK (on_lifecycle));
  if (ret_ids->lifecycle < 0)
    return FALSE;
  /* drivers that plug nothing need not have these */
  ret_ids->removed = listen_for (conn, link, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
                                 VIR_DOMAIN_EVENT_CALLBACK (on_device_removed));
  ret_ids->refused = listen_for (conn, link, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED,
                                 VIR_DOMAIN_EVENT_CALLBACK (on_device_refused));
  /* drivers inside the process have neither: there is no connection to lose */
  (void) virConnectSetKeepAlive (conn, 5, 3);
  (void) virConnectRegisterCloseCallback (conn, on_close, vp_virt_link_ref (link), NULL);
  return TRUE;
}

void
vp_virt_events_deregister (virConnectPtr conn, VpVirtLink *link, const VpVirtEventIds *ids)
{
  (void) virConnectDomainEventDeregisterAny (conn, ids->lifecycle);
  if (ids->removed >= 0)
    (void) virConnectDomainEventDeregisterAny (conn, ids->removed);
  if (ids->refused >= 0)
    (void) virConnectDomainEventDeregisterAny (conn, ids->refused);
  close_callback_remove (conn, link);
}
