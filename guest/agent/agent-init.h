/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What process 1 of the guest does before it can be an agent: file systems, console,
 * modules, options of the kernel command line. Logs what goes wrong and goes on:
 * an agent that answers is the best place to find out. */
void agent_init_guest (void);
