/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-driver.h"

/* virtpod asks for libvirt 9.0 at the least: what that has needs no row. */
static const VpCapability capabilities[VP_N_FEATURES] = {
  [VP_FEATURE_SHARE_METADATA] = { VP_NEVER, "its virtiofs has the cache modes none and always" },
  [VP_FEATURE_SHARE_DAX] = { VP_NEVER, "its virtiofs has no window of the cache" },
};

static const char *
domain_type (VpAccel accel)
{
  switch (accel)
    {
    case VP_ACCEL_TCG:
      return "qemu";
    case VP_ACCEL_KVM:
      return "kvm";
    case VP_ACCEL_NONE:
      break;
    }
  return NULL;
}

const VpDriver vp_driver_qemu = {
  .name = "QEMU",
  .domain_type = domain_type,
  .runs_guests = TRUE,
  .can_start_paused = TRUE,
  .can_validate = TRUE,
  .has_buses = TRUE,
  .capabilities = capabilities,
};
