/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-client.h"

/* A sandbox's console on standard output, until its end or, with @follow, until
 * the sandbox stops. @tail_bytes: only so much of what is there; G_MAXUINT64: all.
 * Without @raw a terminal gets only what is text. */
gboolean vp_console_view (VpDBusSandbox1 *sandbox, gboolean follow, guint64 tail_bytes, gboolean raw, GError **error);
