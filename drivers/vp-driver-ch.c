/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-driver.h"

static const VpCapability capabilities[VP_N_FEATURES] = {
  [VP_FEATURE_CHANNEL] = { VP_NEVER, "Cloud Hypervisor has no virtio-serial" },
  [VP_FEATURE_SHARE] = { VP_NEVER, "it refuses file systems, though Cloud Hypervisor has virtiofs" },
};

static const char *
domain_type (VpAccel accel)
{
  return accel == VP_ACCEL_KVM ? "kvm" : NULL;
}

const VpDriver vp_driver_ch = {
  .name = "CH",
  .domain_type = domain_type,
  .runs_guests = TRUE,
  .can_start_paused = FALSE,
  .can_validate = TRUE,
  .has_buses = FALSE,
  .capabilities = capabilities,
};
