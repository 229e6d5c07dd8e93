/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "shim-server.h"

/* containerd's Sandbox service: a pod that is made as such, and not by way of a first
 * container. There is at most one in a shim, with the shim's own id; the tasks are the
 * containers in it. What is asked of it while the daemon is away is answered from memory. */

/* What options of a runtime "start" was given: there are none in the calls. Kept. */
void shim_sandbox_init (const Google__Protobuf__Any *runtime_options);
/* Whether there is one, in any state: the shim has to stay. */
int shim_sandbox_is_any (void);
/* The path of its object, for containers that are to be made in it; NULL: it does not run. */
const char *shim_sandbox_get_path (void);
/* The directory of the files that its containers have in /etc; NULL: none were made. */
const char *shim_sandbox_get_files (void);

void shim_rpc_sandbox_create (ShimCall *call);
void shim_rpc_sandbox_start (ShimCall *call);
void shim_rpc_sandbox_platform (ShimCall *call);
void shim_rpc_sandbox_stop (ShimCall *call);
void shim_rpc_sandbox_wait (ShimCall *call);
void shim_rpc_sandbox_status (ShimCall *call);
void shim_rpc_sandbox_ping (ShimCall *call);
void shim_rpc_sandbox_shutdown (ShimCall *call);
void shim_rpc_sandbox_metrics (ShimCall *call);
