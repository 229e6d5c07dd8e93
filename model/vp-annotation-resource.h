/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-spec.h"

/* What a pod as a whole will need, so that it can be given at the start instead
 * of being plugged in later. containerd writes one annotation for each number,
 * CRI-O one with a document; the first that is there is believed. */
typedef struct
{
  gint64 cpu_quota;                   /* microseconds in a period; 0 or less: no limit */
  guint64 cpu_period;                 /* microseconds; 0: not said, then the quota says nothing */
  guint64 cpu_shares;                 /* 1024 for one CPU; 0: not said */
  gint64 memory;                      /* bytes; 0 or less: no limit */
  const char *cpu_name, *memory_name; /* of the annotations; NULL: there is none. Static */
} VpSandboxResources;

/* Numbers have 64 bits; what is none is InvalidArgument. */
gboolean vp_annotation_get_sandbox_resources (VpSpec *spec, VpSandboxResources *ret, GError **error);
