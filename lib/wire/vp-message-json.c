/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-message-json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oci.pb-c.h"
#include "vp-oci-names.h"

/* Text under construction. The first error stays and makes the rest do nothing. */
typedef struct
{
  char *data;
  size_t len;
  size_t allocated;
  unsigned flags;
  unsigned depth;
  int error;
} Text;

/* members that OCI demands, or that mean something when they are zero */
static const struct
{
  const ProtobufCMessageDescriptor *message;
  const char *field;
} always[] = {
  { &grpc__user__descriptor, "UID" },
  { &grpc__user__descriptor, "GID" },
  { &grpc__box__descriptor, "Height" },
  { &grpc__box__descriptor, "Width" },
  { &grpc__posixrlimit__descriptor, "Hard" },
  { &grpc__posixrlimit__descriptor, "Soft" },
  { &grpc__linux_idmapping__descriptor, "HostID" },
  { &grpc__linux_idmapping__descriptor, "ContainerID" },
  { &grpc__linux_idmapping__descriptor, "Size" },
  { &grpc__linux_device__descriptor, "Major" },
  { &grpc__linux_device__descriptor, "Minor" },
  { &grpc__linux_device_cgroup__descriptor, "Allow" },
  { &grpc__linux_weight_device__descriptor, "Major" },
  { &grpc__linux_weight_device__descriptor, "Minor" },
  { &grpc__linux_throttle_device__descriptor, "Major" },
  { &grpc__linux_throttle_device__descriptor, "Minor" },
  { &grpc__linux_throttle_device__descriptor, "Rate" },
  { &grpc__linux_hugepage_limit__descriptor, "Limit" },
  { &grpc__linux_seccomp_arg__descriptor, "Index" },
  { &grpc__linux_seccomp_arg__descriptor, "Value" },
};

static void put_message (Text *t, const ProtobufCMessage *m);

static void
put (Text *t, const char *s, size_t n)
{
  if (t->error != 0)
    return;
  if (t->len + n + 1 > t->allocated)
    {
      size_t size = t->allocated > 0 ? t->allocated : 512;
      char *grown;

      while (size < t->len + n + 1)
        size *= 2;
      grown = realloc (t->data, size);
      if (grown == NULL)
        {
          t->error = ENOMEM;
          return;
        }
      t->data = grown;
      t->allocated = size;
    }
  memcpy (t->data + t->len, s, n);
  t->len += n;
  t->data[t->len] = '\0';
}

static void
put_text (Text *t, const char *s)
{
  put (t, s, strlen (s));
}

static void
put_colon (Text *t)
{
  put_text (t, (t->flags & VP_MESSAGE_JSON_PRETTY) != 0 ? ": " : ":");
}

/* before each item of a list or object, and before its end */
static void
put_newline (Text *t)
{
  if ((t->flags & VP_MESSAGE_JSON_PRETTY) == 0)
    return;
  put (t, "\n", 1);
  for (unsigned i = 0; i < t->depth; i++)
    put (t, "  ", 2);
}

static void
open_bracket (Text *t, const char *bracket)
{
  put_text (t, bracket);
  t->depth++;
}

static void
close_bracket (Text *t, const char *bracket, size_t n_items)
{
  t->depth--;
  if (n_items > 0)
    put_newline (t);
  put_text (t, bracket);
}

/* bytes of the UTF-8 character at @s, 0 if there is none: no surrogates, nothing
 * over U+10FFFF, no longer form than needed. Stops at a NUL. */
static size_t
utf8_length (const unsigned char *s)
{
  if (s[0] < 0x80)
    return 1;
  if (s[0] < 0xc2 || s[0] > 0xf4 || (s[1] & 0xc0) != 0x80)
    return 0;
  if (s[0] < 0xe0)
    return 2;
  if ((s[2] & 0xc0) != 0x80 || (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f))
    return 0;
  if (s[0] < 0xf0)
    return 3;
  if ((s[3] & 0xc0) != 0x80 || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
    return 0;
  return 4;
}

static void
put_string (Text *t, const char *string)
{
  const unsigned char *s = (const unsigned char *) (string != NULL ? string : "");
  char escaped[8];

  put (t, "\"", 1);
  while (*s != '\0' && t->error == 0)
    {
      size_t n = utf8_length (s);

      if (n == 0)
        t->error = EILSEQ;
      else if (*s == '"' || *s == '\\')
        {
          snprintf (escaped, sizeof escaped, "\\%c", *s);
          put_text (t, escaped);
        }
      else if (*s < 0x20 || *s == 0x7f)
        {
          snprintf (escaped, sizeof escaped, "\\u%04x", *s);
          put_text (t, escaped);
        }
      else
        put (t, (const char *) s, n);
      s += n;
    }
  put (t, "\"", 1);
}

static void
put_base64 (Text *t, const ProtobufCBinaryData *b)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

  put (t, "\"", 1);
  for (size_t i = 0; i < b->len; i += 3)
    {
      size_t left = b->len - i;
      unsigned v = (unsigned) b->data[i] << 16;
      char out[4];

      v |= left > 1 ? (unsigned) b->data[i + 1] << 8 : 0;
      v |= left > 2 ? b->data[i + 2] : 0;
      out[0] = digits[v >> 18];
      out[1] = digits[v >> 12 & 63];
      out[2] = left > 1 ? digits[v >> 6 & 63] : '=';
      out[3] = left > 2 ? digits[v & 63] : '=';
      put (t, out, 4);
    }
  put (t, "\"", 1);
}

static void
put_enum (Text *t, const ProtobufCFieldDescriptor *f, int value)
{
  const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value (f->descriptor, value);
  char number[16];

  snprintf (number, sizeof number, "%d", value);
  if (v != NULL)
    put_string (t, v->name);
  else
    put_text (t, number);
}

/* one value of the type of @f, which @p points to */
static void
put_value (Text *t, const ProtobufCFieldDescriptor *f, const void *p)
{
  char number[32] = "";

  switch (f->type)
    {
    case PROTOBUF_C_TYPE_INT32:
      snprintf (number, sizeof number, "%" PRId32, *(const int32_t *) p);
      break;
    case PROTOBUF_C_TYPE_UINT32:
      snprintf (number, sizeof number, "%" PRIu32, *(const uint32_t *) p);
      break;
    case PROTOBUF_C_TYPE_INT64:
      snprintf (number, sizeof number, "%" PRId64, *(const int64_t *) p);
      break;
    case PROTOBUF_C_TYPE_UINT64:
      snprintf (number, sizeof number, "%" PRIu64, *(const uint64_t *) p);
      break;
    case PROTOBUF_C_TYPE_BOOL:
      put_text (t, *(const protobuf_c_boolean *) p ? "true" : "false");
      break;
    case PROTOBUF_C_TYPE_STRING:
      put_string (t, *(char *const *) p);
      break;
    case PROTOBUF_C_TYPE_BYTES:
      put_base64 (t, p);
      break;
    case PROTOBUF_C_TYPE_ENUM:
      put_enum (t, f, *(const int *) p);
      break;
    case PROTOBUF_C_TYPE_MESSAGE:
      put_message (t, *(ProtobufCMessage *const *) p);
      break;
    default:
      /* floating point, zigzag and fixed-size numbers are in none of our messages */
      t->error = ENOTSUP;
    }
  put_text (t, number);
}

static size_t
size_of (ProtobufCType type)
{
  switch (type)
    {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
      return 8;
    case PROTOBUF_C_TYPE_BOOL:
      return sizeof (protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
      return sizeof (void *);
    case PROTOBUF_C_TYPE_BYTES:
      return sizeof (ProtobufCBinaryData);
    default:
      return 4;
    }
}

/* map<string, X> is a list of messages {key = 1, value = 2} named ...Entry */
static int
is_map (const ProtobufCFieldDescriptor *f)
{
  const ProtobufCMessageDescriptor *d = f->descriptor;
  size_t len;

  if (f->type != PROTOBUF_C_TYPE_MESSAGE || d->n_fields != 2 || strcmp (d->fields[0].name, "key") != 0
      || strcmp (d->fields[1].name, "value") != 0 || d->fields[0].type != PROTOBUF_C_TYPE_STRING)
    return 0;
  len = strlen (d->short_name);
  return len > 5 && strcmp (d->short_name + len - 5, "Entry") == 0;
}

static void
put_repeated (Text *t, const ProtobufCFieldDescriptor *f, const uint8_t *array, size_t n)
{
  int map = is_map (f);

  open_bracket (t, map ? "{" : "[");
  for (size_t i = 0; i < n && t->error == 0; i++)
    {
      const uint8_t *item = array + i * size_of (f->type);

      if (i > 0)
        put (t, ",", 1);
      put_newline (t);
      if (map)
        {
          const ProtobufCFieldDescriptor *members
              = ((const ProtobufCMessageDescriptor *) f->descriptor)->fields;
          const uint8_t *entry = *(const uint8_t *const *) item;

          put_value (t, &members[0], entry + members[0].offset);
          put_colon (t);
          put_value (t, &members[1], entry + members[1].offset);
        }
      else
        put_value (t, f, item);
    }
  close_bracket (t, map ? "}" : "]", n);
}

static int
is_zero (const ProtobufCFieldDescriptor *f, const uint8_t *p)
{
  static const uint8_t zero[8];

  switch (f->type)
    {
    case PROTOBUF_C_TYPE_MESSAGE:
      return *(void *const *) p == NULL;
    case PROTOBUF_C_TYPE_STRING:
      return *(char *const *) p == NULL || **(char *const *) p == '\0';
    case PROTOBUF_C_TYPE_BYTES:
      return ((const ProtobufCBinaryData *) p)->len == 0;
    default:
      return memcmp (p, zero, size_of (f->type)) == 0;
    }
}

static int
is_wanted (const Text *t, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
  const uint8_t *base = (const uint8_t *) m;

  if (f->label == PROTOBUF_C_LABEL_REPEATED)
    return *(const size_t *) (base + f->quantifier_offset) > 0;
  if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
    return *(const uint32_t *) (base + f->quantifier_offset) == f->id;
  if (!is_zero (f, base + f->offset))
    return 1;
  if ((t->flags & VP_MESSAGE_JSON_OCI) == 0)
    return 0;
  for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
    if (always[i].message == m->descriptor && strcmp (always[i].field, f->name) == 0)
      return 1;
  return 0;
}

static void
put_message (Text *t, const ProtobufCMessage *m)
{
  const uint8_t *base = (const uint8_t *) m;
  size_t n_put = 0;
  char buf[64];

  open_bracket (t, "{");
  for (unsigned i = 0; i < m->descriptor->n_fields && t->error == 0; i++)
    {
      const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];

      if (!is_wanted (t, m, f))
        continue;
      if (n_put++ > 0)
        put (t, ",", 1);
      put_newline (t);
      put_string (t, (t->flags & VP_MESSAGE_JSON_OCI) != 0 ? vp_oci_json_name (f, buf) : f->name);
      put_colon (t);
      if (f->label == PROTOBUF_C_LABEL_REPEATED)
        put_repeated (t, f, *(const uint8_t *const *) (base + f->offset),
                      *(const size_t *) (base + f->quantifier_offset));
      else
        put_value (t, f, base + f->offset);
    }
  close_bracket (t, "}", n_put);
}

char *
vp_message_to_json (const ProtobufCMessage *m, unsigned flags, size_t *ret_len)
{
  Text t = { .flags = flags };

  put_message (&t, m);
  if ((flags & VP_MESSAGE_JSON_PRETTY) != 0)
    put (&t, "\n", 1);
  if (t.error != 0)
    {
      free (t.data);
      errno = t.error;
      return NULL;
    }
  if (ret_len != NULL)
    *ret_len = t.len;
  return t.data;
}
