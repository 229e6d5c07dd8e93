/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "vp-agent-client.h"
#include "vp-rpc.h"

/* Any RPC of the table in lib/wire: what the typed calls are made of, and what
 * callers use for those that have no typed function. Deadlines, cancellation
 * and errors as in vp-agent-client.h. */

/* @request is packed before the function returns. */
void vp_agent_client_call_async (VpAgentClient *self, VpRpc rpc, const ProtobufCMessage *request,
                                 guint timeout_ms, GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data);

/* The same with a number (the length asked for, say) to have again in the finish function. */
void vp_agent_client_call_noted_async (VpAgentClient *self, VpRpc rpc, const ProtobufCMessage *request,
                                       gsize note, guint timeout_ms, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);
gsize vp_agent_client_call_get_note (GAsyncResult *result);

/* @payload: the packed request, at most 4 MiB with its envelope (else InvalidArgument). */
void vp_agent_client_call_packed_async (VpAgentClient *self, VpRpc rpc, GBytes *payload, guint timeout_ms,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data);

/* The answer, of the type the table names for the RPC; the caller frees it with
 * vp_agent_message_free(). Its strings and numbers are whatever the guest sent. */
ProtobufCMessage *vp_agent_client_call_finish (VpAgentClient *self, GAsyncResult *result, GError **error);

void vp_agent_message_free (ProtobufCMessage *message);
typedef ProtobufCMessage VpAgentMessage;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpAgentMessage, vp_agent_message_free)

/* Ends the channel because of what an answer said; for the typed calls. */
void vp_agent_client_violation (VpAgentClient *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
