/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-annotation.h"
#include "vp-json-writer.h"
#include "vp-planner.h"

/* Shared by the vp-planner*.c rooms only. */

/* Sysctls that belong to a network namespace: set on the command line, not by the container's runtime. */
#define VP_PLANNER_NET_SYSCTL "net."

/* The guest's kernel command line (vp-planner-cmdline.c). InvalidArgument for a
 * sysctl of the spec that cannot be in one. */
char *vp_planner_make_cmdline (VpAccel accel, const char *arch, VpSpec *spec, VpConfig *config,
                               GError **error);

/* Fills @plan's binds and guest spec (vp-planner-guest-spec.c). */
gboolean vp_planner_fill_guest_spec (VpContainerPlan *plan, VpContainerType type, GError **error);

/* Writes the guest's mounts and adds the binds they need (vp-planner-mount.c). */
gboolean vp_planner_write_mounts (VpContainerPlan *plan, VpContainerType type, VpJsonWriter *writer,
                                  GError **error);
