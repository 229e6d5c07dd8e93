/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-container.h"

typedef struct
{
  gboolean out;               /* of the container; else into it */
  const char *path;           /* absolute, in the container */
  const char *const *options; /* options of vp-agent-names.h; NULL-terminated */
  gboolean as_container;      /* with the container's user, not as its root */
} VpContainerCopy;

/* Into: @tar_fd (taken) is read to its end; finishes, with 0, when everything
 * is written. Out: @tar_fd is -1; finishes with the reading end of a pipe (the
 * caller's to close) when the guest has begun to write to it. -1 and an error:
 * NotSupported (an agent other than ours), NotFound (the path),
 * InvalidArgument (the archive), Cancelled (by @cancellable, when the guest has
 * let go), AgentFailed with what the guest says, and those of the table of states. */
void vp_container_copy_async (VpContainer *self, const VpContainerCopy *what, int tar_fd, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
int vp_container_copy_finish (VpContainer *self, GAsyncResult *result, GError **error);
