/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-bus-message.h"

#include <endian.h>
#include <string.h>

#include "vp-bus-reader.h"

#if __BYTE_ORDER == __LITTLE_ENDIAN
#define ORDER 'l'
#else
#define ORDER 'B'
#endif
#define VERSION 1
#define NO_AUTO_START 2
#define FIXED_HEADER 16 /* up to and with the length of the fields */
#define LONGEST (64u << 20) /* D-Bus itself allows twice as much */

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
  size_t size;
  size_t len; /* may be more than fits; LONGEST + 1: too much */
} Out;

static void
put (Out *out, size_t alignment, const void *data, size_t len)
{
  size_t place = aligned (out->len, alignment);

  if (place > LONGEST || len > LONGEST - place)
    {
      out->len = LONGEST + 1;
      return;
    }
  if (place + len <= out->size)
    {
      memset (out->data + out->len, 0, place - out->len);
      if (len > 0)
        memcpy (out->data + place, data, len);
    }
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

/* An a{sv}. The length counts from the first element, which is aligned even if there is none. */
static void
put_options (Out *out, const VpBusOption *options)
{
  size_t length_at, begin;
  uint32_t length, flag;

  put_u32 (out, 0);
  length_at = out->len - sizeof length;
  put (out, 8, NULL, 0);
  begin = out->len;
  for (; options != NULL && options->key != NULL; options++)
    {
      put (out, 8, NULL, 0);
      put_string (out, options->key);
      put_signature (out, options->text != NULL ? "s" : "b");
      flag = options->flag != 0;
      if (options->text != NULL)
        put_string (out, options->text);
      else
        put_u32 (out, flag);
    }
  length = (uint32_t) (out->len - begin);
  if (out->len <= out->size)
    memcpy (out->data + length_at, &length, sizeof length);
}

static void
put_arguments (Out *out, const char *signature, va_list arguments)
{
  uint16_t number;
  uint64_t big;

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
      case 't':
        big = va_arg (arguments, uint64_t);
        put (out, 8, &big, sizeof big);
        break;
      default:
        put_options (out, va_arg (arguments, const VpBusOption *));
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
vp_bus_message_pack (uint8_t *data, size_t size, const VpBusCall *call, va_list arguments)
{
  const uint8_t begin[4] = { ORDER, VP_BUS_METHOD_CALL, call->start ? 0 : NO_AUTO_START, VERSION };
  Out out = { data, size, 0 };
  uint32_t fields, body;
  size_t body_at;
  char signature[32];

  put (&out, 1, begin, sizeof begin);
  put_u32 (&out, 0); /* length of the body, later */
  put_u32 (&out, 0); /* serial, later */
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
  if (out.len > LONGEST)
    return 0;
  body = (uint32_t) (out.len - body_at);
  if (out.len <= size)
    {
      memcpy (data + 4, &body, sizeof body);
      memcpy (data + 12, &fields, sizeof fields);
    }
  return out.len;
}

void
vp_bus_message_set_serial (uint8_t *message, uint32_t serial)
{
  memcpy (message + 8, &serial, sizeof serial);
}

/* ---- reading ------------------------------------------------------------------- */

long
vp_bus_message_length (const uint8_t *data, size_t len, size_t max)
{
  uint32_t body, fields;

  if (len < FIXED_HEADER)
    return 0;
  memcpy (&body, data + 4, sizeof body);
  memcpy (&fields, data + 12, sizeof fields);
  if (data[0] != ORDER || data[3] != VERSION || body > max || fields > max
      || aligned (FIXED_HEADER + (size_t) fields, 8) + body > max)
    return -1;
  return (long) (aligned (FIXED_HEADER + (size_t) fields, 8) + body);
}

/* One field of the header; those that do not matter here are checked and dropped. */
static int
parse_field (VpBusReader *in, VpBusMessage *message)
{
  const uint8_t *code = vp_bus_reader_take (in, 8, 1);
  const char *type = code == NULL ? NULL : vp_bus_reader_signature (in);
  const char *text = NULL;
  uint32_t number = 0;

  if (type == NULL || strlen (type) != 1)
    return -1;
  if (*type == 'u' ? vp_bus_reader_u32 (in, &number) < 0
                   : (text = *type == 'g' ? vp_bus_reader_signature (in) : vp_bus_reader_string (in)) == NULL)
    return -1;
  if (*code == FIELD_REPLY_SERIAL)
    message->reply_serial = number;
  else if (*code == FIELD_PATH && text != NULL)
    message->path = text;
  else if (*code == FIELD_MEMBER && text != NULL)
    message->member = text;
  else if (*code == FIELD_ERROR && text != NULL)
    message->error = text;
  else if (*code == FIELD_SIGNATURE && text != NULL)
    message->signature = text;
  return 0;
}

int
vp_bus_message_parse (const uint8_t *data, size_t len, VpBusMessage *message)
{
  VpBusReader in = { data, FIXED_HEADER, 0 };
  uint32_t fields;

  memcpy (&fields, data + 12, sizeof fields);
  in.end = FIXED_HEADER + (size_t) fields;
  *message = (VpBusMessage) { .type = data[1], .signature = "" };
  while (in.at < in.end)
    if (parse_field (&in, message) < 0)
      return -1;
  message->body = data + aligned (in.end, 8);
  message->body_len = len - aligned (in.end, 8);
  return 0;
}

int
vp_bus_message_get_number (const VpBusMessage *message, uint32_t *ret)
{
  VpBusReader in = vp_bus_reader_of (message);

  return *message->signature == 'u' ? vp_bus_reader_u32 (&in, ret) : -1;
}

const char *
vp_bus_message_get_string (const VpBusMessage *message, unsigned index)
{
  VpBusReader in = vp_bus_reader_of (message);
  const char *text = NULL;

  for (unsigned i = 0; i <= index; i++)
    if (strnlen (message->signature, i + 1) <= i || strchr ("so", message->signature[i]) == NULL
        || (text = vp_bus_reader_string (&in)) == NULL)
      return NULL;
  return text;
}
