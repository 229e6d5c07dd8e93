/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Places where a test makes things go wrong: before and after whatever has an
 * effect outside the process. They exist in a build configured with
 * --enable-failpoints only; elsewhere VP_FAILPOINT is nothing but TRUE.
 *
 * Armed by the environment, "NAME=ACTION[@N];…": at the N-th pass of NAME (from 1,
 * the default), once,
 *   kill        the process ends as by SIGKILL
 *   error       *error is Failed, and FALSE is returned
 *   enospc, eio, emfile
 *               the same with that errno
 *   delay:MS    the calling thread sleeps
 * $VIRTPOD_FAILPOINT_TRACE names a file that every name passed is appended to.
 *
 * Any thread. */
#define VP_ENV_FAILPOINT "VIRTPOD_FAILPOINT"
#define VP_ENV_FAILPOINT_TRACE "VIRTPOD_FAILPOINT_TRACE"

#ifdef VP_FAILPOINTS
gboolean vp_failpoint (const char *name, GError **error);
#define VP_FAILPOINT(name, error) vp_failpoint (name, error)
#else
#define VP_FAILPOINT(name, error) ((void) (error), TRUE)
#endif

/* Where there is nobody to tell of an error: it is dropped. */
#define VP_FAILPOINT_ONLY(name) ((void) VP_FAILPOINT (name, NULL))
