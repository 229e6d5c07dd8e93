/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-annotation.h"
#include "vp-json-writer.h"
#include "vp-planner.h"

/* Shared by the vp-planner*.c rooms only. */

/* The guest's kernel command line (vp-planner-cmdline.c). */
char *vp_planner_make_cmdline (VpAccel accel, const char *arch, gboolean console, const char *extra);

/* Fills @plan's binds and guest spec (vp-planner-guest-spec.c). */
gboolean vp_planner_fill_guest_spec (VpContainerPlan *plan, VpContainerType type, GError **error);

/* Writes the guest's mounts and adds the binds they need (vp-planner-mount.c). */
gboolean vp_planner_write_mounts (VpContainerPlan *plan, VpContainerType type, VpJsonWriter *writer,
                                  GError **error);
