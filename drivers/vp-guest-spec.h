/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "oci.pb-c.h"
#include "vp-json.h"

/* OCI documents as the agent protocol's messages, by reflection over the
 * descriptors: what the protocol has no field for is left out, a value that
 * does not fit its field is InvalidArgument with its JSON path. The results are
 * as __unpack() makes them: free with …__free_unpacked (m, NULL). */
Grpc__Spec *vp_guest_spec_new (VpJson *spec, GError **error);
Grpc__Process *vp_guest_spec_new_process (VpJson *process, GError **error);
