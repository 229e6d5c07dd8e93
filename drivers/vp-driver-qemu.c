/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-driver.h"

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
  .shares = TRUE,
};
