/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-op.h"

#include <stdlib.h>

#include "shim-util.h"

ShimOp *
shim_op_new (ShimCall *call, ShimProcess *process)
{
  ShimOp *self = shim_alloc (sizeof *self);

  self->call = call;
  self->process = shim_process_ref (process);
  return self;
}

void
shim_op_free (ShimOp *self)
{
  shim_process_unref (self->process);
  free (self);
}

void
shim_op_finish (ShimOp *self, const ShimReply *reply)
{
  if (reply->error != NULL)
    shim_call_fail_reply (self->call, "", reply);
  else
    shim_call_reply (self->call, NULL);
  shim_op_free (self);
}

void
shim_op_finished (const ShimReply *reply, void *data)
{
  shim_op_finish (data, reply);
}
