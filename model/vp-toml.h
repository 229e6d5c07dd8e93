/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* As much of TOML as configuration files of container runtimes use: comments,
 * [dotted.tables], bare, quoted and dotted keys, one-line strings of both
 * kinds, decimal and hexadecimal integers, floats, booleans, arrays of these
 * over any number of lines. What is left out (inline tables, arrays of tables
 * or arrays, strings over several lines, dates) is refused by name. */

typedef enum
{
  VP_TOML_STRING,
  VP_TOML_INTEGER,
  VP_TOML_FLOAT,
  VP_TOML_BOOLEAN,
  VP_TOML_ARRAY,
} VpTomlType;

typedef struct
{
  VpTomlType type;
  const char *text;         /* string decoded, numbers decimal without "_", "true", "false"; ARRAY: "" */
  const char *const *items; /* ARRAY: the text of each; else NULL */
} VpTomlValue;

/* @path: table and key joined by ".". Valid during the call. FALSE with @error ends the parse. */
typedef gboolean (*VpTomlFunc) (const char *path, const VpTomlValue *value, guint line, gpointer user_data,
                                GError **error);

/* Pure and bounded: at most 1 MiB, 4096 items in an array. A key twice is
 * refused. Errors (InvalidArgument) begin with "@name:LINE: ". */
gboolean vp_toml_parse (const char *text, gsize length, const char *name, VpTomlFunc func, gpointer user_data,
                        GError **error);
