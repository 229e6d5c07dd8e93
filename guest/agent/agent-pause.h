/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent.h"

/* The process that holds the pid namespace which the containers of a sandbox share: its
 * process 1. It reaps what is left to it and sees nothing of the guest: no files, an
 * empty root, no rights. Everything in the namespace ends with it. */

/* argv[0] by which main() knows that it is to be that process */
#define AGENT_PAUSE_NAME "virtpod-pause"

/* the pid (ours: the caller's child, watched by nobody), or -errno */
pid_t agent_pause_start (void);
/* The life of it; the exit code. */
int agent_pause_main (void);
