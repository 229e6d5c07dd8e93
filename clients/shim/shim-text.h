/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* A text that grows: files and documents that the shim writes. Begins as { NULL, 0, 0 }. */
typedef struct
{
  char *text; /* malloc'd, NUL-terminated; NULL: nothing yet */
  size_t len, size;
} ShimText;

void shim_text_append (ShimText *self, const char *text, size_t len);
void shim_text_printf (ShimText *self, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
/* As a string of JSON, with its quotes. */
void shim_text_string (ShimText *self, const char *text);

/* 0 or -errno: a file with this text, in place of one that is there. Whoever reads it
 * meanwhile has the one or the other. */
int shim_text_save (const ShimText *self, const char *path);
