/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-uri.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "shim-util.h"

#define URI_MAX 65536
#define MAX_KEYS 256

static int
hex_digit (char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The @len bytes at @text without "%xx" (and "+" for a space when @plus), malloc'd; NULL: no such text. */
static char *
decode (const char *text, size_t len, int plus)
{
  char *out = shim_alloc (len + 1);
  size_t n = 0;

  for (size_t i = 0; i < len; i++)
    {
      int high, low;

      if (text[i] != '%')
        {
          out[n++] = plus && text[i] == '+' ? ' ' : text[i];
          continue;
        }
      if (i + 2 >= len || (high = hex_digit (text[i + 1])) < 0 || (low = hex_digit (text[i + 2])) < 0
          || (high == 0 && low == 0))
        {
          free (out);
          return NULL;
        }
      out[n++] = (char) (high << 4 | low);
      i += 2;
    }
  return out;
}

static int
has_key (const ShimUri *self, size_t n, const char *key)
{
  for (size_t i = 0; i < n; i += 2)
    if (strcmp (self->query[i], key) == 0)
      return 1;
  return 0;
}

static int
parse_query (ShimUri *self, const char *text, size_t len)
{
  const char *end = text + len;
  size_t n = 0;

  for (const char *next; text < end; text = next + 1)
    {
      const char *equals;
      char *key, *value;

      next = memchr (text, '&', (size_t) (end - text));
      if (next == NULL)
        next = end;
      if (next == text)
        continue;
      equals = memchr (text, '=', (size_t) (next - text));
      key = decode (text, (size_t) ((equals != NULL ? equals : next) - text), 1);
      value = equals != NULL ? decode (equals + 1, (size_t) (next - equals - 1), 1) : shim_strdup ("");
      if (key == NULL || value == NULL || n == (size_t) 2 * MAX_KEYS)
        {
          free (key);
          free (value);
          return -1;
        }
      if (has_key (self, n, key))
        {
          free (key);
          free (value);
          continue;
        }
      self->query[n++] = key;
      self->query[n++] = value;
    }
  return 0;
}

int
shim_uri_parse (ShimUri *self, const char *text, const char **ret_why)
{
  size_t path_len = strcspn (text, "?#");
  const char *query = text[path_len] == '?' ? text + path_len + 1 : "";

  *self = (ShimUri) { .query = shim_alloc ((2 * MAX_KEYS + 1) * sizeof (char *)) };
  self->path = decode (text, path_len, 0);
  if (strlen (text) > URI_MAX)
    *ret_why = "the URI is too long";
  else if (self->path == NULL)
    *ret_why = "the path of the URI has a % that is none";
  else if (*self->path != '/' || strlen (self->path) >= PATH_MAX)
    *ret_why = "must be absolute paths";
  else if (parse_query (self, query, strcspn (query, "#")) < 0)
    *ret_why = "the query of the URI is none";
  else
    return 0;
  shim_uri_clear (self);
  return -1;
}

void
shim_uri_clear (ShimUri *self)
{
  free (self->path);
  for (size_t i = 0; self->query != NULL && self->query[i] != NULL; i++)
    free (self->query[i]);
  free (self->query);
  *self = (ShimUri) { NULL, NULL };
}
