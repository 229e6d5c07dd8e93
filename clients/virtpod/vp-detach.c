/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-detach.h"

#include <string.h>

#define MAX_KEYS 16

struct _VpDetach
{
  guint8 keys[MAX_KEYS];
  gsize n_keys;
  gsize matched; /* keys held back */
};

static gboolean
parse_key (const char *text, guint8 *ret)
{
  if (g_str_has_prefix (text, "ctrl-") && strlen (text) == strlen ("ctrl-") + 1)
    {
      char c = g_ascii_toupper (text[strlen ("ctrl-")]);

      *ret = (guint8) (c & 0x1f);
      return c >= '@' && c <= '_';
    }
  *ret = (guint8) text[0];
  return text[0] > ' ' && text[0] < 0x7f && text[1] == '\0';
}

VpDetach *
vp_detach_new (const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  g_autoptr (VpDetach) self = g_new0 (VpDetach, 1);

  if (g_strv_length (words) > MAX_KEYS)
    return NULL;
  for (char **word = words; *word != NULL; word++)
    if (!parse_key (*word, &self->keys[self->n_keys++]))
      return NULL;
  return g_steal_pointer (&self);
}

void
vp_detach_free (VpDetach *self)
{
  g_free (self);
}

/* What was held back was not the sequence: its first byte goes out, and the rest
 * may be a beginning again. */
static void
give_up_first (VpDetach *self, GByteArray *out)
{
  gsize held = self->matched;

  g_byte_array_append (out, self->keys, 1);
  for (self->matched = held - 1; self->matched > 0; self->matched--)
    {
      if (memcmp (self->keys, self->keys + held - self->matched, self->matched) == 0)
        return;
      g_byte_array_append (out, self->keys + held - self->matched, 1);
    }
}

gboolean
vp_detach_feed (VpDetach *self, const guint8 *data, gsize len, GByteArray *out)
{
  for (gsize i = 0; i < len; i++)
    {
      while (self->matched > 0 && self->keys[self->matched] != data[i])
        give_up_first (self, out);
      if (self->n_keys == 0 || self->keys[self->matched] != data[i])
        g_byte_array_append (out, &data[i], 1);
      else if (++self->matched == self->n_keys)
        return TRUE;
    }
  return FALSE;
}
