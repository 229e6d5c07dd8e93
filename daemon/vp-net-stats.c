/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-net-stats.h"

#include "vp-error.h"
#include "vp-fd.h"
#include "vp-net-nl.h"

typedef struct
{
  const VpNetJob *job;
  GPtrArray *counts;
} Counting;

static void
count_free (gpointer data)
{
  VpNetCount *count = data;

  g_free (count->tap);
  g_free (count->device);
  g_free (count);
}

static void
read_direction (VpNlLink *link, gboolean sent, guint64 *bytes, guint64 *packets, guint64 *dropped)
{
  *bytes = rtnl_link_get_stat (link, sent ? RTNL_LINK_TX_BYTES : RTNL_LINK_RX_BYTES);
  *packets = rtnl_link_get_stat (link, sent ? RTNL_LINK_TX_PACKETS : RTNL_LINK_RX_PACKETS);
  *dropped = rtnl_link_get_stat (link, sent ? RTNL_LINK_TX_DROPPED : RTNL_LINK_RX_DROPPED);
}

/* What a tap sends is what its guest receives; a macvtap device is the guest's own interface. */
static VpNetCount *
count_new (const VpNetPair *pair, VpNlLink *link)
{
  VpNetCount *count = g_new0 (VpNetCount, 1);
  gboolean is_tap = g_strcmp0 (rtnl_link_get_type (link), "macvtap") != 0;

  count->tap = g_strdup (pair->tap);
  count->device = g_strdup (pair->device != NULL ? pair->device : "");
  read_direction (link, is_tap, &count->rx_bytes, &count->rx_packets, &count->rx_dropped);
  read_direction (link, !is_tap, &count->tx_bytes, &count->tx_packets, &count->tx_dropped);
  return count;
}

/* In the namespace. */
static gboolean
count_all (gpointer data, GError **error)
{
  Counting *counting = data;
  g_autoptr (VpNlSock) sock = vp_net_nl_open (error);

  for (guint i = 0; sock != NULL && i < counting->job->pairs->len; i++)
    {
      const VpNetPair *pair = counting->job->pairs->pdata[i];
      g_autoptr (VpNlLink) link = vp_net_nl_get_link (sock, pair->tap, NULL);

      if (link != NULL)
        g_ptr_array_add (counting->counts, count_new (pair, link));
    }
  return sock != NULL;
}

GPtrArray *
vp_net_stats (const VpNetJob *job, GError **error)
{
  g_autoptr (GPtrArray) counts = g_ptr_array_new_with_free_func (count_free);
  g_autoptr (GError) gone = NULL;
  Counting counting = { job, counts };
  VpNetNsId id;
  VP_AUTO_FD fd = job->path != NULL ? vp_net_ns_open (job->path, &id, &gone) : -1;

  if (fd >= 0 && !vp_net_ns_run (fd, count_all, &counting, error))
    return NULL;
  return g_steal_pointer (&counts);
}
