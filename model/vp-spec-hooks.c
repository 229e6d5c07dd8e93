/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-spec.h"
#include "vp-spec-private.h"
#include "vp-spec-table.h"

static const char *const kinds[VP_N_HOST_HOOKS] = { "prestart", "createRuntime", "poststart", "poststop" };

const char *
vp_hook_kind_name (VpHookKind kind)
{
  return kinds[kind];
}

VpJson *
vp_spec_get_hooks (VpSpec *spec, VpHookKind kind)
{
  VpJson *hooks = vp_json_lookup (spec->json, "hooks");
  VpJson *list = hooks != NULL ? vp_json_lookup (hooks, kinds[kind]) : NULL;

  return list != NULL && vp_json_get_n_items (list) > 0 ? list : NULL;
}

gboolean
vp_spec_check_no_hooks (VpSpec *spec, GError **error)
{
  for (guint kind = 0; kind < VP_N_HOST_HOOKS; kind++)
    {
      VpJson *list = vp_spec_get_hooks (spec, kind);

      if (list != NULL)
        return vp_spec_refuse (error, list, "hooks of the host are not run here (daemon.hooks)");
    }
  return TRUE;
}
