/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* dm-verity of a guest's image, as guest.verity-params and the annotation
 * kernel_verity_params say it: "root_hash=HEX,salt=HEX,data_blocks=N,
 * data_block_size=N,hash_block_size=N", all of them, in any order. */
typedef struct
{
  char *root_hash, *salt; /* lower-case hex */
  guint64 data_blocks;
  guint64 data_block_size, hash_block_size; /* bytes, multiples of 512 */
} VpVerity;

/* NULL with InvalidArgument saying what of it is wrong, without a prefix. */
VpVerity *vp_verity_parse (const char *text, GError **error);
void vp_verity_free (VpVerity *verity);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpVerity, vp_verity_free)
