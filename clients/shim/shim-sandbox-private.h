/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sandbox.pb-c.h"
#include "shim-daemon.h"
#include "shim-sandbox.h"
#include "shim-task.h"

#define SHIM_SANDBOX_GONE 137 /* status of a machine nobody knows any more */

typedef enum
{
  SHIM_SANDBOX_CREATING, /* the daemon has not answered */
  SHIM_SANDBOX_CREATED,
  SHIM_SANDBOX_STARTING,
  SHIM_SANDBOX_READY,
  SHIM_SANDBOX_STOPPED, /* what did not start, too */
} ShimSandboxState;

typedef struct
{
  int refs;
  ShimSandboxState state;
  char *id, *bundle;
  char *path;    /* of its Sandbox1; NULL: being created */
  int mounted;   /* its root file system, by us */
  int has_files; /* of its containers' /etc, in the bundle */
  uint32_t pid;
  uint64_t created_at, exited_at; /* microseconds; 0: not yet */
  uint32_t exit_status;
  ShimCall **waiters;
  size_t n_waiters;
  ShimCall *shutdown; /* waits until it has been created */
} ShimSandbox;

extern ShimSandbox *shim_sandbox; /* NULL: there is none */

ShimSandbox *shim_sandbox_ref (ShimSandbox *self);
void shim_sandbox_unref (ShimSandbox *self);
/* The one a request names; NULL: it is not there, and the call has failed. */
ShimSandbox *shim_sandbox_find (ShimCall *call, const char *id);
/* It has ended: says so to those who wait. */
void shim_sandbox_end (ShimSandbox *self, uint32_t exit_status, uint64_t exited_at);
/* With what Sandbox1.Wait() was answered. */
void shim_sandbox_end_by (ShimSandbox *self, const ShimReply *reply);
