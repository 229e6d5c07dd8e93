/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "vp-ttrpc.h"

/* ttrpc over a UNIX socket: containerd's calls, each answered once, in any order. */
typedef struct ShimCall ShimCall;
typedef void (*ShimHandler) (ShimCall *call);

typedef struct
{
  const char *name;
  const ProtobufCMessageDescriptor *request;
  ShimHandler handler;
} ShimMethod;

typedef struct
{
  const char *name;
  const ShimMethod *methods; /* until one without a name */
} ShimService;

/* Serves the listening socket @fd. The table ends with a service without a name; it is kept. */
void shim_server_start (int fd, const ShimService *services);

/* The unpacked request; freed with the call. */
void *shim_call_request (ShimCall *self);

/* Both answer and end the call; one whose caller is gone is just ended. NULL: an
 * empty message. What is said of a failure is cut at VP_TTRPC_MESSAGE_MAX. */
void shim_call_reply (ShimCall *self, const void *response);
void shim_call_fail (ShimCall *self, VpGrpcCode code, const char *format, ...) __attribute__ ((format (printf, 3, 4)));

/* Puts @call at the end of *@calls, of which there are *@n: those that wait for something. */
void shim_call_append (ShimCall ***calls, size_t *n, ShimCall *call);

/* Sends what is queued, for some seconds at the most: the last thing to do. */
void shim_server_flush (void);
