/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-annotation.h"
#include "vp-config.h"
#include "vp-driver.h"
#include "vp-facts.h"
#include "vp-plan.h"
#include "vp-spec.h"

/* How large a virtual machine is. All arithmetic has 64 bits; CPUs are counted
 * in millionths until they are added up, and the sum is rounded up.
 *
 *   the sandbox's own (vcpus, memory-mib) + what its workload is limited to,
 *
 * or, where an overhead is configured and the workload has a limit, the overhead
 * in place of the sandbox's own. Not more than max-vcpus, max-memory-mib, the
 * host and the machine have. What is known of the workload is given at the
 * start; unless runtime.static-resources says that this is all, the ceilings
 * leave room for what is plugged in later. */

#define VP_SIZING_CPU G_GUINT64_CONSTANT (1000000) /* one CPU in millionths */

/* What is known of the workload before anything starts. */
typedef struct
{
  guint64 cpus;              /* millionths; 0: no limit */
  guint64 memory;            /* bytes; 0: no limit */
  const char *cpu_source;    /* who said so: "spec linux.resources.cpu.quota". Static; NULL: nobody */
  const char *memory_source; /* the same */
} VpWorkload;

/* Of a container on its own: the limits of its spec. Of a pod: its annotations.
 * InvalidArgument for one of those that is no number. */
gboolean vp_sizing_read_workload (VpSpec *spec, VpContainerType type, VpWorkload *ret, GError **error);

/* quota / period in millionths of a CPU; 0 for a quota or period that limits nothing. */
guint64 vp_sizing_quota_to_cpus (gint64 quota, guint64 period);
/* How many CPUs are in "0-3,8"; 0: it says nothing, or is no such list. */
guint vp_sizing_count_cpuset (const char *cpus);

/* Sets vcpus, max_vcpus, memory, max_memory and memory_slots of @plan, and notes why. */
void vp_sizing_decide (VpPlan *plan, const VpWorkload *workload, VpConfig *config, const VpFactsInit *facts,
                       const VpDriver *driver);
