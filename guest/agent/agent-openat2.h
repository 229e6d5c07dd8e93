/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <linux/openat2.h>
#include <stdint.h>

/* openat2() with close-on-exec, again as long as somebody renames what it passes
 * through; a file descriptor, or -1 with errno */
int agent_openat2 (int dir, const char *path, int flags, uint64_t resolve);
