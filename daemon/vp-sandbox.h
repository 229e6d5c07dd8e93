/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "vp-config.h"
#include "vp-container.h"
#include "vp-plan.h"
#include "vp-record.h"
#include "vp-store.h"
#include "vp-virt.h"
#include "vp-worker.h"

/* A virtual machine and the containers in it: identity, state, and the order in
 * which things are done and undone. What to run is in its plan; who runs it are
 * the services.
 *
 * Main thread. Signals:
 *   "changed" ()                      any property is new
 *   "container-added" (VpContainer*)
 *   "container-removed" (VpContainer*)
 *   "oom" (VpContainer*)              the guest's kernel has killed in it for lack of memory
 *   "device-removed" (const char *handle, gboolean ok)
 *                                     what was to be plugged out has gone, or stays
 *   "deleted" ()                      nothing of it is left on the host; forget it */
#define VP_TYPE_SANDBOX (vp_sandbox_get_type ())
G_DECLARE_FINAL_TYPE (VpSandbox, vp_sandbox, VP, SANDBOX, GObject)

/* What sandboxes work with. Owned by the composition root, outlives them all. */
typedef struct
{
  VpVirt *virt;
  VpStore *store;
  VpConfig *config;
  VpWorker *worker;
  VpWorker *hooks; /* threads for hooks of bundles; NULL: none is run */
} VpServices;

typedef struct
{
  const char *name;
  gint64 usec;
} VpSandboxStage;

/* In state creating, with nothing on disk. @config is what is in force for
 * @handler; it and @labels (string to string) are referenced. */
VpSandbox *vp_sandbox_new (const VpServices *services, const char *id, const char *handler, VpConfig *config,
                           GHashTable *labels);

/* Writes the record and adds the first container, whose id is the sandbox's;
 * takes @streams. creating -> created. Errors leave nothing behind. */
gboolean vp_sandbox_create (VpSandbox *self, VpSpec *spec, VpStreams *streams, VpMountNs *mount_ns, GError **error);

/* ---- over a restart of the daemon (vp-sandbox-restore.c) ---- */

/* As the record says; nothing is done yet. @config: what is in force for its
 * handler now. InvalidArgument: a record that makes no sense. Reads specs. */
VpSandbox *vp_sandbox_restore (const VpServices *services, const VpRecord *record, VpConfig *config, GError **error);

/* What libvirt has of its domain. */
typedef enum
{
  VP_SANDBOX_GONE,
  VP_SANDBOX_AWAKE,
  VP_SANDBOX_ASLEEP, /* its CPUs are stopped */
} VpSandboxLife;

/* Goes on where the record (taken) ends: a ready or paused one whose domain is
 * there is adopted, an ended one only stands; whatever else is there is
 * undone by the steps' undos. Finishes when the sandbox is in a state in which it
 * can stay; cannot fail. Once, right after it has become known to the manager. */
void vp_sandbox_recover_async (VpSandbox *self, VpRecord *record, VpSandboxLife life, GAsyncReadyCallback callback,
                               gpointer user_data);
void vp_sandbox_recover_finish (VpSandbox *self, GAsyncResult *result);

/* The user who made it, 0 by default: set before vp_sandbox_create (). */
void vp_sandbox_set_owner (VpSandbox *self, guint32 uid);
guint32 vp_sandbox_get_owner (VpSandbox *self);

/* network.model of this one, over what is configured; before vp_sandbox_create (). InvalidArgument. */
gboolean vp_sandbox_set_network_model (VpSandbox *self, const char *model, GError **error);

const char *vp_sandbox_get_id (VpSandbox *self);
const char *vp_sandbox_get_handler (VpSandbox *self);
const char *vp_sandbox_get_domain_name (VpSandbox *self);
const char *vp_sandbox_get_uuid (VpSandbox *self);
GHashTable *vp_sandbox_get_labels (VpSandbox *self);
VpSandboxState vp_sandbox_get_state (VpSandbox *self);
const char *vp_sandbox_get_exit_reason (VpSandbox *self);
const char *vp_sandbox_get_agent_state (VpSandbox *self);
pid_t vp_sandbox_get_hypervisor_pid (VpSandbox *self);
gint64 vp_sandbox_get_created_at (VpSandbox *self);
gint64 vp_sandbox_get_started_at (VpSandbox *self);
gint64 vp_sandbox_get_exited_at (VpSandbox *self);
guint vp_sandbox_get_exit_status (VpSandbox *self); /* once it has ended: of its own container */
const VpPlan *vp_sandbox_get_plan (VpSandbox *self); /* NULL before it was planned */
const char *vp_sandbox_get_xml (VpSandbox *self);    /* NULL before it was planned */
/* Path of the network namespace its interfaces are in: the spec's, or one made for
 * it while it has a machine; NULL: none. */
const char *vp_sandbox_get_network_namespace (VpSandbox *self);
/* Stages of the last start that were done, in order; returns how many. */
gsize vp_sandbox_get_stages (VpSandbox *self, VpSandboxStage *stages, gsize max);
gsize vp_sandbox_get_n_stages (VpSandbox *self); /* of a whole start */

/* Of its own container, which has its id and may be gone before the others. Borrowed. */
VpSpec *vp_sandbox_get_spec (VpSandbox *self);

/* In order of creation. Borrowed. */
GPtrArray *vp_sandbox_get_containers (VpSandbox *self);
VpContainer *vp_sandbox_find_container (VpSandbox *self, const char *id);

/* InvalidState naming @verb and the state unless the table (vp-states.h) allows it; NotFound when it was deleted. */
gboolean vp_sandbox_check_verb (VpSandbox *self, VpVerb verb, GError **error);

/* created -> starting -> ready, or failed with everything undone.
 * @timeout_ms: for the whole start, 0: only the deadlines of its steps. */
void vp_sandbox_start_async (VpSandbox *self, guint timeout_ms, GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_sandbox_start_finish (VpSandbox *self, GAsyncResult *result, GError **error);

/* -> stopping -> stopped. Cancels a start that is under way. Success when it has
 * ended already. @force: the guest is not asked. @grace_ms 0: as configured. */
void vp_sandbox_stop_async (VpSandbox *self, guint grace_ms, gboolean force, GAsyncReadyCallback callback,
                            gpointer user_data);
gboolean vp_sandbox_stop_finish (VpSandbox *self, GAsyncResult *result, GError **error);

/* Removes everything; "deleted" is emitted before it finishes. */
void vp_sandbox_delete_async (VpSandbox *self, gboolean force, GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_sandbox_delete_finish (VpSandbox *self, GAsyncResult *result, GError **error);

/* Finishes when it has ended, with its own container's status. */
void vp_sandbox_wait_async (VpSandbox *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data);
gboolean vp_sandbox_wait_finish (VpSandbox *self, GAsyncResult *result, guint *ret_status, gint64 *ret_exited_at,
                                 GError **error);

/* Takes @streams. In a ready sandbox the container is prepared in the guest
 * before this finishes. Returns it borrowed. */
void vp_sandbox_add_container_async (VpSandbox *self, const char *id, VpSpec *spec, VpStreams *streams,
                                     VpMountNs *mount_ns, GAsyncReadyCallback callback, gpointer user_data);
VpContainer *vp_sandbox_add_container_finish (VpSandbox *self, GAsyncResult *result, GError **error);

/* Removing the last container deletes the sandbox. */
void vp_sandbox_remove_container_async (VpSandbox *self, VpContainer *container, gboolean force,
                                        GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_sandbox_remove_container_finish (VpSandbox *self, GAsyncResult *result, GError **error);

/* ready -> paused -> ready: the processors of the machine stand still. */
void vp_sandbox_pause_async (VpSandbox *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_sandbox_pause_finish (VpSandbox *self, GAsyncResult *result, GError **error);
void vp_sandbox_resume_async (VpSandbox *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_sandbox_resume_finish (VpSandbox *self, GAsyncResult *result, GError **error);

typedef struct
{
  gboolean vcpus_set, memory_set;
  guint vcpus;
  guint64 memory; /* bytes */
} VpSandboxSize;

/* NotSupported for another size than it has. */
gboolean vp_sandbox_update (VpSandbox *self, const VpSandboxSize *size, GError **error);

/* a{sv} as Sandbox1.GetStats () gives it; @ret_containers (may be NULL): a{sv}
 * from container id to its own. The caller owns both. */
void vp_sandbox_stats_async (VpSandbox *self, GAsyncReadyCallback callback, gpointer user_data);
GVariant *vp_sandbox_stats_finish (VpSandbox *self, GAsyncResult *result, GVariant **ret_containers, GError **error);

/* Prometheus text; the caller owns it. */
void vp_sandbox_metrics_async (VpSandbox *self, GAsyncReadyCallback callback, gpointer user_data);
char *vp_sandbox_metrics_finish (VpSandbox *self, GAsyncResult *result, GError **error);

/* The rules of the guest's packet filter, IPv4's or IPv6's: @rules NULL asks for them, as
 * iptables-save says them; else they are set, as iptables-restore takes them, and what it
 * says to that is the answer, the caller's. InvalidArgument: they are no rules.
 * NotSupported: neither the guest nor the host has iptables for it. */
void vp_sandbox_iptables_async (VpSandbox *self, gboolean ipv6, const char *rules, GAsyncReadyCallback callback,
                                gpointer user_data);
char *vp_sandbox_iptables_finish (VpSandbox *self, GAsyncResult *result, GError **error);

/* As vp_console_open (), and InvalidState before it was ever started. */
int vp_sandbox_open_console (VpSandbox *self, gboolean follow, guint64 tail_bytes, GError **error);

/* The agent of a ready sandbox, borrowed; InvalidState naming @verb otherwise. */
VpAgentClient *vp_sandbox_get_agent (VpSandbox *self, VpVerb verb, GError **error);

/* Plugs the interface @device of the sandbox's network namespace into the machine
 * that runs and tells the guest what it is. Changes of interfaces are made one
 * after the other. Returns its handle, "nic2". A failure has undone it. NotFound (no
 * namespace, no such interface), AlreadyExists (the guest has it, or somebody else
 * redirects it), ResourceExhausted (no port, no turn), NotSupported,
 * HypervisorFailed, AgentFailed... */
void vp_sandbox_attach_nic_async (VpSandbox *self, const char *device, GAsyncReadyCallback callback,
                                  gpointer user_data);
char *vp_sandbox_attach_nic_finish (VpSandbox *self, GAsyncResult *result, GError **error);

/* Takes one away, also one that it was started with. @timeout_ms: for the guest to
 * let go, 0: as configured; one that it lets go of later goes then. NotFound, TimedOut, Busy. */
void vp_sandbox_detach_nic_async (VpSandbox *self, const char *handle, guint timeout_ms,
                                  GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_sandbox_detach_nic_finish (VpSandbox *self, GAsyncResult *result, GError **error);

/* Gives the guest what a start would give it now, of the namespace: handles of what
 * was plugged in and taken out (strvs, the caller's), and tells it what all of them
 * are. The error is the first of several; what could be done is done. */
void vp_sandbox_rescan_async (VpSandbox *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_sandbox_rescan_finish (VpSandbox *self, GAsyncResult *result, char ***ret_attached, char ***ret_detached,
                                   GError **error);

/* Interfaces that are connected to the namespace: the @i-th one's handle (the
 * caller's), tap and interface there (borrowed). FALSE: there are not as many. */
gboolean vp_sandbox_get_nic (VpSandbox *self, guint i, char **ret_handle, const char **ret_tap,
                             const char **ret_device);
guint vp_sandbox_get_n_plugged (VpSandbox *self);

/* As vp_container_connect_async (): a port of the guest's loopback device. */
void vp_sandbox_forward_async (VpSandbox *self, guint16 port, GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
int vp_sandbox_forward_finish (VpSandbox *self, GAsyncResult *result, GError **error);

/* Its hypervisor is gone, as libvirt says (see VpVirt "domain-stopped"). */
void vp_sandbox_domain_stopped (VpSandbox *self, const char *reason);
