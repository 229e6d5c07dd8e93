/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-config.h"

/* Private to vp-config*.c and vp-kata-import*.c: the table of keys. */
typedef enum
{
  VP_CONFIG_EMPTY = 1 << 0,        /* a path that may be empty */
  VP_CONFIG_GLOBAL = 1 << 1,       /* no handler sets it */
  VP_CONFIG_POWER_OF_TWO = 1 << 2,
  VP_CONFIG_PATTERNS = 1 << 3,     /* each item is a regular expression */
  VP_CONFIG_BIND_MOUNTS = 1 << 4,  /* each item is an absolute path, perhaps with ":ro" or ":rw" */
  VP_CONFIG_OR_ZERO = 1 << 5,      /* 0 is allowed besides the range */
} VpConfigFlags;

typedef struct
{
  const char *group;
  const char *key;
  VpConfigType type;
  guint flags;
  const char *initial; /* the default, as it is written in the file */
  double min, max;     /* numbers, whole ones below 2^53 */
  const char *words;   /* CHOICE: separated by "|"; LIST: the separator when it is not ";" */
  const char *doc;     /* one paragraph */

  /* Names in Kata's configuration.toml, separated by blanks, sections "hypervisor",
   * "agent" and "runtime". ":not" behind one: a boolean the other way round; ":s": seconds where this one has milliseconds; ":bits": bits where
   * this one has bytes. NULL: none. */
  const char *kata;
} VpConfigRow;

extern const VpConfigRow vp_config_table[VP_N_CONFIG_KEYS];
