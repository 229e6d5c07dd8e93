/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* D-Bus values as JSON text, for --format json: dictionaries with string keys
 * are objects, other arrays and tuples are arrays, all integers are numbers, exactly. */

/* @value indented by two spaces a level; to free. Sinks a floating @value and drops it; else borrows. */
char *vp_json_text (GVariant *value);

/* The same on one line. */
char *vp_json_line (GVariant *value);

/* A JSON document as a D-Bus value: objects are a{sv}; NULL when it is none or has
 * a null, which D-Bus does not. Floating. */
GVariant *vp_json_parse (const char *json);

/* The same of the member @name of an object; NULL also: it has none. Floating. */
GVariant *vp_json_parse_member (const char *json, const char *name);

/* Microseconds since 1970 as "2026-01-02T03:04:05.678901Z"; "" for 0. To free. */
char *vp_json_time (guint64 usec);
