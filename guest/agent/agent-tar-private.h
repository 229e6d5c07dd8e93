/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent-tar-header.h"
#include "agent-tar.h"

/* Says on @error what is wrong with @name (NULL: nothing in particular), in one line
 * whatever bytes the name has; returns @status. */
int agent_tar_complain (int error, int status, const char *name, const char *format, ...)
    __attribute__ ((format (printf, 4, 5)));

/* openat2(). Magic links are never followed. -1 with errno. */
int agent_tar_open_in_root (int root, const char *path, int flags);
int agent_tar_open_beneath (int dir, const char *path, int flags);
