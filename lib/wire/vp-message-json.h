/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

/* Any message as JSON text, by reflection. */

enum
{
  VP_MESSAGE_JSON_OCI = 1 << 0,    /* names of the OCI runtime specification (see vp-oci-names.h) */
  VP_MESSAGE_JSON_PRETTY = 1 << 1, /* two spaces a level, newline at the end */
};

/* malloc'd, NUL-terminated text of *ret_len bytes (@ret_len may be NULL). Zero
 * numbers, false, empty strings and empty lists are left out, except where OCI
 * demands the member. Maps are objects, in the order of the message; bytes are
 * base64; enums are their names. NULL with errno EILSEQ if a string is not UTF-8,
 * or ENOMEM. */
char *vp_message_to_json (const ProtobufCMessage *m, unsigned flags, size_t *ret_len);
