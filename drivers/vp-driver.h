/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-plan.h"

/* What differs between libvirt's hypervisor drivers, and no more. */
typedef struct
{
  const char *name;                           /* as virConnectGetType() says it */
  const char *(*domain_type) (VpAccel accel); /* <domain type=…>; NULL: cannot do that */
  gboolean runs_guests;                       /* FALSE: domains are make-believe, no agent will answer */
  gboolean can_start_paused;                  /* VIR_DOMAIN_START_PAUSED is accepted */
  gboolean can_validate;                      /* VIR_DOMAIN_START_VALIDATE is accepted */
  gboolean shares;                            /* virtiofs shares */
} VpDriver;

/* NULL when virtpod has no support for the driver. Borrowed, static. */
const VpDriver *vp_driver_find (const char *libvirt_name);

extern const VpDriver vp_driver_qemu;
extern const VpDriver vp_driver_test;
