/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-agent-client.h"
#include "vp-stdio-end.h"

/* Whose streams: shared by the streams of one process, owned by VpStdio. */
typedef struct
{
  GObject *owner; /* kept alive while a call or a worker is under way */
  VpAgentClient *client;
  GCancellable *cancellable; /* of every call */
  char *cid;
  char *exec_id;
  char *sandbox; /* for the log; may be NULL */
  char *container; /* the same */
} VpStdioProcess;

/* Guest -> host: stdout or stderr of one process. Reads from the agent, writes
 * to an end or keeps the newest bytes; see vp-stdio.h for the rules. */
typedef struct _VpStdioOutput VpStdioOutput;

/* Something was written, kept, dropped or has ended. */
typedef void (*VpStdioMovedFunc) (gpointer user_data);

/* @process outlives the output; @max_kept: bytes kept while there is no end. */
VpStdioOutput *vp_stdio_output_new (VpStdioProcess *process, gboolean is_stderr, gsize max_kept,
                                    VpStdioMovedFunc moved, gpointer user_data);
void vp_stdio_output_free (VpStdioOutput *self);

/* Both take @end. An attached end that goes away leaves an output without end,
 * a bound one an output that drops what comes. */
void vp_stdio_output_bind (VpStdioOutput *self, VpStdioEnd *end);
void vp_stdio_output_attach (VpStdioOutput *self, VpStdioEnd *end);
gboolean vp_stdio_output_is_bound (VpStdioOutput *self);
gboolean vp_stdio_output_is_attached (VpStdioOutput *self);

void vp_stdio_output_start (VpStdioOutput *self);
/* Calls under way end by the process's cancellable. */
void vp_stdio_output_stop (VpStdioOutput *self);

/* The agent has said that it is over, and everything is written or kept. True
 * also before the start. */
gboolean vp_stdio_output_is_done (VpStdioOutput *self);
guint64 vp_stdio_output_get_bytes (VpStdioOutput *self);
guint64 vp_stdio_output_get_dropped (VpStdioOutput *self);
