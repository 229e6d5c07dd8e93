/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Signal numbers of Linux on every architecture virtpod runs on, which is what
 * the guest runs too. "TERM", "SIGTERM", "term" and "15" are the same; real-time
 * signals are RTMIN, RTMIN+N, RTMAX-N and RTMAX. InvalidArgument otherwise; 0
 * (the existence check of kill(2)) is not a signal here. */
gboolean vp_signal_parse (const char *text, int *ret_signum, GError **error);
