/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <string.h>

/* What the targets share. Each target's file is compiled twice: with libFuzzer,
 * and with FUZZ_CORPUS naming its corpus below tests/, when it is a test that
 * runs the corpus (fuzz-replay.c). */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Takes the text up to the next newline off @rest; NULL at the end. */
static inline char *
fuzz_take_line (const char **rest, const char *end)
{
  const char *start = *rest, *newline;

  if (start >= end)
    return NULL;
  newline = memchr (start, '\n', (gsize)(end - start));
  *rest = newline != NULL ? newline + 1 : end;
  return g_strndup (start, (gsize)((newline != NULL ? newline : end) - start));
}

/* Leak checkers and coverage want errors freed, and none without a message. */
static inline void
fuzz_check_error (GError **error)
{
  g_assert_nonnull (*error);
  g_assert_true ((*error)->message[0] != '\0');
  g_assert_true (g_utf8_validate ((*error)->message, -1, NULL));
  g_clear_error (error);
}
