/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "vp-client.h"

/* What runc events prints of one container: a JSON object a line, {"type", "id", "data"}. */

/* The line of type "stats" for @stats, Container1's; to free. */
char *vp_stats_line (const char *id, GVariant *stats);

/* Prints one now and, unless @interval_msec is 0, another each time so much later, and
 * one of type "oom" when the container ran out of memory, until it has ended.
 * FALSE: there is no such container, or it does not run. */
gboolean vp_stats_stream (VpClient *client, const char *id, guint interval_msec, GError **error);

/* "500ms", "5s", "1.5m", "1h", or a number of seconds; FALSE: none, or not from 100 ms to a day. */
gboolean vp_stats_parse_interval (const char *text, guint *ret_msec);
