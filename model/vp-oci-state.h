/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-spec.h"

/* The runtime state document that `state` verbs of OCI runtimes print:
 * ociVersion, id, status, pid, bundle, annotations. */
typedef struct
{
  const char *id;
  const char *status; /* "creating", "created", "running", "stopped" */
  guint pid;          /* left out when 0 */
  const char *bundle;
  VpSpec *spec; /* for the annotations; may be NULL */
} VpOciState;

char *vp_oci_state_to_json (const VpOciState *state);
