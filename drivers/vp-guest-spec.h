/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "oci.pb-c.h"
#include "vp-json.h"

/* OCI documents as the agent protocol's messages, by reflection over the
 * descriptors: a value that does not fit its field is InvalidArgument with its
 * JSON path. What the protocol has no field for travels as JSON in a spec's
 * annotation VP_OCI_EXTRA; a process has no such place: for a further one the
 * agent has its container's. The results are as __unpack() makes them: free
 * with …__free_unpacked (m, NULL). */
Grpc__Spec *vp_guest_spec_new (VpJson *spec, GError **error);
Grpc__Process *vp_guest_spec_new_process (VpJson *process, GError **error);
/* Nor has an update: what the protocol has no field for is NotSupported. */
Grpc__LinuxResources *vp_guest_spec_new_resources (VpJson *resources, GError **error);
