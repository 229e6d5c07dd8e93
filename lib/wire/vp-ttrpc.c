/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-ttrpc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "status.pb-c.h"
#include "vp-frame.h"
#include "vp-message.h"

/* a payload as large as a frame, and some metadata */
#define MAX_ENVELOPE (VP_FRAME_MAX + (1u << 20))
/* An answer's envelope is its payload and a short text; what takes many times its
 * size is made to waste time and memory. */
#define RESPONSE_MEMORY(len) (4 * (len) + (64u << 10))

/* ttrpc.Response.payload */
#define PAYLOAD_FIELD 2
/* of protobuf's wire format: such a field has a tag of one byte if its number is below 16,
 * and a length of 64 bits at most */
#define LENGTH_DELIMITED 2
#define BYTES_HEAD_MAX 11

/* @msg serialised; an empty message is 0 bytes and NULL */
static int
pack_payload (const ProtobufCMessage *msg, ProtobufCBinaryData *out)
{
  size_t len = msg != NULL ? protobuf_c_message_get_packed_size (msg) : 0;

  out->data = NULL;
  out->len = len;
  if (len == 0)
    return 0;
  if (len > VP_FRAME_MAX)
    return EMSGSIZE;
  out->data = malloc (len);
  if (out->data == NULL)
    return ENOMEM;
  protobuf_c_message_pack (msg, out->data);
  return 0;
}

static uint8_t *
pack_frame (uint32_t stream, VpFrameType type, const ProtobufCMessage *envelope, size_t *ret_len)
{
  size_t len = protobuf_c_message_get_packed_size (envelope);
  VpFrameHeader h = { .length = (uint32_t) len, .stream = stream, .type = (uint8_t) type };
  uint8_t *frame;

  if (len > VP_FRAME_MAX)
    {
      errno = EMSGSIZE;
      return NULL;
    }
  frame = malloc (VP_FRAME_HEADER + len);
  if (frame == NULL)
    return NULL;
  vp_frame_encode (&h, frame);
  protobuf_c_message_pack (envelope, frame + VP_FRAME_HEADER);
  *ret_len = VP_FRAME_HEADER + len;
  return frame;
}

uint8_t *
vp_ttrpc_pack_request (uint32_t stream, const char *service, const char *method, const ProtobufCMessage *msg,
                       int64_t timeout_nano, size_t *ret_len)
{
  Ttrpc__Request request = TTRPC__REQUEST__INIT;
  uint8_t *frame;
  int rc;

  rc = pack_payload (msg, &request.payload);
  if (rc != 0)
    {
      errno = rc;
      return NULL;
    }
  request.service = (char *) service;
  request.method = (char *) method;
  request.timeout_nano = timeout_nano;
  frame = pack_frame (stream, VP_FRAME_REQUEST, &request.base, ret_len);
  free (request.payload.data);
  return frame;
}

int
vp_ttrpc_parse_request (const uint8_t *payload, size_t len, Ttrpc__Request **ret)
{
  *ret = (Ttrpc__Request *) vp_message_unpack (&ttrpc__request__descriptor, payload, len, MAX_ENVELOPE);
  return *ret != NULL ? 0 : -EPROTO;
}

/* The tag and the length of a field of bytes; how long they are */
static size_t
write_bytes_head (uint8_t out[BYTES_HEAD_MAX], unsigned field, size_t len)
{
  size_t n = 0;

  out[n++] = (uint8_t) (field << 3 | LENGTH_DELIMITED);
  for (; len > 0x7f; len >>= 7)
    out[n++] = (uint8_t) (len | 0x80);
  out[n++] = (uint8_t) len;
  return n;
}

/* A response that is nothing but its payload, which is @msg, @tail_len bytes and then
 * @body_len that are not put there: written where it belongs instead of into a buffer
 * that is then copied. */
static uint8_t *
pack_payload_response (uint32_t stream, const ProtobufCMessage *msg, const uint8_t *tail, size_t tail_len,
                       size_t body_len, size_t *ret_len)
{
  size_t msg_len = msg != NULL ? protobuf_c_message_get_packed_size (msg) : 0;
  size_t head_len = 0, len = msg_len + tail_len + body_len;
  VpFrameHeader h = { .stream = stream, .type = VP_FRAME_RESPONSE };
  uint8_t head[BYTES_HEAD_MAX], *frame;

  if (len > 0)
    head_len = write_bytes_head (head, PAYLOAD_FIELD, len);
  if (len > VP_FRAME_MAX - head_len)
    {
      errno = EMSGSIZE;
      return NULL;
    }
  *ret_len = VP_FRAME_HEADER + head_len + msg_len + tail_len;
  frame = malloc (*ret_len);
  if (frame == NULL)
    return NULL;
  h.length = (uint32_t) (head_len + len);
  vp_frame_encode (&h, frame);
  memcpy (frame + VP_FRAME_HEADER, head, head_len);
  if (msg_len > 0)
    protobuf_c_message_pack (msg, frame + VP_FRAME_HEADER + head_len);
  if (tail_len > 0)
    memcpy (frame + VP_FRAME_HEADER + head_len + msg_len, tail, tail_len);
  return frame;
}

uint8_t *
vp_ttrpc_pack_response_head (uint32_t stream, const ProtobufCMessage *msg, unsigned field, size_t body_len,
                             size_t *ret_len)
{
  uint8_t tail[BYTES_HEAD_MAX];

  if (body_len > VP_FRAME_MAX)
    {
      errno = EMSGSIZE;
      return NULL;
    }
  return pack_payload_response (stream, msg, tail, write_bytes_head (tail, field, body_len), body_len, ret_len);
}

uint8_t *
vp_ttrpc_pack_response (uint32_t stream, int code, const char *message, const ProtobufCMessage *msg,
                        size_t *ret_len)
{
  Ttrpc__Response response = TTRPC__RESPONSE__INIT;
  Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;

  if (code == VP_GRPC_OK)
    return pack_payload_response (stream, msg, NULL, 0, 0, ret_len);
  status.code = code;
  status.message = (char *) (message != NULL ? message : "");
  response.status = &status;
  return pack_frame (stream, VP_FRAME_RESPONSE, &response.base, ret_len);
}

int
vp_ttrpc_parse_response (const uint8_t *payload, size_t len, int *ret_code, char **ret_message,
                         uint8_t **ret_payload, size_t *ret_payload_len)
{
  Ttrpc__Response *response
      = (Ttrpc__Response *) vp_message_unpack (&ttrpc__response__descriptor, payload, len, RESPONSE_MEMORY (len));
  char *message;

  if (response == NULL)
    return -EPROTO;
  message
      = response->status != NULL ? strndup (response->status->message, VP_TTRPC_MESSAGE_MAX) : strdup ("");
  if (message == NULL)
    {
      ttrpc__response__free_unpacked (response, NULL);
      return -ENOMEM;
    }
  *ret_code = response->status != NULL ? response->status->code : VP_GRPC_OK;
  *ret_message = message;
  /* moved, not copied: it may be megabytes */
  *ret_payload = response->payload.len > 0 ? response->payload.data : NULL;
  *ret_payload_len = response->payload.len;
  if (*ret_payload != NULL)
    response->payload = (ProtobufCBinaryData){ 0, NULL };
  ttrpc__response__free_unpacked (response, NULL);
  return 0;
}
