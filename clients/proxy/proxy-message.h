/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* D-Bus messages as bytes, as much of them as virtpod-proxy needs: it makes
 * method calls with a few strings and numbers, and reads replies, errors and one
 * signal. No memory is allocated. */

/* Longest message that is made, and that is read. What this program is sent on
 * purpose has some hundred bytes. */
#define PROXY_MESSAGE_MAX 16384

enum
{
  PROXY_METHOD_CALL = 1,
  PROXY_METHOD_RETURN = 2,
  PROXY_ERROR = 3,
  PROXY_SIGNAL = 4,
};

typedef struct
{
  const char *destination, *path, *interface, *member;
  const char *signature; /* of the arguments: of s (const char *), q (int) and { (an empty a{sv}, none) */
} ProxyCall;

/* What was received; all of it points into the bytes that were parsed. */
typedef struct
{
  int type;
  uint32_t reply_serial;      /* 0: none */
  const char *member, *error; /* NULL: none */
  const char *signature;      /* never NULL */
  const uint8_t *body;
  size_t body_len;
} ProxyMessage;

/* Bytes written to @out; 0 when they are too many. The daemon is not started by it. */
size_t proxy_message_pack (uint8_t out[PROXY_MESSAGE_MAX], uint32_t serial, const ProxyCall *call, va_list arguments);

/* Bytes of the message that begins with @data, 0 when @len does not tell yet, -1
 * when this is not one, or too long, or of the other byte order. */
long proxy_message_length (const uint8_t *data, size_t len);

/* @len as proxy_message_length() told. 0, or -1 when it is malformed. */
int proxy_message_parse (const uint8_t *data, size_t len, ProxyMessage *message);

/* The number that the body begins with (u). 0 or -1. */
int proxy_message_get_number (const ProxyMessage *message, uint32_t *ret);

/* The string at this place among those the body begins with (s); NULL: there is none. */
const char *proxy_message_get_string (const ProxyMessage *message, unsigned index);
