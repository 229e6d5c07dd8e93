/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Structured log lines that always say which sandbox (and container) they are
 * about: to the journal with the fields of vp-names.h when stderr is the
 * journal, else, or when the journal does not take it, to stderr as
 * "virtpodd LEVEL: [sandbox/container] message". What an administrator looks for
 * later is an event: vp-event.h.
 * @sandbox and @container may be NULL. */
void vp_log (GLogLevelFlags level, const char *sandbox, const char *container, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

#define vp_debug(sandbox, container, ...) vp_log (G_LOG_LEVEL_DEBUG, sandbox, container, __VA_ARGS__)
#define vp_info(sandbox, container, ...) vp_log (G_LOG_LEVEL_INFO, sandbox, container, __VA_ARGS__)
#define vp_notice(sandbox, container, ...) vp_log (G_LOG_LEVEL_MESSAGE, sandbox, container, __VA_ARGS__)
#define vp_warning(sandbox, container, ...) vp_log (G_LOG_LEVEL_WARNING, sandbox, container, __VA_ARGS__)

/* "error", "warning", "notice", "info", "debug"; FALSE when @name is none of them. */
gboolean vp_log_set_level (const char *name);
const char *vp_log_get_level (void);

/* "auto" (the journal when stderr is it, else stderr), "journal", "console"
 * (stderr) or "null". FALSE when @name is none of them, or there is no journal. */
gboolean vp_log_set_target (const char *name);
const char *vp_log_get_target (void);

/* Makes GLib's structured log go through here; called once, first thing. */
void vp_log_init (void);
