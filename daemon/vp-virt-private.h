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

/* What libvirt calls us back for; -1: not. */
typedef struct
{
  int lifecycle;
  int removed; /* a device that was plugged out has gone */
  int refused; /* it stays: the guest has said no */
} VpVirtEventIds;

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
  VpVirtEventIds events;
  VpFacts *facts;

  gboolean wanted;        /* opened and not closed: keep trying */
  gboolean opening;       /* a connect job is under way */
  gboolean disconnecting; /* closing, a disconnect job is under way */
  gboolean lost_early;    /* libvirt reported its connection dead before it was ours */
  guint retry_id;
  guint retry_ms;
  GTask *open_task;
  GTask *close_task;

  char *directories;     /* where each domain has one of its name; NULL: not known */
  guint wait_ms;         /* how long a call may wait for the connection; 0: not at all */
  GPtrArray *waiting;    /* calls that do, in order */
  GHashTable *destroying; /* name -> how many destroys libvirt has not answered */
  GHashTable *creating;  /* names of creates that have not been answered */
  GHashTable *doomed;    /* names that were to be gone while libvirt could not be asked */
  GHashTable *husks;     /* names that the last list showed as starting, without a process */
  guint look_id;         /* until the next look for doomed ones */
  guint looks;
  GHashTable *gone;      /* names whose process has ended, which libvirt has not said yet */

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
  gboolean needs_name; /* waits until nothing of an earlier domain of this name is left */
  gboolean sent;       /* libvirt may have got it */
} VpVirtCall;

/* vp-virt.c */
VpVirtLink *vp_virt_link_ref (VpVirtLink *link);
void vp_virt_link_unref (void *link); /* any thread */
/* The connection of @link is dead: @reason is one line. */
void vp_virt_connection_lost (VpVirt *self, const char *reason);

/* vp-virt-call.c. Calls are made and run on the main thread; @func runs on a
 * worker with @call, which is taken, as its task data, and ends with
 * drop_connection. */
VpVirtCall *vp_virt_call_new (VpVirt *self, const char *name);
void vp_virt_call_run (VpVirt *self, gpointer tag, VpWorkerFunc func, VpVirtCall *call, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data);
void vp_virt_call_drop_connection (VpVirtCall *call);
/* libvirt's last error; when the connection is dead that is all there is to
 * say, whatever code the call got out of it. Worker. */
GError *vp_virt_call_error (VpVirtCall *call, const char *verb);
/* HypervisorUnavailable and why. */
GError *vp_virt_unavailable (VpVirt *self);
/* What waited for the connection, or for a name, and can begin; nothing waits any more. */
void vp_virt_calls_go_on (VpVirt *self);
void vp_virt_calls_give_up (VpVirt *self);

/* vp-virt-doom.c, main thread. A doomed domain is destroyed when libvirt shows it.
 * Creating it anew lifts that. */
void vp_virt_doom (VpVirt *self, const char *name);
/* The same, and kills its process now or, when there is none, has libvirt forget it. */
void vp_virt_doom_and_kill (VpVirt *self, const char *name);
/* Destroys it if it is doomed. */
void vp_virt_doomed_end (VpVirt *self, const char *name);
/* Begins to look for doomed ones. */
void vp_virt_doomed_look (VpVirt *self);
/* Takes those of ours that are doomed, which are ended, and those that are nothing
 * but an entry in libvirt's list out of a list that is new. */
void vp_virt_sift (VpVirt *self, GPtrArray *domains);

/* vp-virt-domain.c, worker */
GPtrArray *vp_virt_list_domains (virConnectPtr conn, GError **error);

/* vp-virt-events.c, worker: FALSE and libvirt's last error */
gboolean vp_virt_events_register (virConnectPtr conn, VpVirtLink *link, VpVirtEventIds *ret_ids);
/* undoes a register that returned TRUE */
void vp_virt_events_deregister (virConnectPtr conn, VpVirtLink *link, const VpVirtEventIds *ids);

/* vp-virt-facts.c, worker */
VpFacts *vp_virt_gather_facts (virConnectPtr conn, gboolean local, GError **error);

/* vp-virt-lives.c, main thread. A snapshot is any call whose answer says
 * which domains are alive and may be older than events already seen. */
void vp_virt_lives_init (VpVirt *self);
void vp_virt_lives_clear (VpVirt *self);
void vp_virt_snapshot_begin (VpVirt *self);
void vp_virt_snapshot_end (VpVirt *self);
void vp_virt_life_started (VpVirt *self, const char *name, const char *uuid);
/* FALSE: @uuid (NULL: unknown) is not that of any domain @name that is alive, as far as
 * is known. TRUE when none of that name is known. */
gboolean vp_virt_life_may_be (VpVirt *self, const char *name, const char *uuid);
void vp_virt_life_seen (VpVirt *self, const char *name, const char *uuid, gboolean watch);
void vp_virt_life_hint (VpVirt *self, const char *uuid, const char *reason);
void vp_virt_life_hint_by_name (VpVirt *self, const char *name, const char *reason);
void vp_virt_life_stopped (VpVirt *self, const char *uuid, const char *reason);
/* The watch on its process; NULL: there is none. Owned by the caller. */
VpPidwatch *vp_virt_life_dup_watch (VpVirt *self, const char *name);
void vp_virt_lives_reconcile (VpVirt *self, GPtrArray *domains);

/* vp-virt-pid.c */
/* Where libvirt's QEMU driver keeps its files about domains that run, as far as it
 * can be told; NULL: it has none on this host. */
char *vp_virt_dup_run_dir (VpVirt *self);
/* TRUE when @pid runs a hypervisor for a domain of the name @name; its UUID, if it
 * says that, goes to @ret_uuid (or NULL). */
gboolean vp_virt_pid_is_domain (pid_t pid, const char *name, char **ret_uuid);
/* Watches the hypervisor of a domain, which is certain to be that one. NULL:
 * unknown, gone, or on another host. */
VpPidwatch *vp_virt_watch_process (VpVirt *self, const char *domain_name);
/* TRUE when @pid is a virtiofsd that serves something in @directory. */
gboolean vp_virt_pid_is_helper (pid_t pid, const char *directory);
/* Whether it is a thread of the kernel, below @proc ("/proc"), that works for @hypervisor. */
gboolean vp_virt_pid_is_vhost (const char *proc, pid_t pid, pid_t hypervisor);
/* TRUE when @pid is the passt of a domain (NULL: of any of ours) of the libvirt that has
 * @run_dir, and there is no hypervisor that it is for. FALSE for a name that is too long
 * for libvirt to tell it from others: 20 characters. */
gboolean vp_virt_pid_is_idle_passt (pid_t pid, const char *run_dir, const char *domain_name);
/* Kills them. Returns how many. */
guint vp_virt_end_idle_passts (const char *run_dir, const char *domain_name);
/* Kills those of a domain that nobody ends any more: libvirt was killed after it had
 * started them and before there was a hypervisor. Returns how many. */
guint vp_virt_end_helpers (VpVirt *self, const char *domain_name);

/* Finishes when libvirt is done with what it is doing to a domain. It tells that a device
 * has gone before it has written that down, and if it ends between the two (with the daemon,
 * when it is embedded), it looks for the device when it is back, and ends the machine that
 * has it no more. So nobody is told before. */
void vp_virt_settle_async (VpVirt *self, const char *domain_name, GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_virt_settle_finish (VpVirt *self, GAsyncResult *result, GError **error);
