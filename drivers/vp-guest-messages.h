/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent.pb-c.h"
#include "vp-container-plan.h"
#include "vp-plan.h"

/* The guest half of plans as requests to the agent. Pure. Free the results
 * with grpc__…__free_unpacked (m, NULL). Errors as vp-guest-spec.h. */
Grpc__CreateSandboxRequest *vp_guest_message_create_sandbox (const VpPlan *plan, GError **error);
Grpc__CreateContainerRequest *vp_guest_message_create_container (const VpContainerPlan *plan, GError **error);
/* @exec_id and @exec as the caller gave them; @plan is the container's. */
Grpc__ExecProcessRequest *vp_guest_message_exec_process (const VpContainerPlan *plan, const char *exec_id,
                                                         const VpSpecExec *exec, GError **error);
/* @process: a complete process object (vp_spec_make_exec (), vp_spec_parse_exec ()). */
Grpc__ExecProcessRequest *vp_guest_message_exec_json (const char *container_id, const char *exec_id,
                                                      VpJson *process, GError **error);
/* @resources: see vp_spec_parse_resources (). */
Grpc__UpdateContainerRequest *vp_guest_message_update_container (const char *container_id, VpJson *resources,
                                                                 GError **error);

/* Wire form of any message. */
GBytes *vp_guest_message_pack (const ProtobufCMessage *message);
