/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim-text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim-util.h"

void
shim_text_append (ShimText *self, const char *text, size_t len)
{
  if (self->len + len >= self->size)
    {
      size_t size = (self->len + len + 1) * 2;
      char *bigger = realloc (self->text, size);

      if (bigger == NULL)
        abort ();
      self->text = bigger;
      self->size = size;
    }
  memcpy (self->text + self->len, text, len);
  self->len += len;
  self->text[self->len] = '\0';
}

void
shim_text_printf (ShimText *self, const char *format, ...)
{
  va_list arguments;
  char *text;

  va_start (arguments, format);
  text = shim_vprintf (format, arguments);
  va_end (arguments);
  shim_text_append (self, text, strlen (text));
  free (text);
}

void
shim_text_string (ShimText *self, const char *text)
{
  shim_text_append (self, "\"", 1);
  for (; *text != '\0'; text++)
    if (*text == '"' || *text == '\\')
      shim_text_printf (self, "\\%c", *text);
    else if ((unsigned char) *text < 0x20)
      shim_text_printf (self, "\\u%04x", (unsigned) *text);
    else
      shim_text_append (self, text, 1);
  shim_text_append (self, "\"", 1);
}

int
shim_text_save (const ShimText *self, const char *path)
{
  char *draft = shim_printf ("%s.new", path);
  int fd, error;

  (void) unlink (draft);
  fd = open (draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
  error = fd < 0 ? -errno : shim_write_all (fd, self->text, self->len);
  if (fd >= 0 && close (fd) < 0 && error == 0)
    error = -errno;
  if (error == 0 && rename (draft, path) < 0)
    error = -errno;
  if (error != 0 && fd >= 0)
    (void) unlink (draft);
  free (draft);
  return error;
}
