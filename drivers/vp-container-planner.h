/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-config.h"
#include "vp-container-plan.h"
#include "vp-facts.h"

/* What one container needs on the host and what its guest is told. Pure, as
 * vp-planner.h is, and with the same errors. */
VpContainerPlan *vp_planner_plan_container (const char *sandbox_id, const char *container_id, VpSpec *spec,
                                            VpConfig *config, VpFacts *facts, GError **error);
