/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-util.h"

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
read_name (Reader *r, AgentJson *ret_name)
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
  AgentJson name;

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
static AgentJson
read_value (Reader *r)
{
  AgentJson json;

  skip_space (r);
  json.text = r->p;
  skip_value (r, 0);
  json.len = (size_t)(r->p - json.text);
  while (json.len > 0 && strchr (" \t\n\r", json.text[json.len - 1]) != NULL)
    json.len--;
  return json;
}

int
agent_json_parse (const char *text, size_t len, AgentJson *ret)
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
is_kind (AgentJson json, char open)
{
  return json.text != NULL && json.text[0] == open;
}

/* The next member of an object. 0 after the last */
static int
next_member (AgentJson object, size_t *at, AgentJson *ret_name, AgentJson *ret_value)
{
  Reader r = { object.text + (*at == 0 ? 1 : *at), object.text + object.len };

  skip_space (&r);
  take (&r, ',');
  skip_space (&r);
  if (r.p >= r.end || *r.p == '}' || read_name (&r, ret_name) < 0)
    return 0;
  *ret_value = read_value (&r);
  *at = (size_t)(r.p - object.text);
  return 1;
}

static AgentJson
find_member (AgentJson object, AgentJson wanted)
{
  AgentJson name, value;

  if (is_kind (object, '{'))
    {
      for (size_t at = 0; next_member (object, &at, &name, &value);)
        {
          if (name.len == wanted.len && memcmp (name.text, wanted.text, name.len) == 0)
            return value;
        }
    }
  return (AgentJson){ NULL, 0 };
}

AgentJson
agent_json_member (AgentJson json, const char *name)
{
  char *quoted = agent_printf ("\"%s\"", name);
  AgentJson value = find_member (json, (AgentJson){ quoted, strlen (quoted) });

  free (quoted);
  return value;
}

AgentJson
agent_json_next (AgentJson array, size_t *at)
{
  Reader r;
  AgentJson value = { NULL, 0 };

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
agent_json_is_string (AgentJson json, const char *string)
{
  size_t len = strlen (string);

  return is_kind (json, '"') && json.len == len + 2 && memcmp (json.text + 1, string, len) == 0;
}

int
agent_json_get_int (AgentJson json, int64_t *ret)
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

/* ---- merging ---------------------------------------------------------------- */

typedef struct
{
  char *data;
  size_t len, size;
} Text;

static void
put (Text *t, const char *data, size_t len)
{
  if (t->len + len + 1 > t->size)
    {
      char *bigger;

      t->size = (t->len + len + 1) * 2;
      bigger = agent_alloc (t->size);
      if (t->len > 0)
        memcpy (bigger, t->data, t->len);
      free (t->data);
      t->data = bigger;
    }
  memcpy (t->data + t->len, data, len);
  t->len += len;
  t->data[t->len] = '\0';
}

static int put_merged (Text *t, AgentJson base, AgentJson patch);

static int
put_object (Text *t, AgentJson base, AgentJson patch)
{
  AgentJson name, value;
  size_t n = 0;

  put (t, "{", 1);
  for (size_t at = 0; next_member (base, &at, &name, &value); n++)
    {
      AgentJson other = find_member (patch, name);

      put (t, ",", n > 0);
      put (t, name.text, name.len);
      put (t, ":", 1);
      if (other.text == NULL)
        put (t, value.text, value.len);
      else if (put_merged (t, value, other) < 0)
        return -EINVAL;
    }
  for (size_t at = 0; next_member (patch, &at, &name, &value);)
    {
      if (find_member (base, name).text != NULL)
        continue;
      put (t, ",", n++ > 0);
      put (t, name.text, name.len);
      put (t, ":", 1);
      put (t, value.text, value.len);
    }
  put (t, "}", 1);
  return 0;
}

static int
put_array (Text *t, AgentJson base, AgentJson patch)
{
  AgentJson value, name, ignored;
  size_t n = 0, n_changed = 0, n_patches = 0, at = 0;

  put (t, "[", 1);
  for (value = agent_json_next (base, &at); value.text != NULL; value = agent_json_next (base, &at), n++)
    {
      char index[24];
      AgentJson other;

      snprintf (index, sizeof index, "%zu", n);
      other = agent_json_member (patch, index);
      put (t, ",", n > 0);
      if (other.text == NULL)
        put (t, value.text, value.len);
      else if (put_merged (t, value, other) < 0)
        return -EINVAL;
      n_changed += other.text != NULL;
    }
  put (t, "]", 1);
  for (size_t i = 0; next_member (patch, &i, &name, &ignored);)
    n_patches++;
  return n_changed == n_patches ? 0 : -EINVAL;
}

static int
put_merged (Text *t, AgentJson base, AgentJson patch)
{
  if (is_kind (base, '{') && is_kind (patch, '{'))
    return put_object (t, base, patch);
  if (is_kind (base, '[') && is_kind (patch, '{'))
    return put_array (t, base, patch);
  put (t, patch.text, patch.len);
  return 0;
}

int
agent_json_merge (const char *base, size_t base_len, const char *patch, size_t patch_len, char **ret,
                  size_t *ret_len)
{
  AgentJson b, p;
  Text t = { NULL, 0, 0 };

  if (agent_json_parse (base, base_len, &b) < 0 || agent_json_parse (patch, patch_len, &p) < 0
      || put_merged (&t, b, p) < 0)
    {
      free (t.data);
      return -EINVAL;
    }
  *ret = t.data;
  *ret_len = t.len;
  return 0;
}
