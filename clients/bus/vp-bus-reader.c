/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-bus-reader.h"

#include <string.h>

#define MAX_DEPTH 32 /* D-Bus allows 32 of arrays and 32 of structures; nothing we are sent has more than four */

VpBusReader
vp_bus_reader_of (const VpBusMessage *message)
{
  return (VpBusReader) { message->body, 0, message->body_len };
}

const uint8_t *
vp_bus_reader_take (VpBusReader *self, size_t alignment, size_t len)
{
  size_t place = (self->at + alignment - 1) & ~(alignment - 1);

  if (place > self->end || len > self->end - place)
    return NULL;
  self->at = place + len;
  return self->data + place;
}

int
vp_bus_reader_u32 (VpBusReader *self, uint32_t *ret)
{
  const uint8_t *data = vp_bus_reader_take (self, 4, sizeof *ret);

  if (data == NULL)
    return -1;
  memcpy (ret, data, sizeof *ret);
  return 0;
}

int
vp_bus_reader_u64 (VpBusReader *self, uint64_t *ret)
{
  const uint8_t *data = vp_bus_reader_take (self, 8, sizeof *ret);

  if (data == NULL)
    return -1;
  memcpy (ret, data, sizeof *ret);
  return 0;
}

/* The text of @len bytes and the NUL that must be behind it. */
static const char *
take_text (VpBusReader *self, size_t len)
{
  const uint8_t *data = vp_bus_reader_take (self, 1, len + 1);

  return data != NULL && memchr (data, '\0', len + 1) == data + len ? (const char *) data : NULL;
}

const char *
vp_bus_reader_string (VpBusReader *self)
{
  uint32_t len;

  return vp_bus_reader_u32 (self, &len) < 0 || len == UINT32_MAX ? NULL : take_text (self, len);
}

const char *
vp_bus_reader_signature (VpBusReader *self)
{
  const uint8_t *len = vp_bus_reader_take (self, 1, 1);

  return len == NULL ? NULL : take_text (self, *len);
}

int
vp_bus_reader_array (VpBusReader *self, size_t alignment, VpBusReader *ret)
{
  uint32_t len;

  /* the padding in front of the first element is not in the length, and is there without one */
  if (vp_bus_reader_u32 (self, &len) < 0 || vp_bus_reader_take (self, alignment, 0) == NULL)
    return -1;
  *ret = (VpBusReader) { self->data, self->at, self->at + len };
  return vp_bus_reader_take (self, 1, len) == NULL ? -1 : 0;
}

/* Of a basic type; 0: it is none. */
static size_t
fixed_size (char type)
{
  switch (type)
    {
    case 'y':
      return 1;
    case 'n':
    case 'q':
      return 2;
    case 'b':
    case 'i':
    case 'u':
    case 'h':
      return 4;
    case 'x':
    case 't':
    case 'd':
      return 8;
    default:
      return 0;
    }
}

static size_t
alignment_of (char type)
{
  size_t size = fixed_size (type);

  if (size > 0)
    return size;
  return type == 'g' || type == 'v' ? 1 : type == '(' || type == '{' ? 8 : 4;
}

static const char *skip_one (VpBusReader *self, const char *signature, int depth);

/* The values up to the closing bracket. */
static const char *
skip_members (VpBusReader *self, const char *signature, int depth)
{
  if (vp_bus_reader_take (self, 8, 0) == NULL)
    return NULL;
  while (signature != NULL && *signature != ')' && *signature != '}')
    signature = *signature == '\0' ? NULL : skip_one (self, signature, depth);
  return signature == NULL ? NULL : signature + 1;
}

/* The end of the type that begins here, NULL: there is none. Nothing is read for an empty reader. */
static const char *
end_of_type (const char *signature)
{
  int open = 0;

  for (; *signature != '\0'; signature++)
    {
      open += *signature == '(' || *signature == '{';
      open -= *signature == ')' || *signature == '}';
      if (open == 0 && *signature != 'a')
        return signature + 1;
    }
  return NULL;
}

/* What is behind the type that @signature begins with. */
static const char *
skip_one (VpBusReader *self, const char *signature, int depth)
{
  size_t size = fixed_size (*signature);
  VpBusReader elements;
  const char *inner;

  if (depth > MAX_DEPTH)
    return NULL;
  if (size > 0)
    return vp_bus_reader_take (self, size, size) == NULL ? NULL : signature + 1;
  switch (*signature)
    {
    case 's':
    case 'o':
      return vp_bus_reader_string (self) == NULL ? NULL : signature + 1;
    case 'g':
      return vp_bus_reader_signature (self) == NULL ? NULL : signature + 1;
    case 'v':
      inner = vp_bus_reader_signature (self);
      return inner == NULL || *inner == '\0' || skip_one (self, inner, depth + 1) == NULL ? NULL : signature + 1;
    case '(':
    case '{':
      return skip_members (self, signature + 1, depth + 1);
    case 'a': /* its length says it all */
      inner = end_of_type (signature + 1);
      return inner == NULL || vp_bus_reader_array (self, alignment_of (signature[1]), &elements) < 0 ? NULL : inner;
    default:
      return NULL;
    }
}

int
vp_bus_reader_skip (VpBusReader *self, const char *signature)
{
  return skip_one (self, signature, 0) == NULL ? -1 : 0;
}

int
vp_bus_reader_entry (VpBusReader *entries, const char **ret_key, const char **ret_signature)
{
  if (entries->at >= entries->end)
    return 0;
  if (vp_bus_reader_take (entries, 8, 0) == NULL)
    return -1;
  *ret_key = vp_bus_reader_string (entries);
  *ret_signature = *ret_key == NULL ? NULL : vp_bus_reader_signature (entries);
  return *ret_signature == NULL ? -1 : 1;
}
