/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "vp-plain.h"

enum
{
  TEXT,
  ESCAPE,  /* after ESC */
  CONTROL, /* after ESC [ : until a byte from @ to ~ */
  STRING,  /* after ESC ] and the like: until BEL or ESC \ */
};

#define ESC 0x1b
#define BEL 0x07
#define CAN 0x18
#define SUB 0x1a

/* FALSE when the byte belonged to a sequence, which goes. */
static gboolean
is_text (VpPlain *self, guint8 byte)
{
  switch (self->state)
    {
    case ESCAPE:
      if (byte == '[')
        self->state = CONTROL;
      else if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
        self->state = STRING;
      else if (byte < 0x20 || byte > 0x2f) /* those in between have one more byte */
        self->state = TEXT;
      break;
    case CONTROL:
      if (byte == CAN || byte == SUB || (byte >= 0x40 && byte <= 0x7e))
        self->state = TEXT;
      break;
    case STRING:
      if (byte == BEL || byte == CAN || byte == SUB || byte == '\n')
        self->state = TEXT;
      break;
    default:
      if (byte != ESC)
        return TRUE;
    }
  if (byte == ESC)
    self->state = ESCAPE;
  return FALSE;
}

static void
append_character (GString *out, gunichar c)
{
  GUnicodeType type = g_unichar_validate (c) ? g_unichar_type (c) : G_UNICODE_CONTROL;

  if (c == '\n' || c == '\t')
    g_string_append_c (out, (char) c);
  else if (c == '\r')
    return;
  else if (type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT || type == G_UNICODE_SURROGATE
           || type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR)
    g_string_append_c (out, '?');
  else
    g_string_append_unichar (out, c);
}

/* One byte of UTF-8; what is none is "?" for each broken beginning. */
static void
feed_text (VpPlain *self, guint8 byte, GString *out)
{
  static const guint32 smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };

  if (self->missing > 0 && (byte & 0xc0) == 0x80)
    {
      self->character = self->character << 6 | (byte & 0x3f);
      if (--self->missing == 0)
        append_character (out, self->character < smallest[self->length] ? 0 : self->character);
      return;
    }
  if (self->missing > 0)
    g_string_append_c (out, '?');
  self->missing = 0;
  self->length = byte < 0x80 ? 1 : (byte & 0xe0) == 0xc0 ? 2 : (byte & 0xf0) == 0xe0 ? 3 : (byte & 0xf8) == 0xf0 ? 4 : 0;
  if (self->length == 0)
    g_string_append_c (out, '?');
  else if (self->length == 1)
    append_character (out, byte);
  else
    {
      self->missing = self->length - 1;
      self->character = byte & (0x7fu >> self->length);
    }
}

void
vp_plain_feed (VpPlain *self, const guint8 *data, gsize len, GString *out)
{
  for (gsize i = 0; i < len; i++)
    if (is_text (self, data[i]))
      feed_text (self, data[i], out);
}
