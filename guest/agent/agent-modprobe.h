/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* What the kernel runs when it wants a module that somebody in the guest has asked it for,
 * a container that makes a bridge for one: there is no other modprobe, and only the modules
 * of the image's list are to be had. */

/* the last part of argv[0] by which main() knows that it is to be that */
#define AGENT_MODPROBE_NAME "modprobe"

/* The module that the kernel means by @alias ("rtnl-link-bridge"), in the list's spelling. */
void agent_modprobe_name (const char *alias, char *name, size_t size);

/* The exit code; what the image does not have is one without a word, as is usual there. */
int agent_modprobe_main (int argc, char **argv);
