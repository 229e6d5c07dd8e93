/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-config.h"
#include "vp-facts.h"
#include "vp-plan.h"
#include "vp-spec.h"

/* Whether what a plan says about paths of the host is so. Blocks on the file
 * system, and reads all of a file that must have a certain content. */

/* NotFound, NotAuthorized, InvalidArgument (something else is there, or the
 * content is not the one that was asked for); the message says who named it. */
gboolean vp_host_path_check (const VpPathCheck *check, GError **error);

/* All of @plan's, in their order. */
gboolean vp_host_path_check_plan (const VpPlan *plan, GError **error);

/* What the planner has to know of files besides: @facts, or them and the size of
 * the image that @spec and @config have the guest boot as memory. @config is that
 * of the handler. What is wrong with @spec's annotations is said as by the planner. */
VpFacts *vp_host_path_learn (VpSpec *spec, VpConfig *config, VpFacts *facts, GError **error);
