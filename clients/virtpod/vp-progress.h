/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* One status line on stderr that appears when what it is about takes longer
 * than a second, and is erased by the free; nothing where stderr is no terminal. */
typedef struct _VpProgress VpProgress;

/* Appears by itself while the main loop runs. */
VpProgress *vp_progress_new (const char *text);

/* For work that does not run the main loop: appears, with how many bytes are
 * done and how fast, when it is told of them, at most a few times a second. */
VpProgress *vp_progress_new_counter (const char *text);
void vp_progress_count (VpProgress *self, guint64 bytes);

void vp_progress_free (VpProgress *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpProgress, vp_progress_free)
