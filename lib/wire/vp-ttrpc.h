/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "ttrpc.pb-c.h"

/* Requests and responses of ttrpc as bytes. Buffers that are given are malloc'd
 * and the caller's to free(). Pure: no sockets, no state, any thread. */

/* gRPC's numbers for the outcome of a call */
typedef enum
{
  VP_GRPC_OK = 0,
  VP_GRPC_CANCELLED = 1,
  VP_GRPC_UNKNOWN = 2,
  VP_GRPC_INVALID_ARGUMENT = 3,
  VP_GRPC_DEADLINE_EXCEEDED = 4,
  VP_GRPC_NOT_FOUND = 5,
  VP_GRPC_ALREADY_EXISTS = 6,
  VP_GRPC_PERMISSION_DENIED = 7,
  VP_GRPC_RESOURCE_EXHAUSTED = 8,
  VP_GRPC_FAILED_PRECONDITION = 9,
  VP_GRPC_ABORTED = 10,
  VP_GRPC_OUT_OF_RANGE = 11,
  VP_GRPC_UNIMPLEMENTED = 12,
  VP_GRPC_INTERNAL = 13,
  VP_GRPC_UNAVAILABLE = 14,
  VP_GRPC_DATA_LOSS = 15,
  VP_GRPC_UNAUTHENTICATED = 16,
} VpGrpcCode;

/* A whole frame, header included. @msg NULL: empty payload. @timeout_nano is the
 * time the caller still has, in nanoseconds, 0 for no limit. NULL with errno
 * ENOMEM, or EMSGSIZE if it would be over VP_FRAME_MAX. */
uint8_t *vp_ttrpc_pack_request (uint32_t stream, const char *service, const char *method,
                                const ProtobufCMessage *msg, int64_t timeout_nano, size_t *ret_len);

/* @payload is that of a VP_FRAME_REQUEST. 0 and a request to be freed with
 * ttrpc__request__free_unpacked (ret, NULL), or -EPROTO. */
int vp_ttrpc_parse_request (const uint8_t *payload, size_t len, Ttrpc__Request **ret);

/* A whole frame, header included. @msg NULL: empty payload; @message NULL: "".
 * With a code other than VP_GRPC_OK, @msg is left out. NULL as above. */
uint8_t *vp_ttrpc_pack_response (uint32_t stream, int code, const char *message, const ProtobufCMessage *msg,
                                 size_t *ret_len);

/* All but the last @body_len bytes of a whole frame of VP_GRPC_OK. Those are the value of
 * the answer's field number @field (bytes; 1 to 15), which @msg must not have set, and are
 * to be sent right behind: they may be much, and need not be copied. NULL as above. */
uint8_t *vp_ttrpc_pack_response_head (uint32_t stream, const ProtobufCMessage *msg, unsigned field,
                                      size_t body_len, size_t *ret_len);

/* @payload is that of a VP_FRAME_RESPONSE. 0, or -EPROTO, or -ENOMEM. On 0 all four
 * are set: *ret_message is never NULL and at most VP_TTRPC_MESSAGE_MAX bytes; an
 * empty *ret_payload is NULL. Both are the caller's to free(). */
#define VP_TTRPC_MESSAGE_MAX 4096
int vp_ttrpc_parse_response (const uint8_t *payload, size_t len, int *ret_code, char **ret_message,
                             uint8_t **ret_payload, size_t *ret_payload_len);
