/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-device.h"

/* Shared by the vp-domain-xml*.c rooms only. */

/* x86: from 256 vCPUs on interrupts need the IOMMU's extended mode */
#define VP_MAX_PLAIN_VCPUS 255u

/* vp-domain-xml-cpu.c: <vcpu>, <iothreads>, <cpu> */
gboolean vp_domain_emit_vcpus (const VpPlan *plan, const VpDriver *driver, xmlNode *domain, GError **error);
gboolean vp_domain_emit_cpu (const VpPlan *plan, xmlNode *domain, GError **error);
/* the parts of <features> that QEMU counts among the CPU's */
void vp_domain_emit_cpu_features (const VpPlan *plan, xmlNode *features);

/* vp-domain-xml-memory.c: <maxMemory>, <memory>, <memoryBacking>, <numatune> */
gboolean vp_domain_emit_memory (const VpPlan *plan, const VpDriver *driver, xmlNode *domain, GError **error);
/* <numa> below <cpu> */
gboolean vp_domain_emit_numa (const VpPlan *plan, xmlNode *cpu, GError **error);

/* vp-domain-xml-bus.c: controllers, IOMMU, balloon and what else is no VpDevice */
void vp_domain_emit_controllers (const VpPlan *plan, xmlNode *devices);
void vp_domain_emit_platform (const VpPlan *plan, xmlNode *devices);
