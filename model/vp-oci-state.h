/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-spec.h"

/* The runtime state document that `state` verbs of OCI runtimes print and hooks read:
 * ociVersion, id, status, pid, bundle, annotations; and, as runc has them, rootfs, created. */
typedef struct
{
  const char *id;
  const char *status; /* "creating", "created", "running", "stopped" */
  guint pid;          /* left out when 0 */
  const char *bundle;
  VpSpec *spec;      /* for the annotations; may be NULL */
  gint64 created_at; /* microseconds since 1970; 0: that and the rootfs are left out */
} VpOciState;

char *vp_oci_state_to_json (const VpOciState *state);
