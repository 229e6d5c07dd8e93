/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What goes wrong, on standard error and, for container engines, as lines in a
 * file of the form that other OCI runtimes have. */

/* @log: file to append to, NULL: none; kept. @format: "text", "json" or NULL (text).
 * FALSE and @error when one of them cannot be used. */
gboolean vp_report_open (const char *log, const char *format, GError **error);

/* Whether there is one: who gives it is an engine. */
gboolean vp_report_has_log (void);

/* "virtpod: MESSAGE" on standard error and MESSAGE in the log. */
void vp_report_error (const char *message);
