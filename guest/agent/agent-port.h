/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#define AGENT_PORT_NAME "org.virtpod.agent.0"

/* Opens the virtio-serial port called @name, non-blocking; waits until there is one.
 * -errno if it cannot be opened. */
int agent_port_open (const char *name);
