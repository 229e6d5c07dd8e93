/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-container-planner.h"

#include "vp-annotation-apply.h"
#include "vp-container-planner-private.h"
#include "vp-id.h"

VpContainerPlan *
vp_planner_plan_container (const char *sandbox_id, const char *container_id, VpSpec *spec, VpConfig *config,
                           VpFacts *facts, GError **error)
{
  g_autoptr (VpContainerPlan) plan = NULL;
  VpContainerType type;

  if (!vp_id_check (sandbox_id, "sandbox id", error) || !vp_id_check (container_id, "container id", error)
      || !vp_annotation_get_container_type (spec, &type, error)
      || !vp_annotations_check_container (spec, error))
    return NULL;
  plan = vp_container_plan_new (sandbox_id, container_id, spec);
  plan->sandbox_pidns = vp_spec_get_namespace_path (spec, "pid") != NULL;
  return vp_container_planner_fill_guest_spec (plan, type, config, error) ? g_steal_pointer (&plan) : NULL;
}
