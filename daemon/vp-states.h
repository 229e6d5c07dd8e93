/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* What may be done with a sandbox, a container and a process in which state, and
 * which state follows which: the one table of the daemon. Every verb asks it
 * before it does anything, and docs/states.md shows it.
 *
 * Pure. A refusal is InvalidState, "VERB NOUN "ID": it is STATE". */

typedef enum {
  VP_SANDBOX_CREATING,
  VP_SANDBOX_CREATED,
  VP_SANDBOX_STARTING,
  VP_SANDBOX_READY,
  VP_SANDBOX_PAUSED,
  VP_SANDBOX_STOPPING,
  VP_SANDBOX_STOPPED,
  VP_SANDBOX_FAILED,
  VP_SANDBOX_LOST,
  VP_N_SANDBOX_STATES
} VpSandboxState;

/* OCI's, and paused. */
typedef enum {
  VP_CONTAINER_CREATING,
  VP_CONTAINER_CREATED,
  VP_CONTAINER_RUNNING,
  VP_CONTAINER_PAUSED,
  VP_CONTAINER_STOPPED,
  VP_N_CONTAINER_STATES
} VpContainerState;

typedef enum {
  VP_PROCESS_CREATED,
  VP_PROCESS_RUNNING,
  VP_PROCESS_STOPPED,
  VP_N_PROCESS_STATES
} VpProcessState;

const char *vp_sandbox_state_to_string (VpSandboxState state);
const char *vp_container_state_to_string (VpContainerState state);
const char *vp_process_state_to_string (VpProcessState state);

typedef enum {
  VP_NOUN_SANDBOX,
  VP_NOUN_CONTAINER,
  VP_NOUN_PROCESS,
  VP_N_NOUNS
} VpNoun;

typedef enum {
  VP_VERB_SANDBOX_START,
  VP_VERB_SANDBOX_STOP,
  VP_VERB_SANDBOX_DELETE,
  VP_VERB_SANDBOX_WAIT,
  VP_VERB_SANDBOX_PAUSE,
  VP_VERB_SANDBOX_RESUME,
  VP_VERB_SANDBOX_UPDATE,
  VP_VERB_SANDBOX_ADD_CONTAINER,
  VP_VERB_SANDBOX_PING,
  VP_VERB_SANDBOX_DETAILS,
  VP_VERB_SANDBOX_STATS,
  VP_VERB_SANDBOX_METRICS,
  VP_VERB_SANDBOX_CONSOLE,
  VP_VERB_SANDBOX_DEVICES,
  VP_VERB_SANDBOX_SET_NETWORK,
  VP_VERB_SANDBOX_LIST_NETWORK,
  VP_VERB_SANDBOX_FORWARD,
  VP_VERB_SANDBOX_ATTACH,
  VP_VERB_SANDBOX_DETACH,
  VP_VERB_SANDBOX_RESCAN,
  VP_VERB_SANDBOX_LIVE_XML,

  VP_VERB_CONTAINER_PREPARE,
  VP_VERB_CONTAINER_START,
  VP_VERB_CONTAINER_KILL,
  VP_VERB_CONTAINER_WAIT,
  VP_VERB_CONTAINER_DELETE,
  VP_VERB_CONTAINER_PAUSE,
  VP_VERB_CONTAINER_RESUME,
  VP_VERB_CONTAINER_UPDATE,
  VP_VERB_CONTAINER_EXEC,
  VP_VERB_CONTAINER_ATTACH,
  VP_VERB_CONTAINER_STATS,
  VP_VERB_CONTAINER_PIDS,
  VP_VERB_CONTAINER_COPY,

  /* of an exec; a container's first process has its container's start and delete */
  VP_VERB_PROCESS_START,
  VP_VERB_PROCESS_KILL,
  VP_VERB_PROCESS_WAIT,
  VP_VERB_PROCESS_DELETE,
  VP_VERB_PROCESS_RESIZE,
  VP_VERB_PROCESS_CLOSE_STDIN,
  VP_N_VERBS
} VpVerb;

/* Where a container or process is: the states of what it is in. A container has
 * one, its sandbox and itself keep it true, its processes share it. */
typedef struct
{
  VpSandboxState sandbox;
  VpContainerState container;
} VpPlace;

VpPlace *vp_place_new (void);
VpPlace *vp_place_ref (VpPlace *place);
void vp_place_unref (VpPlace *place);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpPlace, vp_place_unref)

/* "pause", "create a container in": the verb as messages have it. */
const char *vp_verb_to_string (VpVerb verb);

/* FALSE and an error unless the table allows it. */
gboolean vp_states_check_sandbox (VpVerb verb, const char *id, VpSandboxState state, GError **error);
gboolean vp_states_check_container (VpVerb verb, const char *id, const VpPlace *place, GError **error);
/* @first: the container's first process; @id is the container's then, else the exec id. */
gboolean vp_states_check_process (VpVerb verb, const char *id, gboolean first, VpProcessState state,
                                  const VpPlace *place, GError **error);

/* Whether @to may follow @from; states of @noun. */
gboolean vp_states_may_change (VpNoun noun, guint from, guint to);

/* TRUE for stopped, failed and lost. */
gboolean vp_sandbox_state_is_end (VpSandboxState state);

/* The tables as Markdown, for docs/states.md. */
char *vp_states_to_markdown (VpNoun noun);
