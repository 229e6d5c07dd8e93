/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-planner.h"

/* Shared by the vp-planner*.c rooms only. */

/* The guest's kernel command line (vp-planner-cmdline.c). InvalidArgument for a
 * sysctl of the spec that cannot be in one. */
char *vp_planner_make_cmdline (VpAccel accel, const char *arch, VpSpec *spec, VpConfig *config,
                               GError **error);

/* Appends what a guest that boots an image must be told (vp-planner-root.c).
 * InvalidArgument for dm-verity parameters that are none. */
gboolean vp_planner_append_root (GString *line, VpConfig *config, GError **error);
