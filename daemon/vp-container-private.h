/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-container.h"
#include "vp-hook.h"

/* Shared by the files of the container's verbs, by nobody else. */
struct _VpContainer
{
  GObject parent;
  char *sandbox_id;
  char *id;
  VpSpec *spec;
  VpContainerPlan *plan; /* from prepare on */
  VpPlace *place; /* its state and its sandbox's */
  guint create_timeout_ms; /* 0: the request timeout */
  gint64 not_before;       /* monotonic: when its part of the host may be made; 0: at once */
  gint64 created_at;
  gint64 started_at;
  gboolean starting;
  gboolean changing; /* being paused or resumed */
  gboolean oom_killed;
  guint n_copies; /* of files, under way */
  guint n_connections; /* to ports of the guest, likewise */
  gboolean preparing;
  gboolean discarding;
  gboolean create_hooks_ran;
  gboolean hooked; /* hooks have begun to run for it: those for its end are due */
  GCancellable *hooks; /* of those that run beside its life; NULL: none */
  VpStreams *streams; /* until prepare takes them */
  gboolean foreign_paths; /* of its spec: they mean something in another mount namespace only */
  VpMountNs *mount_ns;    /* that one, until its files are in the share; NULL: it is done with, or went with a daemon */
  VpProcess *init;
  GHashTable *execs;  /* exec id -> VpProcess */
  GHashTable *coming; /* the same, of those that the guest is being asked for */

  /* borrowed abilities, from prepare on */
  char *share_dir;
  char *cgroup; /* of the host, for what stands for it there; NULL: none */
  VpAgentClient *agent;
  VpWorker *worker;
  VpContainerHooks with; /* for its hooks */
  char *netns;           /* with.netns */

  VpContainerRecordFunc record_func; /* NULL: nobody keeps a record */
  gpointer record_data;
};

/* Has it written down what the container is now; before what it is about to do,
 * and after what has happened to it. */
gboolean vp_container_record (VpContainer *self, GError **error);
/* The same when there is nothing to be done about a failure but say it. */
void vp_container_note (VpContainer *self);

/* Where it is to run, and by what: a sandbox that starts or was found again. */
void vp_container_take_place (VpContainer *self, VpContainerPlan *plan, const char *share_dir, VpAgentClient *agent,
                              VpWorker *worker);

/* Makes a further process known, and looks to its end. Takes @process. */
void vp_container_take_exec (VpContainer *self, VpProcess *process);
/* An ended one is kept for a while from now. */
void vp_container_forget_later (VpContainer *self, VpProcess *process);

/* The one place where the state changes: logs and notifies. */
void vp_container_set_state (VpContainer *self, VpContainerState state);
void vp_container_emit_process (VpContainer *self, VpProcess *process, gboolean added);
void vp_container_emit_exited (VpContainer *self, VpProcess *process);

/* Runs the hooks that belong to a point of its life, one after the other, in the
 * order of the specification. At CREATE the first that fails ends it and is the
 * error; at the other points failures are logged and it never fails. */
typedef enum
{
  VP_CONTAINER_HOOKS_CREATE,
  VP_CONTAINER_HOOKS_STARTED,
  VP_CONTAINER_HOOKS_STOPPED,
} VpContainerHookPoint;

void vp_container_run_hooks_async (VpContainer *self, VpContainerHookPoint point, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_container_run_hooks_finish (VpContainer *self, GAsyncResult *result, GError **error);

/* The guest's runtime does not always say which program it could not run. */
void vp_container_name_program (GError *error, const char *program);
