/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What vp_log () and vp_event () are made of. @message_id may be NULL. */
void vp_log_full (GLogLevelFlags level, const char *message_id, const char *sandbox, const char *container,
                  const char *format, va_list args) G_GNUC_PRINTF (5, 0);

/* For tests: entries go to the socket at @path as if standard error were the
 * journal. Before anything is logged; @path must stay. */
void vp_log_set_journal (const char *path);
