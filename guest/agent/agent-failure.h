/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent-netlink.h"
#include "agent-rpc.h"

/* Why a request cannot be done, on its way up to the call that fails. */
typedef struct
{
  VpGrpcCode code;
  char text[512];
} AgentFailure;

/* All return -1. */
int agent_failure_set (AgentFailure *f, VpGrpcCode code, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));
/* A field of the request has a value that nothing can have. */
int agent_failure_invalid (AgentFailure *f, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
/* @format is for the field of the request that the kernel answered with @rc, which is
 * -errno; what it means, and what the kernel said to it, follows. */
int agent_failure_netlink (AgentFailure *f, const AgentNetlink *n, int rc, const char *format, ...)
    __attribute__ ((format (printf, 4, 5)));
