/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* One status line on stderr that appears when what it is about takes longer
 * than a second, and is erased by the free; nothing where stderr is no terminal. */
typedef struct _VpProgress VpProgress;

VpProgress *vp_progress_new (const char *text);
void vp_progress_free (VpProgress *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpProgress, vp_progress_free)
