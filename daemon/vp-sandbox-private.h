/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-bucket.h"
#include "vp-console.h"
#include "vp-net-watch.h"
#include "vp-net.h"
#include "vp-sandbox.h"
#include "vp-steps.h"
#include "vp-waiters.h"

/* Shared by the files of the sandbox's verbs, by nobody else. */

/* How a record names the way to the agent. */
#define VP_SANDBOX_TRANSPORT_SERIAL "serial"
#define VP_SANDBOX_TRANSPORT_VSOCK "vsock"

/* What it has while it runs; made by the steps of its start, in their order. */
typedef struct
{
  VpPlan *plan;
  char *xml;
  char *share_dir;
  char *netns;   /* path of a network namespace of our making; NULL: there is none */
  VpNetJob *net; /* what the host does for its interfaces; NULL: nothing */
  char *cgroup;  /* that it is accounted in, of our making; NULL: where libvirt has put it */
  char *libvirts_cgroup; /* that it was moved out of; NULL: none */
  pid_t pid;
  VpConsole *console;
  VpAgentClient *agent;
  guint32 cid; /* on the vsock, if the agent is reached by it; 0: not known yet */
  gboolean domain_left; /* libvirt could not be asked to destroy it; it is before the record goes */
} VpSandboxMachine;

/* The end it is heading for, while starting or stopping. */
typedef struct
{
  GCancellable *cancellable; /* of the start, then of what is done while it is ready */
  char *why;                 /* the start was given up because… */
  int code;                  /* … as a VpError */
  gboolean graceful;         /* the guest is asked first */
  gboolean agreed;           /* and its agent said yes: there is nothing left to ask for */
  gint64 deadline;           /* …until then, monotonic microseconds */
  GCancellable *asking;      /* of what the guest is asked; NULL: nothing */
  VpSandboxState state;      /* state and reason at the end */
  const char *reason;
  VpWaiters *stop_waiters;   /* of stop calls */
} VpSandboxEnd;

typedef struct _VpSandboxDoor VpSandboxDoor;

struct _VpSandbox
{
  GObject parent;
  const VpServices *services;
  char *id;
  char *handler;
  VpConfig *config; /* of the handler; once planned, with the sandbox's annotations over it */
  char *network;    /* the model its maker wants; NULL: as configured */
  char *domain_name;
  char *uuid;
  GHashTable *labels;
  guint32 owner;
  VpSandboxState state;
  const char *exit_reason;
  guint exit_status; /* once it has ended: of its own container */
  gboolean changing; /* being paused or resumed */
  gboolean deleted;  /* nothing of it is left; calls that were under way find that out */
  gint64 created_at;
  gint64 started_at;
  gint64 exited_at;
  VpSpec *spec; /* of its own container, which may be gone: what the machine was made for */
  GPtrArray *containers;
  GHashTable *gone;          /* id of a container that went not long ago -> when (gint64, monotonic) */
  guint n_preparing;         /* containers that are being added while it runs */
  gboolean ends_when_prepared; /* its end waits for these */
  VpWaiters *waiters; /* of wait calls */
  VpSteps *steps;
  VpSandboxMachine machine;
  VpSandboxEnd end;
  struct
  {
    guint timer;
    GCancellable *cancellable;
    gboolean asking;
    guint64 bytes_in; /* from the agent, at the last beat */
  } heartbeat;
  struct
  {
    GQueue turns;    /* changes of its interfaces that wait for the one that is made */
    gboolean taken;  /* there is one */
    VpSteps *held;   /* the end of the sandbox, which waits for all of them; NULL: it does not */
    guint n_plugged; /* into ports that were left free for it */
    GHashTable *leaving; /* what libvirt calls interfaces whose guest was too slow to let go -> handle */
    guint settle_timer;  /* while libvirt is away in the middle of a change */
  } nics;
  struct
  {
    VpNetWatch *watch; /* of its network namespace; NULL: nobody looks */
    gboolean opening;
    gboolean looking, again;
    char *found; /* there, the last time */
  } watch;
  VpSandboxDoor *door; /* in its network namespace; NULL: it has none */
  VpBucket ooms; /* what the guest says of memory, told at this rate */
};

/* the steps that have files of their own */
void vp_sandbox_run_plan (gpointer owner, VpSteps *steps, GCancellable *cancellable);
/* Plans with what is found in the network namespace at @netns (NULL: in the one
 * the spec names, if any) and ends the step that is under way. */
void vp_sandbox_plan (VpSandbox *self, const char *netns);

/* ---- vp-sandbox-netns.c ---- */

/* Makes a namespace if the plan has one; the undo takes back what was set up there, too. */
void vp_sandbox_run_namespace (gpointer owner, VpSteps *steps, GCancellable *cancellable);
void vp_sandbox_undo_namespace (gpointer owner, VpSteps *steps);
/* Runs the hooks that set it up, if there are any, and plans with what is there then. */
void vp_sandbox_run_scan (gpointer owner, VpSteps *steps, GCancellable *cancellable);
/* Whether one is to be made, and where: below @directory, the sandbox's. */
void vp_sandbox_plan_namespace (VpSandbox *self, const char *directory);
/* To and from a record. */
void vp_sandbox_describe_namespace (VpSandbox *self, VpRecord *record);
void vp_sandbox_restore_namespace (VpSandbox *self, const VpRecord *record);

/* ---- vp-sandbox-cgroup.c ---- */

/* The control group of the sandbox's own container, which engines read: it is made before there
 * is a machine, and the undo removes it, with those of the other containers, after there was one. */
void vp_sandbox_run_cgroup (gpointer owner, VpSteps *steps, GCancellable *cancellable);
void vp_sandbox_undo_cgroup (gpointer owner, VpSteps *steps);
/* What is of the sandbox on the host goes there, which is worth having and not worth failing for.
 * Then the machine runs. */
void vp_sandbox_run_account (gpointer owner, VpSteps *steps, GCancellable *cancellable);
/* Which it is to be, as planned. */
void vp_sandbox_plan_cgroup (VpSandbox *self);
/* Gives another container the one of its spec if something stands for it on the host. */
void vp_sandbox_give_cgroup (VpSandbox *self, VpContainer *container);
/* To and from a record. */
void vp_sandbox_describe_cgroup (VpSandbox *self, VpRecord *record);
void vp_sandbox_restore_cgroup (VpSandbox *self, const VpRecord *record);

/* ---- vp-sandbox-network.c ---- */

/* Taps, before there is a machine; the undo takes away all that the network has on the host. */
void vp_sandbox_run_taps (gpointer owner, VpSteps *steps, GCancellable *cancellable);
void vp_sandbox_undo_taps (gpointer owner, VpSteps *steps);
/* Into the namespace, while the machine does not run yet. */
void vp_sandbox_run_connect (gpointer owner, VpSteps *steps, GCancellable *cancellable);
/* What the guest is told of its interfaces. */
void vp_sandbox_run_addresses (gpointer owner, VpSteps *steps, GCancellable *cancellable);

/* What the plan's interfaces mean for the host; @id: of the namespace that was looked at. */
void vp_sandbox_plan_network (VpSandbox *self, const VpNetNsId *id);
/* Whether the machine must not run before its interfaces, and itself, are where they belong. */
gboolean vp_sandbox_starts_paused (VpSandbox *self);
/* They are: it runs, if it did not, and the step that is under way is done. */
void vp_sandbox_run_machine (VpSandbox *self);
/* To and from a record. */
void vp_sandbox_describe_network (VpSandbox *self, VpRecord *record);
void vp_sandbox_restore_network (VpSandbox *self, const VpRecord *record);

/* How long a guest has at the least to find what was plugged in, or to let go of it. */
#define VP_SANDBOX_PLUG_MS 15000

/* ---- vp-sandbox-nics.c: interfaces of a machine that runs ---- */

/* Has @func called when no other change of its interfaces is being made: now or
 * later, also when the sandbox is ending. It ends its turn. ResourceExhausted:
 * too many wait. */
typedef void (*VpSandboxTurnFunc) (gpointer data);
gboolean vp_sandbox_take_turn (VpSandbox *self, VpSandboxTurnFunc func, gpointer data, GError **error);
void vp_sandbox_end_turn (VpSandbox *self);
/* FALSE: nothing is being changed. TRUE: the undo of the taps is called again when that is over. */
gboolean vp_sandbox_hold_end (VpSandbox *self, VpSteps *steps);

/* machine.net is what jobs on workers see, so it is replaced and not changed. */
void vp_sandbox_add_pair (VpSandbox *self, const VpNetNsId *id, const VpNetPair *pair);
void vp_sandbox_remove_pair (VpSandbox *self, const char *tap);
/* Whether it is being plugged in or out goes to the record: what is, when a daemon
 * ends, the next one takes out (vp_sandbox_settle_nics). TRUE for none of that name. */
gboolean vp_sandbox_mark_pair (VpSandbox *self, const char *tap, gboolean changing, GError **error);
/* NULL: there is none. Borrowed until the next change. */
const VpNetPair *vp_sandbox_find_nic (VpSandbox *self, const char *handle);
const VpNetPair *vp_sandbox_find_pair_of (VpSandbox *self, const char *device);
/* A tap's name that is free, and the handle that goes with it. */
char *vp_sandbox_dup_free_tap (VpSandbox *self);
char *vp_sandbox_nic_handle (const VpNetPair *pair);
/* A job about one pair alone, on a worker by any of the functions of a model. */
VpNetJob *vp_sandbox_new_nic_job (VpSandbox *self, const VpNetNsId *id, const VpNetPair *pair);

/* Looks at the namespace that the sandbox was started with: the network that is found
 * there (the caller's) and which one it is. NotSupported: it has none that is looked at. */
void vp_sandbox_look_async (VpSandbox *self, GAsyncReadyCallback callback, gpointer user_data);
VpNetwork *vp_sandbox_look_finish (VpSandbox *self, GAsyncResult *result, VpNetNsId *ret_id, GError **error);

/* Takes away what @job has on the host. */
void vp_sandbox_remove_nic_job_async (VpSandbox *self, VpNetJob *job, GAsyncReadyCallback callback,
                                      gpointer user_data);
gboolean vp_sandbox_remove_nic_job_finish (VpSandbox *self, GAsyncResult *result, GError **error);

/* Has the guest let go of a tap and waits until it has. Success too when the machine
 * has no such interface (any more). TimedOut, Busy (the guest says no), Cancelled
 * when the sandbox ends. */
void vp_sandbox_unplug_async (VpSandbox *self, const char *handle, const char *tap, guint timeout_ms,
                              GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_sandbox_unplug_finish (VpSandbox *self, GAsyncResult *result, GError **error);

/* While it is ready: takes out what was being plugged in or out when the daemon before
 * ended, or libvirt, each when its turn comes. */
void vp_sandbox_settle_nics (VpSandbox *self);
/* The same as soon as there is a libvirt again. */
void vp_sandbox_settle_nics_later (VpSandbox *self);

/* Tells the guest what @network says of the interfaces that it has: of @device, or
 * (NULL) of all of them, then all routes and neighbours. */
void vp_sandbox_tell_network_async (VpSandbox *self, const VpNetwork *network, const char *device,
                                    GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_sandbox_tell_network_finish (VpSandbox *self, GAsyncResult *result, GError **error);

/* Begins to watch the namespace, or ends it, as its state and the configuration say. */
void vp_sandbox_watch_network (VpSandbox *self);

/* ---- vp-sandbox-door.c ---- */

/* Begins to lead who is in the namespace to the guest's ports, if there is a namespace and the
 * configuration says so. Worth having, not worth failing for: it cannot fail. */
void vp_sandbox_open_door_async (VpSandbox *self, GAsyncReadyCallback callback, gpointer user_data);
void vp_sandbox_open_door_finish (VpSandbox *self, GAsyncResult *result);
/* Ends it, and every connection; one that is being opened does not open. */
void vp_sandbox_close_door (VpSandbox *self);
/* The step, and its undo. */
void vp_sandbox_run_door (gpointer owner, VpSteps *steps, GCancellable *cancellable);
void vp_sandbox_undo_door (gpointer owner, VpSteps *steps);

extern const VpStep vp_sandbox_steps[];
extern const gsize vp_sandbox_n_steps;

/* The one place where the state changes: logs, records, notifies, and in an end
 * state answers who waits. */
void vp_sandbox_set_state (VpSandbox *self, VpSandboxState state);
void vp_sandbox_changed (VpSandbox *self);

/* Asks the agent now and then whether it is there, while the sandbox is ready. */
void vp_sandbox_heartbeat_start (VpSandbox *self);
void vp_sandbox_heartbeat_stop (VpSandbox *self);

/* FALSE and NotFound when it was deleted: a call may arrive after that. */
gboolean vp_sandbox_check_exists (VpSandbox *self, VpVerb verb, GError **error);

/* ---- vp-sandbox-record.c ---- */

/* Writes what the sandbox is and may have on the host: the one place that writes a record. */
gboolean vp_sandbox_save (VpSandbox *self, GError **error);
/* Writes the spec of a new container beside it. */
gboolean vp_sandbox_save_spec (VpSandbox *self, VpContainer *container, GError **error);
/* VpContainerRecordFunc of its containers; @user_data is the sandbox. */
gboolean vp_sandbox_record_func (gpointer user_data, GError **error);

/* Takes @container. */
void vp_sandbox_take_container (VpSandbox *self, VpContainer *container);

/* What the plan says, without starting anything: NULL when it has no console. */
VpConsole *vp_sandbox_new_console (VpSandbox *self);
/* Makes machine.agent, not open, and listens to its end. It will speak over the
 * connection of an earlier daemon if one was kept. */
void vp_sandbox_new_agent (VpSandbox *self);

/* The agent is open: the connection is kept for the next daemon, if anybody keeps it. */
void vp_sandbox_keep_agent (VpSandbox *self);

/* The step that opens it, and its undo. */
void vp_sandbox_run_agent (gpointer owner, VpSteps *steps, GCancellable *cancellable);
void vp_sandbox_undo_agent (gpointer owner, VpSteps *steps);

/* Where it is heading for; see VpSandboxEnd. @grace_ms 0: as configured. */
void vp_sandbox_aim_at (VpSandbox *self, VpSandboxState state, const char *reason, gboolean graceful, guint grace_ms);

/* Ends what the guest is being asked for the sake of a graceful end. */
void vp_sandbox_stop_asking (VpSandbox *self);

/* The undo of the step that prepared containers, when none is being prepared. */
void vp_sandbox_end_containers (VpSandbox *self);

/* What is left of the grace, in ms; at least a moment, as 0 is for ever. */
guint vp_sandbox_grace_left_ms (VpSandbox *self);

/* The last of n_preparing is done, one way or the other. */
void vp_sandbox_all_prepared (VpSandbox *self);

/* Has libvirt ask the guest to turn itself off; finishes when its domain has
 * stopped, when it cannot be asked, when the grace is over or the asking is ended. */
void vp_sandbox_shutdown_async (VpSandbox *self, guint grace_ms, GAsyncReadyCallback callback, gpointer user_data);
void vp_sandbox_shutdown_finish (VpSandbox *self, GAsyncResult *result);

/* What its hooks run with. */
void vp_sandbox_give_hooks (VpSandbox *self, VpContainer *container);

/* Time and entropy for a guest that has booted or stood still; in the background. */
void vp_sandbox_refresh_guest (VpSandbox *self);
/* From now on the agent is asked who runs out of memory, as long as it is there. */
void vp_sandbox_watch_oom (VpSandbox *self);

/* Prepares @container in the machine, with what the sandbox gives it for that. */
void vp_sandbox_prepare_container (VpSandbox *self, VpContainer *container, VpContainerPlan *plan,
                                   GAsyncReadyCallback callback, gpointer user_data);

void vp_sandbox_drop_container (VpSandbox *self, VpContainer *container);

/* There is no other: the sandbox is to be deleted rather than be left without. */
gboolean vp_sandbox_is_last (VpSandbox *self, VpContainer *container);

/* Starts to end: unwinds the steps, then enters end.state with end.reason. */
void vp_sandbox_begin_end (VpSandbox *self);
