/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-net-rate.h"

#include <netlink/errno.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/qdisc/tbf.h>
#include <netlink/route/tc.h>

#include "vp-error.h"
#include "vp-net-nl.h"

/* What may leave at once: whole batches of the guest's segments, and at high
 * rates what comes between two ticks. It is also what a limit may be exceeded
 * by, so it is a small part of a second. */
#define MIN_BURST (64 << 10)
#define BURSTS_PER_SECOND 100
/* What may wait, before packets are dropped and TCP slows down. */
#define MIN_QUEUE (256 << 10)
#define QUEUES_PER_SECOND 10

typedef struct rtnl_qdisc VpNlQdisc;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpNlQdisc, rtnl_qdisc_put)

/* Of @owner and (nearly) nobody else; 0 and 0xffff mean something. */
static uint32_t
handle_of (const char *owner)
{
  return TC_HANDLE (1 + g_str_hash (owner) % 0xfffe, 0);
}

static VpNlQdisc *
new_root (int index, const char *owner, GError **error)
{
  VpNlQdisc *qdisc = rtnl_qdisc_alloc ();

  if (qdisc == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED, "rtnetlink: no memory");
      return NULL;
    }
  rtnl_tc_set_ifindex (TC_CAST (qdisc), index);
  rtnl_tc_set_parent (TC_CAST (qdisc), TC_H_ROOT);
  rtnl_tc_set_handle (TC_CAST (qdisc), handle_of (owner));
  return qdisc;
}

gboolean
vp_net_rate_limit (const char *device, const char *owner, guint64 rate, GError **error)
{
  guint64 bytes = MAX (rate / 8, 1);
  g_autoptr (VpNlSock) sock = NULL;
  g_autoptr (VpNlLink) link = NULL;
  g_autoptr (VpNlQdisc) qdisc = NULL;
  int err;

  if (bytes > G_MAXINT)
    return TRUE;
  sock = vp_net_nl_open (error);
  link = sock != NULL ? vp_net_nl_get_link (sock, device, error) : NULL;
  qdisc = link != NULL ? new_root (rtnl_link_get_ifindex (link), owner, error) : NULL;
  if (qdisc == NULL)
    return FALSE;
  /* the table of the kernel's is made for the frames of the link */
  rtnl_tc_set_link (TC_CAST (qdisc), link);
  err = rtnl_tc_set_kind (TC_CAST (qdisc), "tbf");
  if (err >= 0)
    {
      int burst = (int)MAX (bytes / BURSTS_PER_SECOND, MIN_BURST);

      rtnl_qdisc_tbf_set_rate (qdisc, (int)bytes, burst, 0);
      rtnl_qdisc_tbf_set_limit (qdisc, burst + (int)MAX (bytes / QUEUES_PER_SECOND, MIN_QUEUE));
      err = rtnl_qdisc_add (sock, qdisc, NLM_F_CREATE | NLM_F_EXCL);
    }
  if (ABS (err) != NLE_EXIST)
    return vp_net_nl_check (err, error, "interface \"%s\": limit of its rate", device);
  g_set_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS,
               "interface \"%s\": has a queueing discipline that is not ours, its rate cannot be limited", device);
  return FALSE;
}

/* Whether the discipline at the root of interface @index is @owner's. */
static gboolean
is_limited (VpNlSock *sock, int index, const char *owner)
{
  struct nl_cache *raw = NULL;
  g_autoptr (VpNlCache) qdiscs = NULL;
  struct rtnl_qdisc *found;
  gboolean ours = FALSE;

  if (rtnl_qdisc_alloc_cache (sock, &raw) < 0)
    return FALSE;
  qdiscs = raw;
  found = rtnl_qdisc_get_by_parent (qdiscs, index, TC_H_ROOT);
  if (found != NULL)
    {
      ours = rtnl_tc_get_handle (TC_CAST (found)) == handle_of (owner)
             && g_strcmp0 (rtnl_tc_get_kind (TC_CAST (found)), "tbf") == 0;
      rtnl_qdisc_put (found);
    }
  return ours;
}

gboolean
vp_net_rate_unlimit (const char *device, const char *owner, GError **error)
{
  g_autoptr (VpNlSock) sock = vp_net_nl_open (error);
  g_autoptr (VpNlLink) link = sock != NULL ? vp_net_nl_get_link (sock, device, NULL) : NULL;
  g_autoptr (VpNlQdisc) qdisc = NULL;
  int err;

  if (sock == NULL)
    return FALSE;
  if (link == NULL || !is_limited (sock, rtnl_link_get_ifindex (link), owner))
    return TRUE;
  qdisc = new_root (rtnl_link_get_ifindex (link), owner, error);
  if (qdisc == NULL)
    return FALSE;
  err = rtnl_qdisc_delete (sock, qdisc);
  if (ABS (err) == NLE_OBJ_NOTFOUND || ABS (err) == NLE_NODEV)
    return TRUE;
  return vp_net_nl_check (err, error, "interface \"%s\": remove the limit of its rate", device);
}
