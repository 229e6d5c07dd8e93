/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Watches a tar stream go by and knows whether its end-of-archive blocks have
 * come. A stream from a guest that fails half-way just ends, perhaps between two
 * members, where readers of tar files see nothing wrong. */
typedef struct _VpTarEnd VpTarEnd;

typedef enum
{
  VP_TAR_MORE,   /* the archive has not ended */
  VP_TAR_ENDED,  /* what comes now is padding */
  VP_TAR_BROKEN, /* this is no tar stream */
} VpTarState;

VpTarEnd *vp_tar_end_new (void);
void vp_tar_end_free (VpTarEnd *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpTarEnd, vp_tar_end_free)

VpTarState vp_tar_end_feed (VpTarEnd *self, const guint8 *data, gsize len);
VpTarState vp_tar_end_get_state (VpTarEnd *self);
