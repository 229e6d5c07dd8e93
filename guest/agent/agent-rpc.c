/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-rpc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-log.h"
#include "vp-message.h"

#define MAX_CALLS 4096
/* While requests of that many bytes are being worked on, only small ones are taken. */
#define MAX_CALL_BYTES (16u << 20)
#define SMALL_CALL_BYTES (64u << 10)
/* of one request in memory */
#define MAX_MESSAGE_BYTES (32u << 20)

struct AgentCall
{
  AgentRpc *rpc;
  AgentList all;  /* in rpc->calls */
  AgentList link; /* in the queue it is parked in */
  int parked;
  int for_good; /* parked, and stays so when the host goes */
  int orphan; /* nobody waits for the answer */
  uint64_t conversation;
  uint32_t stream;
  VpRpc which;
  ProtobufCMessage *request;
  size_t bytes;
  AgentTimer *timer;
};

struct AgentRpc
{
  Agent *agent;
  AgentChannel *channel;
  AgentList calls;
  unsigned n_calls;
  size_t bytes;
  uint64_t conversation;
};

static void
call_free (AgentCall *call)
{
  agent_list_remove (&call->all);
  agent_list_remove (&call->link);
  agent_timer_free (call->timer);
  call->rpc->n_calls--;
  call->rpc->bytes -= call->bytes;
  protobuf_c_message_free_unpacked (call->request, NULL);
  free (call);
}

static void
send_response (AgentRpc *rpc, uint32_t stream, int code, const char *message,
               const ProtobufCMessage *response)
{
  char text[VP_TTRPC_MESSAGE_MAX];
  uint8_t *frame;
  size_t len;

  /* one line, and ASCII: a name of the guest need not be UTF-8, a protobuf string must */
  snprintf (text, sizeof text, "%s", message != NULL ? message : "");
  for (char *p = text; *p != '\0'; p++)
    if (*p < 0x20 || *p == 0x7f)
      *p = '?';
  frame = vp_ttrpc_pack_response (stream, code, text, response, &len);

  if (frame == NULL && errno == EMSGSIZE)
    frame = vp_ttrpc_pack_response (stream, VP_GRPC_RESOURCE_EXHAUSTED, "the answer is too long", NULL, &len);
  if (frame != NULL)
    agent_channel_send (rpc->channel, frame, len);
}

static void call_expired (void *data);

static void
call_start (AgentRpc *rpc, uint32_t stream, VpRpc which, const Ttrpc__Request *request)
{
  const VpRpcInfo *info = vp_rpc_info (which);
  ProtobufCMessage *message;
  AgentCall *call;

  if (rpc->n_calls >= MAX_CALLS
      || (rpc->bytes + request->payload.len > MAX_CALL_BYTES && request->payload.len > SMALL_CALL_BYTES))
    {
      send_response (rpc, stream, VP_GRPC_RESOURCE_EXHAUSTED, "too many calls at once", NULL);
      return;
    }
  message = vp_message_unpack (info->request, request->payload.data, request->payload.len, MAX_MESSAGE_BYTES);
  if (message == NULL)
    {
      send_response (rpc, stream, errno == ENOMEM ? VP_GRPC_RESOURCE_EXHAUSTED : VP_GRPC_INVALID_ARGUMENT,
                     errno == ENOMEM ? "the request is too large" : "the request is malformed", NULL);
      return;
    }
  call = agent_new (AgentCall);
  call->rpc = rpc;
  call->conversation = rpc->conversation;
  call->stream = stream;
  call->which = which;
  call->request = message;
  call->bytes = request->payload.len;
  agent_list_init (&call->link);
  agent_list_append (&rpc->calls, &call->all);
  rpc->n_calls++;
  rpc->bytes += call->bytes;
  if (request->timeout_nano > 0)
    call->timer = agent_timer_new (rpc->agent->loop, (uint64_t) request->timeout_nano / 1000000 + 1,
                                   call_expired, call);
  agent_debug ("call %u: %s", stream, info->method);
  agent_handlers[which](rpc->agent, call);
}

static void
take_request (uint32_t stream, const uint8_t *payload, size_t len, void *data)
{
  AgentRpc *rpc = data;
  Ttrpc__Request *request;
  char message[256];
  int which;

  if (vp_ttrpc_parse_request (payload, len, &request) < 0)
    {
      send_response (rpc, stream, VP_GRPC_INVALID_ARGUMENT, "the ttrpc request is malformed", NULL);
      return;
    }
  which = vp_rpc_find (request->service, request->method);
  if (which < 0 || agent_handlers[which] == NULL)
    {
      snprintf (message, sizeof message, "method %.100s/%.100s is not implemented", request->service,
                request->method);
      send_response (rpc, stream, VP_GRPC_UNIMPLEMENTED, message, NULL);
    }
  else if (stream % 2 == 0)
    send_response (rpc, stream, VP_GRPC_INVALID_ARGUMENT, "stream ids of requests are odd", NULL);
  else
    call_start (rpc, stream, (VpRpc) which, request);
  ttrpc__request__free_unpacked (request, NULL);
}

/* Calls that are parked end here, so that nothing is taken out of a pipe for a host
 * that is gone. The others are under way and end by themselves, unheard. */
static void
forget_calls (void *data)
{
  AgentRpc *rpc = data;

  rpc->conversation++;
  agent_list_foreach_safe (it, &rpc->calls)
  {
    AgentCall *call = agent_container_of (it, AgentCall, all);

    if (call->parked && !call->for_good)
      {
        call_free (call);
        continue;
      }
    call->orphan = 1;
    if (!call->for_good)
      continue;
    agent_timer_free (call->timer);
    call->timer = NULL;
  }
}

const AgentChannelFuncs agent_rpc_channel_funcs = { take_request, forget_calls };

AgentRpc *
agent_rpc_new (Agent *agent)
{
  AgentRpc *rpc = agent_new (AgentRpc);

  rpc->agent = agent;
  agent_list_init (&rpc->calls);
  return rpc;
}

void
agent_rpc_free (AgentRpc *rpc)
{
  if (rpc == NULL)
    return;
  agent_list_foreach_safe (it, &rpc->calls) call_free (agent_container_of (it, AgentCall, all));
  agent_channel_free (rpc->channel);
  free (rpc);
}

void
agent_rpc_set_channel (AgentRpc *rpc, AgentChannel *channel)
{
  rpc->channel = channel;
}

int
agent_rpc_is_idle (const AgentRpc *rpc)
{
  return agent_channel_is_idle (rpc->channel);
}

const void *
agent_call_request (const AgentCall *call)
{
  return call->request;
}

void
agent_call_reply (AgentCall *call, const ProtobufCMessage *response)
{
  if (!call->orphan)
    send_response (call->rpc, call->stream, VP_GRPC_OK, NULL, response);
  call_free (call);
}

void
agent_call_reply_piece (AgentCall *call, const ProtobufCMessage *response, unsigned field, AgentPiece *piece,
                        size_t start, size_t len)
{
  size_t head_len;
  uint8_t *head;

  if (!call->orphan)
    {
      head = vp_ttrpc_pack_response_head (call->stream, response, field, len, &head_len);
      if (head != NULL)
        agent_channel_send_piece (call->rpc->channel, head, head_len, piece, start, len);
      else
        send_response (call->rpc, call->stream, VP_GRPC_RESOURCE_EXHAUSTED, "the answer is too long", NULL);
    }
  call_free (call);
}

void
agent_call_fail (AgentCall *call, VpGrpcCode code, const char *format, ...)
{
  char message[VP_TTRPC_MESSAGE_MAX];
  va_list args;

  va_start (args, format);
  vsnprintf (message, sizeof message, format, args);
  va_end (args);
  agent_debug ("call %u: %s failed: %s", call->stream, vp_rpc_info (call->which)->method, message);
  if (!call->orphan)
    send_response (call->rpc, call->stream, code, message, NULL);
  call_free (call);
}

static void
call_expired (void *data)
{
  AgentCall *call = data;

  call->timer = NULL;
  if (call->parked)
    {
      agent_call_fail (call, VP_GRPC_DEADLINE_EXCEEDED, "the deadline of the call has passed");
      return;
    }
  if (!call->orphan)
    send_response (call->rpc, call->stream, VP_GRPC_DEADLINE_EXCEEDED, "the deadline of the call has passed",
                   NULL);
  call->orphan = 1;
}

void
agent_call_park (AgentCall *call, AgentList *queue)
{
  /* its host went away, or gave up, while the call was being worked on */
  if (call->orphan)
    {
      call_free (call);
      return;
    }
  call->parked = 1;
  agent_list_append (queue, &call->link);
}

void
agent_call_park_for_good (AgentCall *call, AgentList *queue)
{
  call->parked = call->for_good = 1;
  agent_list_append (queue, &call->link);
}

int
agent_call_is_orphan (const AgentCall *call)
{
  return call->orphan;
}

uint64_t
agent_call_conversation (const AgentCall *call)
{
  return call->conversation;
}

AgentCall *
agent_call_peek (const AgentList *queue)
{
  return agent_list_is_empty (queue) ? NULL : agent_container_of (queue->next, AgentCall, link);
}

AgentCall *
agent_call_unpark (AgentList *queue)
{
  AgentCall *call = agent_call_peek (queue);

  if (call == NULL)
    return NULL;
  agent_list_remove (&call->link);
  call->parked = 0;
  return call;
}

unsigned
agent_call_count (const AgentList *queue)
{
  unsigned n = 0;

  agent_list_foreach (it, queue) n++;
  return n;
}

VpGrpcCode
agent_code_from_errno (int err)
{
  switch (err < 0 ? -err : err)
    {
    case ENOENT:
    case ESRCH:
      return VP_GRPC_NOT_FOUND;
    case EEXIST:
      return VP_GRPC_ALREADY_EXISTS;
    case EACCES:
    case EPERM:
      return VP_GRPC_PERMISSION_DENIED;
    case EINVAL:
    case ENOTDIR:
    case EISDIR:
      return VP_GRPC_INVALID_ARGUMENT;
    case ENOSPC:
    case ENOMEM:
    case EMFILE:
      return VP_GRPC_RESOURCE_EXHAUSTED;
    case ETIME:
    case ETIMEDOUT:
      return VP_GRPC_DEADLINE_EXCEEDED;
    default:
      return VP_GRPC_INTERNAL;
    }
}
