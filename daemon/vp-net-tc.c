/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-net-tc.h"

#include <linux/if_ether.h>
#include <linux/pkt_sched.h>
#include <linux/tc_act/tc_mirred.h>
#include <netlink/errno.h>
#include <netlink/route/act/mirred.h>
#include <netlink/route/action.h>
#include <netlink/route/classifier.h>
#include <netlink/route/cls/u32.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/tc.h>

#include "vp-error.h"
#include "vp-net-nl.h"

#define INGRESS TC_HANDLE (0xffffu, 0)
#define PRIORITY 1

typedef struct rtnl_qdisc VpNlQdisc;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpNlQdisc, rtnl_qdisc_put)
typedef struct rtnl_cls VpNlCls;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpNlCls, rtnl_cls_put)
typedef struct rtnl_act VpNlAct;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpNlAct, rtnl_act_put)

static VpNlQdisc *
new_ingress (int index)
{
  VpNlQdisc *qdisc = rtnl_qdisc_alloc ();

  if (qdisc == NULL)
    return NULL;
  rtnl_tc_set_ifindex (TC_CAST (qdisc), index);
  rtnl_tc_set_parent (TC_CAST (qdisc), TC_H_INGRESS);
  rtnl_tc_set_handle (TC_CAST (qdisc), INGRESS);
  rtnl_tc_set_kind (TC_CAST (qdisc), "ingress");
  return qdisc;
}

static gboolean
no_memory (GError **error)
{
  g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED, "rtnetlink: no memory");
  return FALSE;
}

/* Everything interface @from receives leaves by @to. The classifier that every
 * kernel has, with a key that every packet matches. */
static VpNlCls *
new_redirection (int from, int to)
{
  g_autoptr (VpNlCls) cls = rtnl_cls_alloc ();
  g_autoptr (VpNlAct) act = rtnl_act_alloc ();

  if (cls == NULL || act == NULL)
    return NULL;
  rtnl_tc_set_ifindex (TC_CAST (cls), from);
  rtnl_tc_set_parent (TC_CAST (cls), INGRESS);
  rtnl_cls_set_prio (cls, PRIORITY);
  rtnl_cls_set_protocol (cls, ETH_P_ALL);
  if (rtnl_tc_set_kind (TC_CAST (cls), "u32") < 0 || rtnl_tc_set_kind (TC_CAST (act), "mirred") < 0
      || rtnl_u32_add_key_uint32 (cls, 0, 0, 0, 0) < 0 || rtnl_u32_set_cls_terminal (cls) < 0
      || rtnl_mirred_set_action (act, TCA_EGRESS_REDIR) < 0 || rtnl_mirred_set_policy (act, TC_ACT_STOLEN) < 0
      || rtnl_mirred_set_ifindex (act, (uint32_t)to) < 0 || rtnl_u32_add_action (cls, act) < 0)
    return NULL;
  return g_steal_pointer (&cls);
}

static gboolean
redirect (VpNlSock *sock, VpNlLink *from, VpNlLink *to, GError **error)
{
  const char *name = rtnl_link_get_name (from);
  g_autoptr (VpNlQdisc) ingress = new_ingress (rtnl_link_get_ifindex (from));
  g_autoptr (VpNlCls) cls = new_redirection (rtnl_link_get_ifindex (from), rtnl_link_get_ifindex (to));
  int err;

  if (ingress == NULL || cls == NULL)
    return no_memory (error);
  err = rtnl_qdisc_add (sock, ingress, NLM_F_CREATE | NLM_F_EXCL);
  if (ABS (err) == NLE_EXIST)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS,
                   "interface \"%s\": has an ingress queueing discipline that is not ours", name);
      return FALSE;
    }
  if (!vp_net_nl_check (err, error, "interface \"%s\": ingress queueing discipline", name))
    return FALSE;
  if (vp_net_nl_check (rtnl_cls_add (sock, cls, NLM_F_CREATE | NLM_F_EXCL), error,
                       "interface \"%s\": redirection to \"%s\"", name, rtnl_link_get_name (to)))
    return TRUE;
  (void)rtnl_qdisc_delete (sock, ingress);
  return FALSE;
}

gboolean
vp_net_tc_join (const char *one, const char *other, GError **error)
{
  g_autoptr (VpNlSock) sock = vp_net_nl_open (error);
  g_autoptr (VpNlLink) link = sock != NULL ? vp_net_nl_get_link (sock, one, error) : NULL;
  g_autoptr (VpNlLink) peer = link != NULL ? vp_net_nl_get_link (sock, other, error) : NULL;
  g_autoptr (VpNlQdisc) ingress = NULL;

  if (peer == NULL || !redirect (sock, link, peer, error))
    return FALSE;
  if (redirect (sock, peer, link, error))
    return TRUE;
  ingress = new_ingress (rtnl_link_get_ifindex (link));
  if (ingress != NULL)
    (void)rtnl_qdisc_delete (sock, ingress);
  return FALSE;
}

/* Whether what @from receives is redirected to @to by us. */
static gboolean
is_redirected (VpNlSock *sock, VpNlLink *from, VpNlLink *to)
{
  struct nl_cache *raw = NULL;
  g_autoptr (VpNlCache) filters = NULL;

  if (rtnl_cls_alloc_cache (sock, rtnl_link_get_ifindex (from), INGRESS, &raw) < 0)
    return FALSE;
  filters = raw;
  for (struct nl_object *o = nl_cache_get_first (filters); o != NULL; o = nl_cache_get_next (o))
    {
      struct rtnl_cls *cls = (struct rtnl_cls *)o;
      struct rtnl_act *act;

      if (g_strcmp0 (rtnl_tc_get_kind (TC_CAST (cls)), "u32") != 0
          || (act = rtnl_u32_get_action (cls)) == NULL)
        continue;
      if (g_strcmp0 (rtnl_tc_get_kind (TC_CAST (act)), "mirred") == 0
          && rtnl_mirred_get_ifindex (act) == (uint32_t)rtnl_link_get_ifindex (to))
        return TRUE;
    }
  return FALSE;
}

gboolean
vp_net_tc_part (const char *one, const char *other, GError **error)
{
  g_autoptr (VpNlSock) sock = vp_net_nl_open (error);
  g_autoptr (VpNlLink) link = sock != NULL ? vp_net_nl_get_link (sock, one, NULL) : NULL;
  g_autoptr (VpNlLink) peer = link != NULL ? vp_net_nl_get_link (sock, other, NULL) : NULL;
  g_autoptr (VpNlQdisc) ingress = NULL;
  int err;

  if (sock == NULL)
    return FALSE;
  if (peer == NULL || !is_redirected (sock, peer, link))
    return TRUE;
  ingress = new_ingress (rtnl_link_get_ifindex (peer));
  if (ingress == NULL)
    return no_memory (error);
  err = rtnl_qdisc_delete (sock, ingress);
  if (ABS (err) == NLE_OBJ_NOTFOUND || ABS (err) == NLE_NODEV)
    return TRUE;
  return vp_net_nl_check (err, error, "interface \"%s\": remove the redirection", other);
}
