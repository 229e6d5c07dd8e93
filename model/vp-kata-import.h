/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Kata's configuration.toml to virtpod.conf. Pure. Returns the text of a key
 * file that loads, with a comment that says where each value is from.
 * @ret_notes: one "NAME:LINE: table.key: why" for each setting that has no
 * counterpart and is not off; free with g_strfreev (). Errors: InvalidArgument
 * when @toml cannot be read. */
char *vp_kata_import (const char *toml, gsize length, const char *name, char ***ret_notes, GError **error);
