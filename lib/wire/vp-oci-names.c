/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-oci-names.h"

#include <string.h>

#define NAME_MAX_LEN 63

/* where the rule below does not give the specification's name */
static const struct
{
  const char *proto;
  const char *json;
} exceptions[] = {
  { "Version", "ociVersion" },
  { "Pagesize", "pageSize" },
  { "errnoret", "errnoRet" },
};

static int
is_upper (char c)
{
  return c >= 'A' && c <= 'Z';
}

static int
is_lower (char c)
{
  return c >= 'a' && c <= 'z';
}

const char *
vp_oci_json_name (const ProtobufCFieldDescriptor *f, char buf[64])
{
  size_t i;

  for (i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++)
    if (strcmp (exceptions[i].proto, f->name) == 0)
      return exceptions[i].json;

  /* The capitals at the start become small, but one that begins a word of small
   * letters after others stays: UID + Mappings, and Limit alone. */
  for (i = 0; i < NAME_MAX_LEN && is_upper (f->name[i]); i++)
    {
      if (i > 0 && is_lower (f->name[i + 1]))
        break;
      buf[i] = (char) (f->name[i] - 'A' + 'a');
    }
  for (; i < NAME_MAX_LEN && f->name[i] != '\0'; i++)
    buf[i] = f->name[i];
  buf[i] = '\0';
  return buf;
}
