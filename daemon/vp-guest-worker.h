/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-agent-client.h"
#include "vp-process.h"

/* What a part of the agent leaves that ran in the guest as a process of ours (a
 * copy, a connection) and has ended. Main thread; finish does not fail. */

/* Why it failed: the last line of its standard error, which was kept for nobody,
 * as text that can be shown. */
void vp_guest_worker_reason_async (VpProcess *process, GAsyncReadyCallback callback, gpointer user_data);
char *vp_guest_worker_reason_finish (VpProcess *process, GAsyncResult *result);

/* Waits until what it wrote has been read, by somebody who takes their time, or
 * nothing more can come of it: @agent has gone. */
void vp_guest_worker_drain_async (VpProcess *process, VpAgentClient *agent, GAsyncReadyCallback callback,
                                  gpointer user_data);
void vp_guest_worker_drain_finish (VpProcess *process, GAsyncResult *result);
