/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "shim-task.h"

/* A call of containerd's that waits for an answer of the daemon's about a process. */
typedef struct
{
  ShimCall *call;
  ShimProcess *process; /* referenced */
} ShimOp;

ShimOp *shim_op_new (ShimCall *call, ShimProcess *process);
/* Frees it; the call was answered, or is now: with an empty message, or with what failed. */
void shim_op_free (ShimOp *self);
void shim_op_finish (ShimOp *self, const ShimReply *reply);
/* The same as a ShimReplyFunc. */
void shim_op_finished (const ShimReply *reply, void *data);
