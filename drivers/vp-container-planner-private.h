/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-annotation.h"
#include "vp-config.h"
#include "vp-container-plan.h"
#include "vp-json-writer.h"

/* Shared by the vp-container-planner*.c rooms only. */

/* Fills @plan's binds and guest spec (vp-container-planner-spec.c). */
gboolean vp_container_planner_fill_guest_spec (VpContainerPlan *plan, VpContainerType type, VpConfig *config,
                                               GError **error);

/* Writes the guest's mounts and adds the binds and storages they need (vp-container-planner-mount.c). */
gboolean vp_container_planner_write_mounts (VpContainerPlan *plan, VpContainerType type, VpConfig *config,
                                            VpJsonWriter *writer, GError **error);
