/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The bundle, host and configuration of tests/keys, and what comes of them. */

/* "[annotation] NAME VALUE"; TRUE: of an annotation. */
gboolean key_split (const char *text, char **ret_name, char **ret_value);

/* Plans with the lines of @inputs and, unless NULL, @name. The result is of
 * char, lines that begin with their document: "plan ", "xml ", "guest ", and
 * "no effect: …" if that is decided on @name; or one line "refused …". Free with g_ptr_array_unref (). */
GPtrArray *key_result_new (const GPtrArray *inputs, const char *name, const char *value, gboolean annotation);

gboolean key_result_is_refusal (const GPtrArray *result);
/* Borrowed; NULL when there is none. */
const char *key_result_find_no_effect (const GPtrArray *result);

/* Appends the lines that only one of them has, in their order. */
void key_result_compare (const GPtrArray *before, const GPtrArray *after, GString *text);
