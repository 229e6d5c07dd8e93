/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-node-set.h"

#include <string.h>

void
vp_node_set_add (VpNodeSet *set, guint node)
{
  if (node <= VP_NODE_MAX)
    set->words[node / 64] |= G_GUINT64_CONSTANT (1) << (node % 64);
}

gboolean
vp_node_set_contains (const VpNodeSet *set, guint node)
{
  return node <= VP_NODE_MAX && (set->words[node / 64] >> (node % 64) & 1) != 0;
}

gboolean
vp_node_set_parse (const char *text, VpNodeSet *ret)
{
  g_auto (GStrv) ranges = g_strsplit (text, ",", -1);
  VpNodeSet set = { 0 };

  for (char **range = ranges; *range != NULL; range++)
    {
      char *dash = strchr (*range, '-');
      guint64 first, last;

      if (dash != NULL)
        *dash = '\0';
      if (!g_ascii_string_to_unsigned (*range, 10, 0, VP_NODE_MAX, &first, NULL)
          || !g_ascii_string_to_unsigned (dash != NULL ? dash + 1 : *range, 10, first, VP_NODE_MAX, &last,
                                          NULL))
        return FALSE;
      for (; first <= last; first++)
        vp_node_set_add (&set, (guint)first);
    }
  if (ranges[0] == NULL)
    return FALSE;
  *ret = set;
  return TRUE;
}

guint
vp_node_set_count (const VpNodeSet *set)
{
  guint n = 0;

  for (guint node = 0; node <= VP_NODE_MAX; node++)
    n += vp_node_set_contains (set, node);
  return n;
}

int
vp_node_set_find_missing (const VpNodeSet *set, const VpNodeSet *among)
{
  for (guint node = 0; node <= VP_NODE_MAX; node++)
    {
      if (vp_node_set_contains (set, node) && !vp_node_set_contains (among, node))
        return (int)node;
    }
  return -1;
}

char *
vp_node_set_to_text (const VpNodeSet *set)
{
  GString *text = g_string_new (NULL);

  for (guint node = 0; node <= VP_NODE_MAX; node++)
    {
      guint last = node;

      if (!vp_node_set_contains (set, node))
        continue;
      while (vp_node_set_contains (set, last + 1))
        last++;
      g_string_append_printf (text, "%s%u", text->len > 0 ? "," : "", node);
      if (last > node)
        g_string_append_printf (text, "-%u", last);
      node = last;
    }
  return g_string_free (text, FALSE);
}
