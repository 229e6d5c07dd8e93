/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "vp-agent-client.h"
#include "vp-standin-watch.h"
#include "vp-states.h"
#include "vp-stdio.h"
#include "vp-streams.h"

/* One process in a guest, a container's first or a further one: its streams
 * and how it ended. It is told what happened to it (prepared, running, lost);
 * who asks the agent to make it is its container.
 *
 * Main thread. Signals:
 *   "changed" ()  state, pid or exit status are new
 *   "exited" ()   once, after its output has been delivered */
#define VP_TYPE_PROCESS (vp_process_get_type ())
G_DECLARE_FINAL_TYPE (VpProcess, vp_process, VP, PROCESS, GObject)

/* Status of a process whose virtual machine was lost: as if killed. */
#define VP_STATUS_LOST 137

/* @exec_id "" is the container's first process. */
VpProcess *vp_process_new (const char *sandbox_id, const char *container_id, const char *exec_id, gboolean terminal);

/* References @place: where it is, kept true by its container. Without one it is nowhere. */
void vp_process_set_place (VpProcess *self, VpPlace *place);

const char *vp_process_get_exec_id (VpProcess *self);
gboolean vp_process_get_terminal (VpProcess *self);
VpProcessState vp_process_get_state (VpProcess *self);
guint vp_process_get_exit_status (VpProcess *self);
gint64 vp_process_get_exited_at (VpProcess *self); /* microseconds, 0: not yet */

/* Takes @streams (may be NULL) and ties them to the agent. Before the agent is asked to make it. */
gboolean vp_process_prepare (VpProcess *self, VpAgentClient *agent, VpStreams *streams, GError **error);

/* Remembers where @streams (borrowed, may be NULL) lead, for the record, hands
 * descriptors to the service manager to keep, and watches who stands for it. When
 * they are given, before _prepare. */
void vp_process_note_streams (VpProcess *self, const VpStreams *streams);

/* Absolute path, "fd", or NULL: nothing. Borrowed. */
const char *vp_process_get_binding (VpProcess *self, VpStream stream);

/* Kills it, for a first process its whole container, when process @pid of the host has
 * ended; @start as in vp_standin_watch_new (). Nothing for @pid 0. */
void vp_process_watch_standin (VpProcess *self, pid_t pid, guint64 start);
/* NULL: nobody does, or it has ended. Borrowed. */
VpStandinWatch *vp_process_get_standin (VpProcess *self);
/* Which it was, also when the process has ended and it has perhaps not noticed yet; 0: none. */
pid_t vp_process_get_standin_pid (VpProcess *self);

/* What a record says of it, when it is new. A running one counts as waited for;
 * _take_over () sees to it that it is. */
void vp_process_restore (VpProcess *self, VpProcessState state, guint status, gint64 exited_at);

/* After a restart, when the agent answers again: output flows, its end is waited
 * for. Prepared before; nothing when it has stopped. */
void vp_process_take_over (VpProcess *self);

/* The agent has made it; its output flows from here on. */
void vp_process_begin_io (VpProcess *self);

/* It runs: waits for its end. */
void vp_process_begin_wait (VpProcess *self);

/* It will not tell any more (its machine is gone, or it never ran): stopped
 * with @status. Nothing when it has stopped. */
void vp_process_lose (VpProcess *self, guint status);

/* Finishes when it has stopped; InvalidState when it was forgotten before it ran. */
void vp_process_wait_async (VpProcess *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data);
gboolean vp_process_wait_finish (VpProcess *self, GAsyncResult *result, guint *ret_status, gint64 *ret_exited_at,
                                 GError **error);

/* InvalidState naming the verb and the state unless the table (vp-states.h) allows it. */
gboolean vp_process_check_verb (VpProcess *self, VpVerb verb, GError **error);

/* From here on the end of a first process that does not run yet is noticed too.
 * One that is gone by the time the signal comes is success. @all: every process
 * of the container. */
void vp_process_kill_async (VpProcess *self, int signum, gboolean all, guint timeout_ms, GAsyncReadyCallback callback,
                            gpointer user_data);
gboolean vp_process_kill_finish (VpProcess *self, GAsyncResult *result, GError **error);

void vp_process_resize_async (VpProcess *self, guint columns, guint rows, guint timeout_ms,
                              GAsyncReadyCallback callback, gpointer user_data);
gboolean vp_process_resize_finish (VpProcess *self, GAsyncResult *result, GError **error);

/* NULL before vp_process_prepare (). For Attach and CloseStdin. */
VpStdio *vp_process_get_stdio (VpProcess *self);
