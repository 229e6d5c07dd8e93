/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "vp-rpc.h"

/* What a guest says, made fit for logs and errors: valid UTF-8, no control or
 * formatting characters (they become \n, \t or \xNN), at most @max bytes with
 * "..." at the end when cut. @text need not be terminated and may be NULL. */
#define VP_AGENT_TEXT_MAX 512
char *vp_agent_text_sanitise (const char *text, gsize len, gsize max);

/* The error an agent's answer to @rpc with gRPC status @code (not 0) and
 * @message (untrusted, may be NULL) stands for; see the table in the .c file. */
GError *vp_agent_error_new (VpRpc rpc, int code, const char *message);
