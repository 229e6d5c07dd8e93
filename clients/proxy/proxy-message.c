/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proxy-message.h"

#include <endian.h>
#include <string.h>

#if __BYTE_ORDER == __LITTLE_ENDIAN
#define ORDER 'l'
#else
#define ORDER 'B'
#endif
#define VERSION 1
#define NO_AUTO_START 2
#define FIXED_HEADER 16 /* up to and with the length of the fields */

enum
{
  FIELD_PATH = 1,
  FIELD_INTERFACE = 2,
  FIELD_MEMBER = 3,
  FIELD_ERROR = 4,
  FIELD_REPLY_SERIAL = 5,
  FIELD_DESTINATION = 6,
  FIELD_SIGNATURE = 8,
};

static size_t
aligned (size_t place, size_t to)
{
  return (place + to - 1) & ~(to - 1);
}

/* ---- writing ------------------------------------------------------------------- */

typedef struct
{
  uint8_t *data;
  size_t len; /* PROXY_MESSAGE_MAX + 1: did not fit */
} Out;

static void
put (Out *out, size_t alignment, const void *data, size_t len)
{
  size_t place = aligned (out->len, alignment);

  if (out->len > PROXY_MESSAGE_MAX || place > PROXY_MESSAGE_MAX || len > PROXY_MESSAGE_MAX - place)
    {
      out->len = PROXY_MESSAGE_MAX + 1;
      return;
    }
  memset (out->data + out->len, 0, place - out->len);
  if (len > 0)
    memcpy (out->data + place, data, len);
  out->len = place + len;
}

static void
put_u32 (Out *out, uint32_t number)
{
  put (out, 4, &number, sizeof number);
}

static void
put_string (Out *out, const char *text)
{
  put_u32 (out, (uint32_t) strlen (text));
  put (out, 1, text, strlen (text) + 1);
}

static void
put_signature (Out *out, const char *text)
{
  uint8_t len = (uint8_t) strlen (text);

  put (out, 1, &len, 1);
  put (out, 1, text, (size_t) len + 1);
}

static void
put_field (Out *out, uint8_t code, const char *type, const char *value)
{
  put (out, 8, &code, 1);
  put_signature (out, type);
  if (*type == 'g')
    put_signature (out, value);
  else
    put_string (out, value);
}

static void
put_arguments (Out *out, const char *signature, va_list arguments)
{
  uint16_t number;

  for (; *signature != '\0'; signature++)
    switch (*signature)
      {
      case 's':
        put_string (out, va_arg (arguments, const char *));
        break;
      case 'q':
        number = (uint16_t) va_arg (arguments, int);
        put (out, 2, &number, sizeof number);
        break;
      default: /* an array without elements still has their alignment */
        put_u32 (out, 0);
        put (out, 8, NULL, 0);
        break;
      }
}

/* "s{" is "sa{sv}" on the wire. */
static void
wire_signature (const char *from, char to[32])
{
  size_t len = 0;

  for (; *from != '\0' && len < 24; from++)
    if (*from == '{')
      {
        memcpy (to + len, "a{sv}", 5);
        len += 5;
      }
    else
      to[len++] = *from;
  to[len] = '\0';
}

size_t
proxy_message_pack (uint8_t data[PROXY_MESSAGE_MAX], uint32_t serial, const ProxyCall *call, va_list arguments)
{
  const uint8_t begin[4] = { ORDER, PROXY_METHOD_CALL, NO_AUTO_START, VERSION };
  Out out = { data, 0 };
  uint32_t fields, body;
  size_t body_at;
  char signature[32];

  put (&out, 1, begin, sizeof begin);
  put_u32 (&out, 0); /* length of the body, later */
  put_u32 (&out, serial);
  put_u32 (&out, 0); /* length of the fields, later */
  put_field (&out, FIELD_PATH, "o", call->path);
  put_field (&out, FIELD_INTERFACE, "s", call->interface);
  put_field (&out, FIELD_MEMBER, "s", call->member);
  put_field (&out, FIELD_DESTINATION, "s", call->destination);
  if (*call->signature != '\0')
    {
      wire_signature (call->signature, signature);
      put_field (&out, FIELD_SIGNATURE, "g", signature);
    }
  fields = (uint32_t) (out.len - FIXED_HEADER);
  put (&out, 8, NULL, 0);
  body_at = out.len;
  put_arguments (&out, call->signature, arguments);
  if (out.len > PROXY_MESSAGE_MAX)
    return 0;
  body = (uint32_t) (out.len - body_at);
  memcpy (data + 4, &body, sizeof body);
  memcpy (data + 12, &fields, sizeof fields);
  return out.len;
}

/* ---- reading ------------------------------------------------------------------- */

typedef struct
{
  const uint8_t *data;
  size_t at, end;
} In;

/* NULL: there is not so much. */
static const uint8_t *
take (In *in, size_t alignment, size_t len)
{
  size_t place = aligned (in->at, alignment);

  if (place > in->end || len > in->end - place)
    return NULL;
  in->at = place + len;
  return in->data + place;
}

static int
take_u32 (In *in, uint32_t *ret)
{
  const uint8_t *data = take (in, 4, sizeof *ret);

  if (data == NULL)
    return -1;
  memcpy (ret, data, sizeof *ret);
  return 0;
}

/* The text of @len bytes and the NUL that must be behind it. */
static const char *
take_text (In *in, size_t len)
{
  const uint8_t *data = take (in, 1, len + 1);

  return data != NULL && memchr (data, '\0', len + 1) == data + len ? (const char *) data : NULL;
}

static const char *
take_string (In *in)
{
  uint32_t len;

  return take_u32 (in, &len) < 0 || len >= PROXY_MESSAGE_MAX ? NULL : take_text (in, len);
}

static const char *
take_signature (In *in)
{
  const uint8_t *len = take (in, 1, 1);

  return len == NULL ? NULL : take_text (in, *len);
}

long
proxy_message_length (const uint8_t *data, size_t len)
{
  uint32_t body, fields;

  if (len < FIXED_HEADER)
    return 0;
  memcpy (&body, data + 4, sizeof body);
  memcpy (&fields, data + 12, sizeof fields);
  if (data[0] != ORDER || data[3] != VERSION || body > PROXY_MESSAGE_MAX || fields > PROXY_MESSAGE_MAX
      || aligned (FIXED_HEADER + fields, 8) + body > PROXY_MESSAGE_MAX)
    return -1;
  return (long) (aligned (FIXED_HEADER + fields, 8) + body);
}

/* One field of the header; those that do not matter here are checked and dropped. */
static int
parse_field (In *in, ProxyMessage *message)
{
  const uint8_t *code = take (in, 8, 1);
  const char *type = code == NULL ? NULL : take_signature (in);
  const char *text = NULL;
  uint32_t number = 0;

  if (type == NULL || strlen (type) != 1)
    return -1;
  if (*type == 'u' ? take_u32 (in, &number) < 0
                   : (text = *type == 'g' ? take_signature (in) : take_string (in)) == NULL)
    return -1;
  if (*code == FIELD_REPLY_SERIAL)
    message->reply_serial = number;
  else if (*code == FIELD_MEMBER && text != NULL)
    message->member = text;
  else if (*code == FIELD_ERROR && text != NULL)
    message->error = text;
  else if (*code == FIELD_SIGNATURE && text != NULL)
    message->signature = text;
  return 0;
}

int
proxy_message_parse (const uint8_t *data, size_t len, ProxyMessage *message)
{
  In in = { data, FIXED_HEADER, 0 };
  uint32_t fields;

  memcpy (&fields, data + 12, sizeof fields);
  in.end = FIXED_HEADER + fields;
  *message = (ProxyMessage) { .type = data[1], .signature = "" };
  while (in.at < in.end)
    if (parse_field (&in, message) < 0)
      return -1;
  message->body = data + aligned (in.end, 8);
  message->body_len = len - aligned (in.end, 8);
  return 0;
}

int
proxy_message_get_number (const ProxyMessage *message, uint32_t *ret)
{
  In in = { message->body, 0, message->body_len };

  return *message->signature == 'u' ? take_u32 (&in, ret) : -1;
}

const char *
proxy_message_get_string (const ProxyMessage *message, unsigned index)
{
  In in = { message->body, 0, message->body_len };
  const char *text = NULL;

  for (unsigned i = 0; i <= index; i++)
    if (strnlen (message->signature, i + 1) <= i || message->signature[i] != 's' || (text = take_string (&in)) == NULL)
      return NULL;
  return text;
}
