/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "vp-agent-client.h"
#include "vp-container-plan.h"
#include "vp-mount-ns.h"
#include "vp-process.h"
#include "vp-record.h"
#include "vp-worker.h"

/* A container: its spec, its part of the share, its first process and the
 * further ones. It does not know its sandbox; what it needs of it (agent, share,
 * plan) is given to its verbs.
 *
 * States are OCI's: creating (the guest does not have it yet), created, running,
 * stopped; and paused. What each verb needs is in the table of vp-states.h.
 *
 * Main thread. Signals: "changed" (), "process-added" (VpProcess *),
 * "process-removed" (VpProcess *), "exited" (VpProcess *). */
#define VP_TYPE_CONTAINER (vp_container_get_type ())
G_DECLARE_FINAL_TYPE (VpContainer, vp_container, VP, CONTAINER, GObject)

/* How long a request to the agent may take; set once by the composition root. */
void vp_container_set_request_timeout (guint timeout_ms);
guint vp_container_get_request_timeout (void);

/* Takes @streams (may be NULL): what the first process will use. */
VpContainer *vp_container_new (const char *sandbox_id, const char *id, VpSpec *spec, VpStreams *streams);

/* Where the paths of its spec are; without it, or NULL: here. Before it is recorded. */
void vp_container_set_mount_ns (VpContainer *self, VpMountNs *mount_ns);

/* Keeps the record of what it is (vp_container_describe ()): called before the
 * container has something done that a restarted daemon must know of, which is not
 * done when FALSE is returned, and after every change. */
typedef gboolean (*VpContainerRecordFunc) (gpointer user_data, GError **error);
void vp_container_set_record_func (VpContainer *self, VpContainerRecordFunc func, gpointer user_data);

/* ---- over a restart of the daemon (vp-container-restore.c) ---- */

/* States in a record are those of the container, and what was under way. */
#define VP_CONTAINER_RECORD_STARTING "starting"
#define VP_CONTAINER_RECORD_REMOVING "removing"

void vp_container_describe (VpContainer *self, VpRecord *record);

/* As the record says. One that was not made in the guest gets @spec's streams
 * again; of others nothing flows before _go_on. InvalidArgument: words that
 * are not known. */
VpContainer *vp_container_restore (const char *sandbox_id, const VpRecordContainer *record, VpSpec *spec,
                                   GError **error);

/* Gives a restored container what prepare would have given it; @agent need not be
 * open yet, and is NULL when there is no guest any more. A stream that cannot be opened again is kept
 * buffered, that is only logged. */
void vp_container_reconnect (VpContainer *self, VpContainerPlan *plan, const char *share_dir, VpAgentClient *agent,
                             VpWorker *worker);

/* The agent answers again: what was under way is finished or undone, output
 * flows, ends are waited for. */
void vp_container_go_on_async (VpContainer *self, const VpRecordContainer *record, GAsyncReadyCallback callback,
                               gpointer user_data);
/* FALSE: it must be removed (its making or removal was under way). */
gboolean vp_container_go_on_finish (VpContainer *self, GAsyncResult *result);

const char *vp_container_get_id (VpContainer *self);
VpSpec *vp_container_get_spec (VpContainer *self);
VpContainerState vp_container_get_state (VpContainer *self);

/* Its sandbox says so at every change, and when it takes the container in: some verbs depend on it. */
void vp_container_set_sandbox_state (VpContainer *self, VpSandboxState state);

VpProcess *vp_container_get_init (VpContainer *self);
gint64 vp_container_get_created_at (VpContainer *self);
gint64 vp_container_get_started_at (VpContainer *self);

/* NULL when there is none; "" is the first process. Borrowed. */
VpProcess *vp_container_find_process (VpContainer *self, const char *exec_id);

/* Further processes that are known, in no order; transfer container. */
GList *vp_container_list_execs (VpContainer *self);

/* Not before @when, of the monotonic clock, is its part of the host made. */
void vp_container_set_not_before (VpContainer *self, gint64 when);

/* How long the guest may take to make it; 0, the default: as any request. */
void vp_container_set_create_timeout (VpContainer *self, guint timeout_ms);

/* What the hooks of its bundle run with (vp-hook.h). Without it none is run. */
typedef struct
{
  VpWorker *worker; /* of its own: a hook may take its time */
  pid_t pid;        /* of the hypervisor, which is what the host sees of the container; 0: it does not run yet */
  const char *netns; /* path of the sandbox's network namespace, for a spec that names none; NULL: there is none */
  guint timeout_ms; /* for those that do not say */
} VpContainerHooks;

void vp_container_set_hooks (VpContainer *self, const VpContainerHooks *with);

/* Runs those of its creation ahead of prepare, which then does not: they set up
 * what the machine is made for. When one fails those of the end have run, too. */
void vp_container_run_create_hooks_async (VpContainer *self, VpContainerPlan *plan, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_container_run_create_hooks_finish (VpContainer *self, GAsyncResult *result, GError **error);

/* Runs its poststop hooks, if they are due; once. After it was deleted. Cannot
 * fail: what they fail at is logged. */
void vp_container_end_hooks_async (VpContainer *self, GAsyncReadyCallback callback, gpointer user_data);
void vp_container_end_hooks_finish (VpContainer *self, GAsyncResult *result);

/* Makes the host files visible in @share_dir and the container in the guest:
 * creating -> created. A failure leaves nothing of it on either side. */
void vp_container_prepare_async (VpContainer *self, VpContainerPlan *plan, const char *share_dir, VpAgentClient *agent,
                                 VpWorker *worker, GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data);
gboolean vp_container_prepare_finish (VpContainer *self, GAsyncResult *result, GError **error);

/* created -> running */
void vp_container_start_async (VpContainer *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_container_start_finish (VpContainer *self, GAsyncResult *result, GError **error);

/* created or running; a created one is ended by any signal that would end a process */
void vp_container_kill_async (VpContainer *self, int signum, gboolean all, GAsyncReadyCallback callback,
                              gpointer user_data);
gboolean vp_container_kill_finish (VpContainer *self, GAsyncResult *result, GError **error);

typedef enum {
  VP_EXEC_NONE = 0,
  VP_EXEC_HOLD = 1 << 0,   /* only known here until vp_container_start_exec_async () */
  VP_EXEC_DETACH = 1 << 1, /* nobody comes for its status; streams that are not set are /dev/null */
} VpExecFlags;

/* Starts a further process; takes @streams (may be NULL). @exec_id "": one is
 * chosen. @process: a complete process object, see vp_spec_make_exec () and
 * vp_spec_parse_exec (). The returned process is running (or held) and borrowed. */
void vp_container_exec_async (VpContainer *self, const char *exec_id, VpJson *process, VpExecFlags flags,
                              VpStreams *streams, GAsyncReadyCallback callback, gpointer user_data);
VpProcess *vp_container_exec_finish (VpContainer *self, GAsyncResult *result, GError **error);

/* One that was held. After a failure it is still held. */
void vp_container_start_exec_async (VpContainer *self, VpProcess *process, GAsyncReadyCallback callback,
                                    gpointer user_data);
gboolean vp_container_start_exec_finish (VpContainer *self, GAsyncResult *result, GError **error);

/* Forgets an exec that is held or has stopped. */
gboolean vp_container_delete_exec (VpContainer *self, VpProcess *process, GError **error);

/* running -> paused -> running; vp_container_pause_finish () ends both */
void vp_container_pause_async (VpContainer *self, GAsyncReadyCallback callback, gpointer user_data);
void vp_container_resume_async (VpContainer *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_container_pause_finish (VpContainer *self, GAsyncResult *result, GError **error);

/* @resources: text of a linux.resources object. */
void vp_container_update_async (VpContainer *self, const char *resources, GAsyncReadyCallback callback,
                                gpointer user_data);
gboolean vp_container_update_finish (VpContainer *self, GAsyncResult *result, GError **error);

/* a{sv} as Container1.GetStats () gives it; the caller owns it. */
void vp_container_stats_async (VpContainer *self, GAsyncReadyCallback callback, gpointer user_data);
GVariant *vp_container_stats_finish (VpContainer *self, GAsyncResult *result, GError **error);

/* Array of guint32, as the guest numbers them; the caller owns it. */
void vp_container_list_pids_async (VpContainer *self, GAsyncReadyCallback callback, gpointer user_data);
GArray *vp_container_list_pids_finish (VpContainer *self, GAsyncResult *result, GError **error);

/* The guest's kernel has killed in it for lack of memory. */
void vp_container_note_oom (VpContainer *self);
gboolean vp_container_get_oom_killed (VpContainer *self);

/* The control group of the host for what stands for it there: made with its mounts, and removed
 * with them or by its sandbox. NULL: it has none. */
void vp_container_set_cgroup (VpContainer *self, const char *path);
const char *vp_container_get_cgroup (VpContainer *self);

/* Takes a container out of the guest, killing what still runs, and its files out
 * of the share. With @guest_gone (the machine has ended) the guest is not asked.
 * Cannot fail: what the guest refuses to give up ends with its machine. */
void vp_container_discard_async (VpContainer *self, gboolean guest_gone, GAsyncReadyCallback callback,
                                 gpointer user_data);
void vp_container_discard_finish (VpContainer *self, GAsyncResult *result);

/* Its machine is gone: stopped, every process that ran has VP_STATUS_LOST. */
void vp_container_lose (VpContainer *self);

/* InvalidState while it is being prepared or discarded: the two would undo each other's work. */
gboolean vp_container_check_settled (VpContainer *self, VpVerb verb, GError **error);

/* InvalidState naming @verb and the state unless the table allows it. */
gboolean vp_container_check_verb (VpContainer *self, VpVerb verb, GError **error);
