/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-config.h"

/* A file of tests/keys. Lines of a case, in this order:
 *
 *   == [annotation] NAME VALUE     what the case is about
 *   with [annotation] NAME VALUE   what else is set, on both sides of the comparison
 *   facts WORD VALUE               of the host, likewise: "driver CH", "nodes 0-3", ...
 *   in FILE                        it is read by this file of the source tree
 *
 * and behind them what came out: "plan -LINE", "xml +LINE", "guest +LINE",
 * "refused NAME: MESSAGE", "no effect: REASON", "nothing differs". Lines that
 * begin with "#" and empty ones are kept. */

typedef enum
{
  KEY_CHANGES,
  KEY_ELSEWHERE, /* nothing differs, and a file that acts on it was named and reads it */
  KEY_NO_EFFECT,
  KEY_REFUSED,
  KEY_NOTHING,
} KeyOutcome;

typedef struct
{
  char *name;
  char *value;
  gboolean annotation;
  GPtrArray *inputs; /* of char: "with …", "facts …", "in …" */
  char *expected;    /* what the file says comes out */
  char *found;       /* what did */
  KeyOutcome outcome;
} KeyCase;

typedef struct
{
  char *path;
  GPtrArray *cases;    /* of KeyCase */
  GPtrArray *comments; /* of char, text before case i; one more at the end */
} KeyFile;

/* Reads the file and runs its cases. */
KeyFile *key_file_load (const char *path);
void key_file_free (KeyFile *file);

/* Fails the test where something else came out, or writes that into the file. */
void key_file_check (KeyFile *file, gboolean update);
