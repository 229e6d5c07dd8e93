/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

/* Parses a message from somebody who is not trusted. Two bytes on the wire can ask for
 * a hundred in memory (a list of empty messages), so a limit of the frame is none:
 * this fails when the message would take more than @max_bytes. The result is freed
 * with protobuf_c_message_free_unpacked (m, NULL) or its typed sister. NULL with errno
 * EPROTO for a malformed message, ENOMEM if it would be too large. */
ProtobufCMessage *vp_message_unpack (const ProtobufCMessageDescriptor *descriptor, const uint8_t *data,
                                     size_t len, size_t max_bytes);
