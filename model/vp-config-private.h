/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-config-table.h"

/* Private to vp-config*.c. */

/* Not changed once it is in a VpConfig: copies of that share it. */
typedef struct
{
  gatomicrefcount ref_count;
  char *text;   /* as written; never NULL */
  char *source; /* never NULL in a VpConfig */
  guint layer;  /* 0: the default; larger is later */
  guint64 number; /* INT: its bits */
  double real;
  gboolean boolean;
  char **list; /* NULL unless a list */
} VpConfigValue;

/* A "[handler NAME]" section. Not changed once loaded, copies share it. */
typedef struct
{
  VpConfigKey key;
  guint file; /* files count from 1 in their order */
  char *text;
  char *source;
} VpConfigEntry;

typedef struct
{
  char *name;
  GPtrArray *entries; /* of VpConfigEntry, in the order of the files */
} VpConfigHandler;

struct _VpConfig
{
  gatomicrefcount ref_count;
  VpConfigValue *values[VP_N_CONFIG_KEYS];
  guint last_layer;
  GPtrArray *handlers; /* of VpConfigHandler, in the order of the files */
};

/* ---- vp-config-value.c ---- */

/* All but source and layer. The message says only why. */
VpConfigValue *vp_config_value_parse (const VpConfigRow *row, const char *text, GError **error);
VpConfigValue *vp_config_value_ref (VpConfigValue *value);
void vp_config_value_unref (VpConfigValue *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpConfigValue, vp_config_value_unref)
/* "A number from 1 to 10." for people. Free with g_free (). */
char *vp_config_row_describe_type (const VpConfigRow *row);

/* ---- vp-config.c ---- */

/* @code is the error's; the message is "@source: group.key: why". */
gboolean vp_config_set (VpConfig *config, VpConfigKey key, const char *text, const char *source, guint layer,
                        int code, GError **error);

/* ---- vp-config-handler.c ---- */

/* Borrowed; made when there is none. */
VpConfigHandler *vp_config_ensure_handler (VpConfig *config, const char *name);
void vp_config_handler_add (VpConfigHandler *handler, VpConfigKey key, const char *text, const char *source,
                            guint file);
VpConfigHandler *vp_config_find_handler (VpConfig *config, const char *name);
void vp_config_handler_free (gpointer handler);
/* A letter or digit, then those, ".", "_" and "-", at most 63 of them. */
gboolean vp_config_handler_name_is_valid (const char *name);
