/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-tar-end.h"

#include <string.h>

#define BLOCK 512
#define PAX_MAX (1u << 20)

/* fields of a header block */
#define SIZE_AT 124
#define SIZE_LEN 12
#define CHECKSUM_AT 148
#define CHECKSUM_LEN 8
#define TYPE_AT 156

struct _VpTarEnd
{
  VpTarState state;
  guint8 block[BLOCK];
  gsize have;        /* bytes of block */
  guint64 skip;      /* blocks of content that still come */
  guint zeros;       /* blocks of zeros in a row */
  GByteArray *pax;   /* content of an extended header while it comes; NULL: not in one */
  gsize pax_size;    /* without its padding */
  gboolean sized;    /* the next member's size is in ... */
  guint64 size;      /* ... here: its header had no room for it */
};

VpTarEnd *
vp_tar_end_new (void)
{
  return g_new0 (VpTarEnd, 1);
}

void
vp_tar_end_free (VpTarEnd *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->pax, g_byte_array_unref);
  g_free (self);
}

/* Octal text, or a binary number when the first bit is set. */
static gboolean
parse_number (const guint8 *field, gsize len, guint64 *ret)
{
  guint64 value = 0;
  gsize i = 0;

  if (field[0] & 0x80)
    {
      value = field[0] & 0x3f;
      for (i = 1; i < len; i++)
        {
          if (value >> 55 != 0)
            return FALSE;
          value = value << 8 | field[i];
        }
      *ret = value;
      return field[0] < 0xc0; /* else it is negative */
    }
  while (i < len && field[i] == ' ')
    i++;
  for (; i < len && field[i] >= '0' && field[i] <= '7'; i++)
    value = value << 3 | (guint64) (field[i] - '0');
  *ret = value;
  return i == len || field[i] == ' ' || field[i] == '\0';
}

static gboolean
checksum_fits (const guint8 *block)
{
  guint64 told, sum = 0;

  for (gsize i = 0; i < BLOCK; i++)
    sum += i >= CHECKSUM_AT && i < CHECKSUM_AT + CHECKSUM_LEN ? ' ' : block[i];
  return parse_number (block + CHECKSUM_AT, CHECKSUM_LEN, &told) && told == sum;
}

/* "LENGTH size=NUMBER\n" among the records of an extended header. */
static void
find_size (VpTarEnd *self)
{
  const char *p = (const char *) self->pax->data;
  const char *end = p + self->pax_size;

  while (p < end)
    {
      g_autofree char *record = NULL;
      const char *value;
      gsize digits = 0;
      guint64 length = 0;

      while (p + digits < end && digits < 8 && g_ascii_isdigit (p[digits]))
        length = length * 10 + (guint64) (p[digits++] - '0');
      if (digits == 0 || length <= digits + 1 || length > (guint64) (end - p) || p[digits] != ' ')
        return;
      record = g_strndup (p, (gsize) length);
      value = record + digits + 1;
      if (g_str_has_prefix (value, "size="))
        self->sized = g_ascii_string_to_unsigned (g_strchomp ((char *) value + strlen ("size=")), 10, 0, G_MAXINT64,
                                                  &self->size, NULL);
      p += length;
    }
}

static void
take_header (VpTarEnd *self)
{
  guint8 type = self->block[TYPE_AT];
  guint64 size;

  if (!checksum_fits (self->block) || !parse_number (self->block + SIZE_AT, SIZE_LEN, &size) || type == 'S')
    {
      self->state = VP_TAR_BROKEN;
      return;
    }
  if (type == 'x')
    {
      if (size > PAX_MAX)
        {
          self->state = VP_TAR_BROKEN;
          return;
        }
      self->pax = g_byte_array_new ();
      self->pax_size = (gsize) size;
      self->sized = FALSE;
    }
  else if (type != 'g' && type != 'L' && type != 'K')
    {
      if (self->sized)
        size = self->size;
      self->sized = FALSE;
      if (type >= '1' && type <= '6') /* links, devices, directories: nothing comes */
        size = 0;
    }
  self->skip = size / BLOCK + (size % BLOCK != 0);
  if (self->skip == 0)
    g_clear_pointer (&self->pax, g_byte_array_unref);
}

static void
take_content (VpTarEnd *self)
{
  if (self->pax != NULL)
    g_byte_array_append (self->pax, self->block, BLOCK);
  if (--self->skip > 0 || self->pax == NULL)
    return;
  find_size (self);
  g_clear_pointer (&self->pax, g_byte_array_unref);
}

static void
take_block (VpTarEnd *self)
{
  static const guint8 nothing[BLOCK];

  if (self->skip > 0)
    take_content (self);
  else if (memcmp (self->block, nothing, BLOCK) != 0)
    {
      self->zeros = 0;
      take_header (self);
    }
  else if (++self->zeros == 2)
    self->state = VP_TAR_ENDED;
}

VpTarState
vp_tar_end_feed (VpTarEnd *self, const guint8 *data, gsize len)
{
  while (len > 0 && self->state == VP_TAR_MORE)
    {
      gsize n = MIN (len, BLOCK - self->have);

      memcpy (self->block + self->have, data, n);
      self->have += n;
      data += n;
      len -= n;
      if (self->have < BLOCK)
        break;
      self->have = 0;
      take_block (self);
    }
  return self->state;
}

VpTarState
vp_tar_end_get_state (VpTarEnd *self)
{
  return self->state;
}
