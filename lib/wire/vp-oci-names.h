/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <protobuf-c/protobuf-c.h>

/* The name in an OCI config.json of a field of oci.proto: "UIDMappings" ->
 * "uidMappings", "Version" -> "ociVersion". The result is @buf or a constant; it is
 * valid as long as @buf. Never NULL (names are cut to 63 characters; none is). */
const char *vp_oci_json_name (const ProtobufCFieldDescriptor *f, char buf[64]);
