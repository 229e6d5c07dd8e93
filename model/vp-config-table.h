/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-config.h"

/* Private to vp-config*.c: the table of keys. */
typedef enum
{
  VP_CONFIG_TYPE_STRING,
  VP_CONFIG_TYPE_PATH,   /* absolute */
  VP_CONFIG_TYPE_CHOICE, /* one of the words in choices */
  VP_CONFIG_TYPE_UINT,   /* min to max */
  VP_CONFIG_TYPE_BOOL,
} VpConfigType;

typedef struct
{
  const char *group;
  const char *key;
  VpConfigType type;
  const char *initial; /* the default, as it is written in the file */
  guint64 min, max;
  const char *choices; /* separated by "|" */
  const char *doc;     /* one paragraph */
} VpConfigRow;

extern const VpConfigRow vp_config_table[VP_N_CONFIG_KEYS];
