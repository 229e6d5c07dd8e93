/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Takes @source out of its context and frees the caller's reference; for
 * g_clear_pointer (). On the thread of the context. */
static inline void
vp_source_end (GSource *source)
{
  g_source_destroy (source);
  g_source_unref (source);
}
