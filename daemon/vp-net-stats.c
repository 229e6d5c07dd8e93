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

/* What a tap sends is what its guest receives. */
static VpNetCount *
count_new (const VpNetPair *pair, VpNlLink *link)
{
  VpNetCount *count = g_new (VpNetCount, 1);

  *count = (VpNetCount){
    g_strdup (pair->tap),
    g_strdup (pair->device != NULL ? pair->device : ""),
    rtnl_link_get_stat (link, RTNL_LINK_TX_BYTES),
    rtnl_link_get_stat (link, RTNL_LINK_TX_PACKETS),
    rtnl_link_get_stat (link, RTNL_LINK_TX_DROPPED),
    rtnl_link_get_stat (link, RTNL_LINK_RX_BYTES),
    rtnl_link_get_stat (link, RTNL_LINK_RX_PACKETS),
    rtnl_link_get_stat (link, RTNL_LINK_RX_DROPPED),
  };
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
