/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libvirt/libvirt.h>

#include "vp-pidwatch.h"
#include "vp-virt-embed.h"
#include "vp-virt.h"
#include "vp-worker.h"

/* What the rooms of VpVirt share. Nobody else includes this. */

/* What libvirt's callbacks hold instead of the object: libvirt keeps it for as
 * long as it likes and in any thread, @self is looked at on the main thread
 * only and is NULL when the connection is no longer wanted. */
typedef struct
{
  gatomicrefcount refs;
  VpVirt *self;
} VpVirtLink;

struct _VpVirt
{
  GObject parent_instance;
  char *uri;
  VpVirtEmbed *embed; /* NULL: not the embedded driver */
  gboolean local;     /* the hypervisors run on this host */
  VpVirtState state;
  char *reason; /* why not connected */
  VpWorker *worker;

  virConnectPtr conn; /* NULL: not connected */
  VpVirtLink *link;
  int lifecycle_id;
  VpFacts *facts;

  gboolean wanted;        /* opened and not closed: keep trying */
  gboolean opening;       /* a connect job is under way */
  gboolean disconnecting; /* closing, a disconnect job is under way */
  gboolean lost_early;    /* libvirt reported its connection dead before it was ours */
  guint retry_id;
  guint retry_ms;
  GTask *open_task;
  GTask *close_task;

  GHashTable *lives; /* uuid -> VpVirtLife: domains whose end is to be reported */
  GHashTable *ended; /* uuids that ended while a snapshot was being taken */
  guint snapshots;   /* creates, lists and connects under way */
};

/* One blocking call: copies and references for the worker. */
typedef struct
{
  virConnectPtr conn;
  VpVirtEmbed *embed; /* held: what the call forks off is reaped */
  char *uri;
  char *name;
  char *xml;
  guint flags;
} VpVirtCall;

/* vp-virt.c */
VpVirtLink *vp_virt_link_ref (VpVirtLink *link);
void vp_virt_link_unref (void *link); /* any thread */
/* The connection of @link is dead: @reason is one line. */
void vp_virt_connection_lost (VpVirt *self, const char *reason);

/* vp-virt-domain.c, worker */
GPtrArray *vp_virt_list_domains (virConnectPtr conn, GError **error);

/* vp-virt-events.c, worker: FALSE and libvirt's last error */
gboolean vp_virt_events_register (virConnectPtr conn, VpVirtLink *link, int *ret_lifecycle_id);
/* undoes a register that returned TRUE */
void vp_virt_events_deregister (virConnectPtr conn, VpVirtLink *link, int lifecycle_id);

/* vp-virt-facts.c, worker */
VpFacts *vp_virt_gather_facts (virConnectPtr conn, gboolean local, GError **error);

/* vp-virt-lives.c, main thread. A snapshot is any call whose answer says
 * which domains are alive and may be older than events already seen. */
void vp_virt_lives_init (VpVirt *self);
void vp_virt_lives_clear (VpVirt *self);
void vp_virt_snapshot_begin (VpVirt *self);
void vp_virt_snapshot_end (VpVirt *self);
void vp_virt_life_started (VpVirt *self, const char *name, const char *uuid);
void vp_virt_life_seen (VpVirt *self, const char *name, const char *uuid, gboolean watch);
void vp_virt_life_hint (VpVirt *self, const char *uuid, const char *reason);
void vp_virt_life_hint_by_name (VpVirt *self, const char *name, const char *reason);
void vp_virt_life_stopped (VpVirt *self, const char *uuid, const char *reason);
void vp_virt_lives_reconcile (VpVirt *self, GPtrArray *domains);

/* vp-virt-pid.c */
/* TRUE when @pid runs a hypervisor for the domain @name. */
gboolean vp_virt_pid_is_domain (pid_t pid, const char *name);
