/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Which of a host's NUMA nodes, as libvirt and the kernel write it: "0-1,3".
 * Plain values, nothing to free. */

#define VP_NODE_MAX 1023

typedef struct
{
  guint64 words[(VP_NODE_MAX + 1) / 64];
} VpNodeSet;

void vp_node_set_add (VpNodeSet *set, guint node);

/* FALSE when @text is no set of nodes; the empty one is none. */
gboolean vp_node_set_parse (const char *text, VpNodeSet *ret);

gboolean vp_node_set_contains (const VpNodeSet *set, guint node);
guint vp_node_set_count (const VpNodeSet *set);

/* The least node of @set that is not in @among, -1 when there is none. */
int vp_node_set_find_missing (const VpNodeSet *set, const VpNodeSet *among);

/* Shortest form; "" for the empty set. */
char *vp_node_set_to_text (const VpNodeSet *set);
