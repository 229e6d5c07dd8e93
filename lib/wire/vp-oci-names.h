/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <protobuf-c/protobuf-c.h>

/* The name in an OCI config.json of a field of oci.proto: "UIDMappings" ->
 * "uidMappings", "Version" -> "ociVersion". The result is @buf or a constant; it is
 * valid as long as @buf. Never NULL (names are cut to 63 characters; none is). */
const char *vp_oci_json_name (const ProtobufCFieldDescriptor *f, char buf[64]);

/* The annotation of a spec that carries, as a JSON object, what oci.proto has no
 * fields for: members to be added to config.json, level by level; the elements of
 * an array by their number. An agent that does not know it passes it on. */
#define VP_OCI_EXTRA "org.virtpod.spec.extra"
