/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-util.h"

static int
is_kind (VpJsonPiece json, char open)
{
  return json.text != NULL && json.text[0] == open;
}

/* @wanted has its quotes */
static VpJsonPiece
find_member (VpJsonPiece object, VpJsonPiece wanted)
{
  VpJsonPiece name, value;

  for (size_t at = 0; vp_json_scan_next_member (object, &at, &name, &value);)
    {
      if (name.len == wanted.len && memcmp (name.text, wanted.text, name.len) == 0)
        return value;
    }
  return (VpJsonPiece){ NULL, 0 };
}

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

static int put_merged (Text *t, VpJsonPiece base, VpJsonPiece patch);

static int
put_object (Text *t, VpJsonPiece base, VpJsonPiece patch)
{
  VpJsonPiece name, value;
  size_t n = 0;

  put (t, "{", 1);
  for (size_t at = 0; vp_json_scan_next_member (base, &at, &name, &value); n++)
    {
      VpJsonPiece other = find_member (patch, name);

      put (t, ",", n > 0);
      put (t, name.text, name.len);
      put (t, ":", 1);
      if (other.text == NULL)
        put (t, value.text, value.len);
      else if (put_merged (t, value, other) < 0)
        return -EINVAL;
    }
  for (size_t at = 0; vp_json_scan_next_member (patch, &at, &name, &value);)
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
put_array (Text *t, VpJsonPiece base, VpJsonPiece patch)
{
  VpJsonPiece value, name, ignored;
  size_t n = 0, n_changed = 0, n_patches = 0, at = 0;

  put (t, "[", 1);
  for (value = vp_json_scan_next (base, &at); value.text != NULL; value = vp_json_scan_next (base, &at), n++)
    {
      char index[24];
      VpJsonPiece other;

      snprintf (index, sizeof index, "%zu", n);
      other = vp_json_scan_member (patch, index);
      put (t, ",", n > 0);
      if (other.text == NULL)
        put (t, value.text, value.len);
      else if (put_merged (t, value, other) < 0)
        return -EINVAL;
      n_changed += other.text != NULL;
    }
  put (t, "]", 1);
  for (size_t i = 0; vp_json_scan_next_member (patch, &i, &name, &ignored);)
    n_patches++;
  return n_changed == n_patches ? 0 : -EINVAL;
}

static int
put_merged (Text *t, VpJsonPiece base, VpJsonPiece patch)
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
  VpJsonPiece b, p;
  Text t = { NULL, 0, 0 };

  if (vp_json_scan_parse (base, base_len, &b) < 0 || vp_json_scan_parse (patch, patch_len, &p) < 0
      || put_merged (&t, b, p) < 0)
    {
      free (t.data);
      return -EINVAL;
    }
  *ret = t.data;
  *ret_len = t.len;
  return 0;
}
