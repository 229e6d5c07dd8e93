/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-driver.h"
#include "vp-plan.h"

/* The plan as a libvirt domain document, indented, without an XML declaration.
 * Pure. InvalidArgument when a string cannot be in XML (control characters,
 * invalid UTF-8), NotSupported when the driver lacks a device of the plan. */
char *vp_domain_xml (const VpPlan *plan, const VpDriver *driver, GError **error);

/* One device alone, as it is plugged into a running domain. @device need not be
 * among @plan's, which says what all devices share. */
char *vp_domain_device_xml (const VpPlan *plan, const VpDriver *driver, const VpDevice *device,
                            GError **error);
