/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-driver.h"

gboolean
vp_driver_check_plan (const VpDriver *driver, const VpPlan *plan, GError **error)
{
  for (guint i = 0; i < plan->devices->len; i++)
    {
      const VpDevice *device = g_ptr_array_index (plan->devices, i);
      static const VpFeature features[VP_N_DEVICE_KINDS]
          = { VP_FEATURE_SHARE, VP_FEATURE_CHANNEL, VP_FEATURE_CONSOLE, VP_FEATURE_RNG,
              VP_FEATURE_VSOCK, VP_FEATURE_DISK,    VP_FEATURE_NIC_TAP, VP_FEATURE_DIMM };

      if (!vp_driver_require (driver, features[device->kind], plan->libvirt_version, device->id, error))
        return FALSE;
    }
  return TRUE;
}
