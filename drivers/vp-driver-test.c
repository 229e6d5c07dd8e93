/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-driver.h"

/* libvirt's test:/// driver: keeps domains in memory and runs nothing. It is
 * what the daemon's own tests talk to. */
static const VpCapability capabilities[VP_N_FEATURES];

static const char *
domain_type (VpAccel accel)
{
  return accel == VP_ACCEL_NONE ? "test" : NULL;
}

const VpDriver vp_driver_test = {
  .name = "TEST",
  .domain_type = domain_type,
  .runs_guests = FALSE,
  .can_start_paused = FALSE,
  .can_validate = TRUE,
  .has_buses = TRUE,
  .capabilities = capabilities,
};
