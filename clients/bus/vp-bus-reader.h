/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-bus-message.h"

/* Takes values out of the body of a message, one after the other, for who knows what
 * must come: the caller compares signatures. Each function fails (-1 or NULL) when
 * there is not so much; what is given points into the message. */
typedef struct
{
  const uint8_t *data;
  size_t at, end;
} VpBusReader;

VpBusReader vp_bus_reader_of (const VpBusMessage *message);

/* @len bytes behind @alignment; NULL: there are not so many. */
const uint8_t *vp_bus_reader_take (VpBusReader *self, size_t alignment, size_t len);
int vp_bus_reader_u32 (VpBusReader *self, uint32_t *ret); /* u, b */
int vp_bus_reader_u64 (VpBusReader *self, uint64_t *ret); /* t */
const char *vp_bus_reader_string (VpBusReader *self);     /* s, o */
const char *vp_bus_reader_signature (VpBusReader *self);  /* g; of a variant, whose value comes next */
/* The elements of an array that are aligned to @alignment, and steps over it. */
int vp_bus_reader_array (VpBusReader *self, size_t alignment, VpBusReader *ret);
/* Steps over one value of the type @signature begins with. */
int vp_bus_reader_skip (VpBusReader *self, const char *signature);

/* Entries of an a{sv}, whose elements are aligned to 8: 1 and the next one (the
 * reader is then at its value, which is to be taken or skipped), 0 behind the last. -1. */
int vp_bus_reader_entry (VpBusReader *entries, const char **ret_key, const char **ret_signature);
