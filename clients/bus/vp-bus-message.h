/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* D-Bus messages as bytes, as much of them as small clients of the daemon need:
 * they make method calls with a few strings, numbers and options, and read replies,
 * errors and signals. */

enum
{
  VP_BUS_METHOD_CALL = 1,
  VP_BUS_METHOD_RETURN = 2,
  VP_BUS_ERROR = 3,
  VP_BUS_SIGNAL = 4,
};

typedef struct
{
  const char *destination, *path, *interface, *member;
  /* of the arguments: of s (const char *), q (int), t (uint64_t) and { (an a{sv}: const VpBusOption *) */
  const char *signature;
  int start; /* the service is started if it does not run */
} VpBusCall;

/* One entry of an a{sv}; the one with key NULL is behind the last. */
typedef struct
{
  const char *key;
  const char *text; /* a string; NULL: the flag, a boolean */
  int flag;
} VpBusOption;

/* What was received; all of it points into the bytes that were parsed. */
typedef struct
{
  int type;
  uint32_t reply_serial;             /* 0: none */
  const char *path, *member, *error; /* NULL: none */
  const char *signature;             /* never NULL */
  const uint8_t *body;
  size_t body_len;
} VpBusMessage;

/* Writes at most @size bytes of the message to @out, and says how many it has; more
 * than that: it did not fit. It has no serial yet. 0: longer than any message may be. */
size_t vp_bus_message_pack (uint8_t *out, size_t size, const VpBusCall *call, va_list arguments);
void vp_bus_message_set_serial (uint8_t *message, uint32_t serial);

/* Bytes of the message that begins with @data, 0 when @len does not tell yet, -1
 * when this is not one, or longer than @max, or of the other byte order. */
long vp_bus_message_length (const uint8_t *data, size_t len, size_t max);

/* @len as vp_bus_message_length() told. 0, or -1 when it is malformed. */
int vp_bus_message_parse (const uint8_t *data, size_t len, VpBusMessage *message);

/* The number that the body begins with (u). 0 or -1. */
int vp_bus_message_get_number (const VpBusMessage *message, uint32_t *ret);

/* The string at this place among those the body begins with (s, o); NULL: there is none. */
const char *vp_bus_message_get_string (const VpBusMessage *message, unsigned index);
