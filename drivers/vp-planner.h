/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-config.h"
#include "vp-container-planner.h"
#include "vp-driver.h"
#include "vp-facts.h"
#include "vp-plan.h"

/* The only place that decides. Pure: no I/O, no clock, no randomness; equal
 * inputs give equal plans. Errors are InvalidArgument (what was asked for makes
 * no sense) and NotSupported (it cannot be had here, and why). */

typedef struct
{
  const char *id;
  const char *uuid;      /* of the domain, canonical form */
  const char *handler;   /* NULL: "default" */
  const char *directory; /* absolute; holds sockets, log and share */
} VpSandboxIdentity;

/* @spec is the sandbox's first container, @config that of its handler; what the
 * spec's annotations say comes on top (vp-annotation-apply.h). */
VpPlan *vp_planner_plan_sandbox (const VpSandboxIdentity *who, VpSpec *spec, VpConfig *config, VpFacts *facts,
                                 GError **error);

/* What was planned with: @config and over it the annotations of @spec. */
VpConfig *vp_planner_effective_config (VpSpec *spec, VpConfig *config, VpFacts *facts, GError **error);

/* Names below a sandbox's directory that planner and daemon share. */
char *vp_planner_dup_share_dir (const char *directory);
char *vp_planner_dup_agent_socket (const char *directory);
char *vp_planner_dup_console_socket (const char *directory);
char *vp_planner_dup_console_log (const char *directory);
char *vp_planner_dup_netns (const char *directory); /* a network namespace made for it */

/* The cgroup that a container's spec names and virtpod makes: that of a sandbox's own has the
 * machine, the others what stands for them on the host. NULL with @ret_why (static) when
 * there is none to be made. */
char *vp_planner_dup_cgroup (VpSpec *spec, VpConfig *config, VpFacts *facts, const char **ret_why);

/* Of the @index-th tap of the sandbox with @uuid. */
char *vp_planner_dup_tap_name (const char *uuid, guint index);

/* Whether the sandbox's interfaces are those of the network namespace of its
 * spec: then somebody has to look there before it is planned for good
 * (VpFactsInit.network). @config: the effective one. */
gboolean vp_planner_wants_namespace (VpSpec *spec, VpConfig *config);
/* Why a user-mode network cannot be passt's here, in words; NULL: it can be. Static or of
 * @facts, which have the host's uplink. */
const char *vp_planner_why_no_passt (const VpFactsInit *facts);
/* Why nobody gets the passt that is here without asking for it, in words; NULL: it is good. */
char *vp_planner_dup_doubt_of_passt (const VpFactsInit *facts);
/* Whether that has to be made first, as the spec gives no path of one. */
gboolean vp_planner_wants_new_namespace (VpSpec *spec, VpConfig *config);
