/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-stdio-end.h"
#include "vp-stdio-output.h"

/* Host -> guest: stdin of one process. One piece is under way at a time. */
typedef struct _VpStdioInput VpStdioInput;

/* stdin is closed, cannot be any more, or was stopped; once. */
typedef void (*VpStdioClosedFunc) (gpointer user_data, const GError *error);

/* @process outlives the input. */
VpStdioInput *vp_stdio_input_new (VpStdioProcess *process, VpStdioClosedFunc closed, gpointer user_data);
void vp_stdio_input_free (VpStdioInput *self);

/* Both take @end. The end of a bound end is the end of stdin, the end of an
 * attached one is not. */
void vp_stdio_input_bind (VpStdioInput *self, VpStdioEnd *end);
void vp_stdio_input_attach (VpStdioInput *self, VpStdioEnd *end);
gboolean vp_stdio_input_is_bound (VpStdioInput *self);
gboolean vp_stdio_input_is_attached (VpStdioInput *self);

void vp_stdio_input_start (VpStdioInput *self);
/* Closes stdin after what can be read now. */
void vp_stdio_input_close (VpStdioInput *self);
/* Whether that has been told. */
gboolean vp_stdio_input_is_closed (VpStdioInput *self);
/* Reads no more; closes nothing in the guest. */
void vp_stdio_input_stop (VpStdioInput *self);
guint64 vp_stdio_input_get_bytes (VpStdioInput *self);
