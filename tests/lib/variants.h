/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-driver.h"

/* One choice at a time on top of a plain plan: what unit tests compare byte for
 * byte and against libvirt's schema, a real libvirt is asked to accept. */
typedef struct
{
  const char *name; /* of the file in tests/domain-xml */
  void (*apply) (VpPlan *plan);
  VpFeature feature;      /* that the driver must have for it; VP_N_FEATURES: none */
  const char *host_needs; /* what a host may lack, as libvirt says it; NULL: nothing */
  gboolean cloud;         /* on Cloud Hypervisor's plain plan instead of QEMU's */
} Variant;

guint variant_count (void);
const Variant *variant_get (guint index);

/* The plain plans: QEMU without acceleration; Cloud Hypervisor. Free with vp_plan_unref(). */
VpPlan *variant_new_qemu (void);
VpPlan *variant_new_cloud (void);
VpPlan *variant_new_plan (const Variant *variant);
const VpDriver *variant_get_driver (const Variant *variant);
