/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-json-scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64

/* What is left to be read. */
typedef struct
{
  const char *p;
  const char *end;
} Reader;

static int skip_value (Reader *r, unsigned depth);

static void
skip_space (Reader *r)
{
  while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
    r->p++;
}

/* 1 if the next character is @c, which is then behind us */
static int
take (Reader *r, char c)
{
  if (r->p >= r->end || *r->p != c)
    return 0;
  r->p++;
  return 1;
}

static int
skip_escape (Reader *r)
{
  if (r->p >= r->end)
    return -EINVAL;
  if (!take (r, 'u'))
    return strchr ("\"\\/bfnrt", *r->p) != NULL && *r->p++ != '\0' ? 0 : -EINVAL;
  for (int i = 0; i < 4; i++, r->p++)
    {
      if (r->p >= r->end || *r->p == '\0' || strchr ("0123456789abcdefABCDEF", *r->p) == NULL)
        return -EINVAL;
    }
  return 0;
}

static int
skip_string (Reader *r)
{
  if (!take (r, '"'))
    return -EINVAL;
  while (r->p < r->end && (unsigned char)*r->p >= 0x20)
    {
      char c = *r->p++;

      if (c == '"')
        return 0;
      if (c == '\\' && skip_escape (r) < 0)
        return -EINVAL;
    }
  return -EINVAL;
}

static int
skip_digits (Reader *r)
{
  const char *start = r->p;

  while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
    r->p++;
  return r->p > start ? 0 : -EINVAL;
}

static int
skip_number (Reader *r)
{
  take (r, '-');
  if (!take (r, '0') && skip_digits (r) < 0)
    return -EINVAL;
  if (take (r, '.') && skip_digits (r) < 0)
    return -EINVAL;
  if (take (r, 'e') || take (r, 'E'))
    {
      if (!take (r, '+'))
        take (r, '-');
      return skip_digits (r);
    }
  return 0;
}

static int
skip_word (Reader *r, const char *word)
{
  size_t len = strlen (word);

  if ((size_t)(r->end - r->p) < len || memcmp (r->p, word, len) != 0)
    return -EINVAL;
  r->p += len;
  return 0;
}

/* The name of a member up to and with its colon; *ret_name has the quotes. */
static int
read_name (Reader *r, VpJsonPiece *ret_name)
{
  skip_space (r);
  ret_name->text = r->p;
  if (skip_string (r) < 0)
    return -EINVAL;
  ret_name->len = (size_t)(r->p - ret_name->text);
  skip_space (r);
  return take (r, ':') ? 0 : -EINVAL;
}

static int
skip_items (Reader *r, char close, unsigned depth)
{
  VpJsonPiece name;

  skip_space (r);
  if (take (r, close))
    return 0;
  for (;;)
    {
      if ((close == '}' && read_name (r, &name) < 0) || skip_value (r, depth) < 0)
        return -EINVAL;
      if (take (r, close))
        return 0;
      if (!take (r, ','))
        return -EINVAL;
    }
}

/* With the space around it. @depth: levels above */
static int
skip_value (Reader *r, unsigned depth)
{
  int rc;

  skip_space (r);
  if (r->p >= r->end || depth > MAX_DEPTH)
    return -EINVAL;
  switch (*r->p)
    {
    case '{':
    case '[':
      r->p++;
      rc = skip_items (r, r->p[-1] == '{' ? '}' : ']', depth + 1);
      break;
    case '"':
      rc = skip_string (r);
      break;
    case 't':
      rc = skip_word (r, "true");
      break;
    case 'f':
      rc = skip_word (r, "false");
      break;
    case 'n':
      rc = skip_word (r, "null");
      break;
    default:
      rc = skip_number (r);
    }
  skip_space (r);
  return rc;
}

/* The value that comes next, without the space around it. Of a parsed document. */
static VpJsonPiece
read_value (Reader *r)
{
  VpJsonPiece json;

  skip_space (r);
  json.text = r->p;
  skip_value (r, 0);
  json.len = (size_t)(r->p - json.text);
  while (json.len > 0 && strchr (" \t\n\r", json.text[json.len - 1]) != NULL)
    json.len--;
  return json;
}

int
vp_json_scan_parse (const char *text, size_t len, VpJsonPiece *ret)
{
  Reader r = { text, text + len };

  if (skip_value (&r, 0) < 0 || r.p != r.end)
    return -EINVAL;
  r.p = text;
  *ret = read_value (&r);
  return 0;
}

/* ---- reading what was parsed -------------------------------------------------- */

static int
is_kind (VpJsonPiece json, char open)
{
  return json.text != NULL && json.text[0] == open;
}

int
vp_json_scan_next_member (VpJsonPiece object, size_t *at, VpJsonPiece *ret_name, VpJsonPiece *ret_value)
{
  Reader r;

  if (!is_kind (object, '{'))
    return 0;
  r = (Reader){ object.text + (*at == 0 ? 1 : *at), object.text + object.len };
  skip_space (&r);
  take (&r, ',');
  skip_space (&r);
  if (r.p >= r.end || *r.p == '}' || read_name (&r, ret_name) < 0)
    return 0;
  *ret_value = read_value (&r);
  *at = (size_t)(r.p - object.text);
  return 1;
}

VpJsonPiece
vp_json_scan_member (VpJsonPiece json, const char *name)
{
  VpJsonPiece found, value;
  size_t len = strlen (name);

  for (size_t at = 0; vp_json_scan_next_member (json, &at, &found, &value);)
    if (found.len == len + 2 && memcmp (found.text + 1, name, len) == 0)
      return value;
  return (VpJsonPiece){ NULL, 0 };
}

VpJsonPiece
vp_json_scan_next (VpJsonPiece array, size_t *at)
{
  Reader r;
  VpJsonPiece value = { NULL, 0 };

  if (!is_kind (array, '['))
    return value;
  r = (Reader){ array.text + (*at == 0 ? 1 : *at), array.text + array.len };
  skip_space (&r);
  take (&r, ',');
  skip_space (&r);
  if (r.p >= r.end || *r.p == ']')
    return value;
  value = read_value (&r);
  *at = (size_t)(r.p - array.text);
  return value;
}

int
vp_json_scan_is_string (VpJsonPiece json, const char *string)
{
  size_t len = strlen (string);

  return is_kind (json, '"') && json.len == len + 2 && memcmp (json.text + 1, string, len) == 0;
}

int
vp_json_scan_get_int (VpJsonPiece json, int64_t *ret)
{
  char number[24], *end;
  long long value;

  if (json.text == NULL || json.len >= sizeof number)
    return 0;
  memcpy (number, json.text, json.len);
  number[json.len] = '\0';
  errno = 0;
  value = strtoll (number, &end, 10);
  if (end == number || *end != '\0' || errno != 0)
    return 0;
  *ret = value;
  return 1;
}

int
vp_json_scan_get_string (VpJsonPiece json, char *out, size_t size)
{
  if (!is_kind (json, '"') || json.len - 2 >= size || memchr (json.text, '\\', json.len) != NULL)
    return 0;
  memcpy (out, json.text + 1, json.len - 2);
  out[json.len - 2] = '\0';
  return 1;
}
