/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-driver.h"

/* virtpod asks for libvirt 9.0 at the least: what that has needs no row. */
#define LIBVIRT(major, minor) ((major) * 1000000 + (minor) * 1000)

static const VpCapability capabilities[VP_N_FEATURES] = {
  [VP_FEATURE_SHARE_METADATA] = { VP_NEVER, "its virtiofs has the cache modes none and always" },
  [VP_FEATURE_SHARE_DAX] = { VP_NEVER, "its virtiofs has no window of the cache" },
  /* 9.0 takes it, if it is not Debian's, but only this one says whether it does */
  [VP_FEATURE_NIC_PASST] = { LIBVIRT (10, 6), NULL },
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
