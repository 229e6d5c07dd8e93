/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "shim-options.h"

/* What is left of a container whose shim is gone is taken away: the container, its
 * machine when nobody else is in it, its mounts. The working directory is the bundle.
 * Nothing being there is success. Writes a DeleteResponse to stdout. Exit status. */
int shim_delete (const ShimOptions *options);

/* The address of the daemon's bus, by the environment. */
const char *shim_bus_address (void);
