/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The text of a key file: "[group]" lines, "key=value" lines, comments after
 * "#" at the beginning of a line. Values are what is behind "=" without the
 * blanks around it: nothing is escaped, so that paths and regular expressions
 * are written as they are. GKeyFile has no line numbers, and those are what an
 * administrator looks for. */

/* Called with @key and @value NULL for a group line. FALSE with @error ends the
 * parse. Strings are valid during the call. */
typedef gboolean (*VpKeyFileFunc) (const char *group, const char *key, const char *value, guint line,
                                   gpointer user_data, GError **error);

/* Pure. A key twice in one group of one text is refused, a group twice is not.
 * Errors (ConfigError) begin with "@name:LINE: ". */
gboolean vp_key_file_parse (const char *text, gsize length, const char *name, VpKeyFileFunc func,
                            gpointer user_data, GError **error);
