/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-container-planner.h"

#include "vp-annotation-apply.h"
#include "vp-container-planner-private.h"
#include "vp-driver.h"
#include "vp-error.h"
#include "vp-id.h"
#include "vp-names.h"

/* Copies and disks are the other ways into a guest, and nobody takes them. */
static gboolean
check_share (VpConfig *config, VpFacts *facts, GError **error)
{
  const VpConfigKey key = VP_CONFIG_SHARE_TYPE;
  const VpDriver *driver = vp_driver_find (vp_facts_get (facts)->driver);

  if (driver == NULL || !driver->runs_guests || !g_str_equal (vp_config_get_string (config, key), "none"))
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
               "%s: %s: without a share there is no way for root.path into the guest",
               vp_config_get_source (config, key), vp_config_key_name (key));
  return FALSE;
}

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
  if (g_str_equal (container_id, VP_DIR_SANDBOX_MOUNTS))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                   "container id \"%s\": is taken by what all sandboxes see", container_id);
      return NULL;
    }
  if (!check_share (config, facts, error))
    return NULL;
  plan = vp_container_plan_new (sandbox_id, container_id, spec);
  plan->sandbox_pidns = vp_spec_get_namespace_path (spec, "pid") != NULL;
  return vp_container_planner_fill_guest_spec (plan, type, config, error) ? g_steal_pointer (&plan) : NULL;
}
