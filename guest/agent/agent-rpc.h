/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "agent-channel.h"
#include "agent-util.h"
#include "agent.h"
#include "vp-rpc.h"
#include "vp-ttrpc.h"

/* One request on its way to an answer. A call is answered exactly once, by
 * agent_call_reply() or agent_call_fail(), which free it. A parked call (it waits in
 * a queue for something to happen) can also disappear from its queue: the host is
 * gone, or its deadline passed. */
typedef struct AgentCall AgentCall;

/* One row of the table for each call the agent has. */
typedef void (*AgentHandler) (Agent *agent, AgentCall *call);
extern const AgentHandler agent_handlers[VP_N_RPCS]; /* NULL: not implemented */

AgentRpc *agent_rpc_new (Agent *agent);
void agent_rpc_free (AgentRpc *rpc);
/* The functions and data for a channel, and then that channel (taken). */
extern const AgentChannelFuncs agent_rpc_channel_funcs;
void agent_rpc_set_channel (AgentRpc *rpc, AgentChannel *channel);
int agent_rpc_is_idle (const AgentRpc *rpc);

/* The request, of the type the table of vp-rpc.c tells; lives as long as the call. */
const void *agent_call_request (const AgentCall *call);
/* @response NULL: the empty message. Borrowed. */
void agent_call_reply (AgentCall *call, const ProtobufCMessage *response);
/* The answer's field number @field (bytes) is @len bytes of @piece from @start on, which
 * are not copied; @response has the others. */
void agent_call_reply_piece (AgentCall *call, const ProtobufCMessage *response, unsigned field, AgentPiece *piece,
                             size_t start, size_t len);
void agent_call_fail (AgentCall *call, VpGrpcCode code, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));
/* the code that says best what -errno or errno means */
VpGrpcCode agent_code_from_errno (int err);

/* @queue is a list head of nothing but parked calls. */
void agent_call_park (AgentCall *call, AgentList *queue);
/* The same for a call that is done to its end even if its host goes away. */
void agent_call_park_for_good (AgentCall *call, AgentList *queue);
/* whether nobody waits for the answer any more */
int agent_call_is_orphan (const AgentCall *call);
/* A number for the host that made the call: another one, or the same one after it lost
 * the channel, has another number. */
uint64_t agent_call_conversation (const AgentCall *call);
/* the first of @queue, which stays parked; NULL if there is none */
AgentCall *agent_call_peek (const AgentList *queue);
/* the first of @queue, which must be answered now; NULL if there is none */
AgentCall *agent_call_unpark (AgentList *queue);
unsigned agent_call_count (const AgentList *queue);
