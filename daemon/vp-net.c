/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-net.h"

#include "vp-error.h"
#include "vp-fd.h"
#include "vp-net-macvtap.h"
#include "vp-net-rate.h"
#include "vp-net-scan.h"
#include "vp-net-tap.h"
#include "vp-net-tc.h"
#include "vp-planner.h"

/* ---- jobs ---- */

static void
pair_free (gpointer data)
{
  VpNetPair *pair = data;

  g_free (pair->tap);
  g_free (pair->device);
  g_free (pair);
}

VpNetJob *
vp_net_job_new (const char *sandbox_id, const char *path, const VpNetNsId *id)
{
  VpNetJob *job = g_new0 (VpNetJob, 1);

  g_atomic_ref_count_init (&job->refs);
  job->model = &vp_net_tcfilter;
  job->sandbox_id = g_strdup (sandbox_id);
  job->path = g_strdup (path);
  if (id != NULL)
    job->id = *id;
  job->pairs = g_ptr_array_new_with_free_func (pair_free);
  return job;
}

VpNetJob *
vp_net_job_ref (VpNetJob *job)
{
  g_atomic_ref_count_inc (&job->refs);
  return job;
}

void
vp_net_job_unref (VpNetJob *job)
{
  if (job == NULL || !g_atomic_ref_count_dec (&job->refs))
    return;
  g_free (job->sandbox_id);
  g_free (job->path);
  g_ptr_array_unref (job->pairs);
  g_free (job);
}

void
vp_net_job_add (VpNetJob *job, const char *tap, const char *device, guint mtu, guint queues)
{
  VpNetPair *pair = g_new (VpNetPair, 1);

  *pair = (VpNetPair){ g_strdup (tap), g_strdup (device), mtu, queues, FALSE };
  g_ptr_array_add (job->pairs, pair);
}

void
vp_net_job_add_pair (VpNetJob *job, const VpNetPair *pair)
{
  vp_net_job_add (job, pair->tap, pair->device, pair->mtu, pair->queues);
  ((VpNetPair *)job->pairs->pdata[job->pairs->len - 1])->changing = pair->changing;
}

void
vp_net_job_set_rates (VpNetJob *job, guint64 rx_rate, guint64 tx_rate)
{
  job->rx_rate = rx_rate;
  job->tx_rate = tx_rate;
}

/* ---- tcfilter ---- */

static char *
dup_note (const VpNetJob *job, const VpNetPair *pair)
{
  return g_strdup_printf (VP_NET_TAP_NOTE "%s %s", job->sandbox_id, pair->device);
}

static gboolean
make_tap (const VpNetJob *job, const VpNetPair *pair, GError **error)
{
  g_autofree char *note = dup_note (job, pair);
  const VpNetTap tap = { pair->tap, note, pair->mtu, pair->queues };

  return vp_net_tap_create (&tap, error);
}

static gboolean
tcfilter_prepare (const VpNetJob *job, GError **error)
{
  for (guint i = 0; i < job->pairs->len; i++)
    if (!make_tap (job, job->pairs->pdata[i], error))
      {
        while (i-- > 0)
          (void)vp_net_tap_remove (((VpNetPair *)job->pairs->pdata[i])->tap, NULL);
        return FALSE;
      }
  return TRUE;
}

/* In the namespace. */
static gboolean
join_all (gpointer data, GError **error)
{
  const VpNetJob *job = data;

  for (guint i = 0; i < job->pairs->len; i++)
    {
      const VpNetPair *pair = job->pairs->pdata[i];

      if (!vp_net_tap_bring_up (pair->tap, pair->mtu, error)
          || !vp_net_tc_join (pair->tap, pair->device, error))
        return FALSE;
      /* what the guest receives leaves by the tap, what it sends by the other */
      if ((job->rx_rate != 0 && !vp_net_rate_limit (pair->tap, pair->tap, job->rx_rate, error))
          || (job->tx_rate != 0 && !vp_net_rate_limit (pair->device, pair->tap, job->tx_rate, error)))
        return FALSE;
    }
  return TRUE;
}

/* The namespace that was looked at, and none that is in its place by now. */
static int
open_namespace (const VpNetJob *job, GError **error)
{
  VpNetNsId id;
  VP_AUTO_FD fd = vp_net_ns_open (job->path, &id, error);

  if (fd < 0 || (id.dev == job->id.dev && id.ino == job->id.ino))
    return vp_fd_steal (&fd);
  g_set_error (error, VP_ERROR, VP_ERROR_NOT_FOUND,
               "network namespace \"%s\": is another one than at the beginning of the start", job->path);
  return -1;
}

/* @func is run in the namespace, once the taps are there. */
static gboolean
move_all (const VpNetJob *job, VpNetNsFunc func, GError **error)
{
  VP_AUTO_FD fd = open_namespace (job, error);

  if (fd < 0)
    return FALSE;
  for (guint i = 0; i < job->pairs->len; i++)
    if (!vp_net_tap_move (((VpNetPair *)job->pairs->pdata[i])->tap, fd, error))
      return FALSE;
  return vp_net_ns_run (fd, func, (gpointer)job, error);
}

static gboolean
tcfilter_connect (const VpNetJob *job, GError **error)
{
  return move_all (job, join_all, error);
}

/* Keeps the first. */
static void
keep_error (GError **kept, GError *error)
{
  if (error != NULL && *kept == NULL)
    *kept = error;
  else
    g_clear_error (&error);
}

/* In one of the namespaces a tap can be in. Its name is nobody else's, so where
 * it is, the other half of the pair is the interface it was joined to. */
static gboolean
part_all (gpointer data, GError **error)
{
  const VpNetJob *job = data;
  GError *kept = NULL;

  for (guint i = 0; i < job->pairs->len; i++)
    {
      const VpNetPair *pair = job->pairs->pdata[i];
      GError *why = NULL;

      if (pair->device != NULL && !vp_net_tc_part (pair->tap, pair->device, &why))
        keep_error (&kept, g_steal_pointer (&why));
      if (pair->device != NULL && !vp_net_rate_unlimit (pair->device, pair->tap, &why))
        keep_error (&kept, g_steal_pointer (&why));
      if (!vp_net_tap_remove (pair->tap, &why))
        keep_error (&kept, why);
    }
  if (kept == NULL)
    return TRUE;
  g_propagate_error (error, kept);
  return FALSE;
}

static gboolean
tcfilter_remove (const VpNetJob *job, GError **error)
{
  VpNetNsId id;
  g_autoptr (GError) gone = NULL;
  GError *kept = NULL, *why = NULL;
  VP_AUTO_FD fd = -1;

  if (job->pairs->len == 0)
    return TRUE;
  if (job->path != NULL)
    fd = vp_net_ns_open (job->path, &id, &gone);
  if (fd >= 0 && !vp_net_ns_run (fd, part_all, (gpointer)job, &why))
    keep_error (&kept, g_steal_pointer (&why));
  /* those that were not moved yet */
  if (!part_all ((gpointer)job, &why))
    keep_error (&kept, why);
  if (kept == NULL)
    return TRUE;
  g_propagate_error (error, kept);
  return FALSE;
}

const VpNetModel vp_net_tcfilter = { "tcfilter", tcfilter_prepare, tcfilter_connect, tcfilter_remove };

/* ---- macvtap ---- */

typedef struct
{
  const VpNetJob *job;
  int host; /* the daemon's own namespace */
  guint n_made;
} Making;

/* In the namespace. */
static gboolean
make_macvtaps (gpointer data, GError **error)
{
  Making *making = data;

  for (guint i = 0; i < making->job->pairs->len; i++)
    {
      const VpNetPair *pair = making->job->pairs->pdata[i];

      if (!vp_net_macvtap_create (pair->tap, pair->device, making->host, error))
        return FALSE;
      making->n_made++;
    }
  return TRUE;
}

/* In the host's, where they are until the hypervisor has opened them. */
static gboolean
describe_macvtaps (const VpNetJob *job, GError **error)
{
  for (guint i = 0; i < job->pairs->len; i++)
    {
      const VpNetPair *pair = job->pairs->pdata[i];
      g_autofree char *note = dup_note (job, pair);
      const VpNetTap tap = { .name = pair->tap, .note = note };

      if (!vp_net_tap_describe (&tap, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
macvtap_prepare (const VpNetJob *job, GError **error)
{
  VpNetNsId id;
  VP_AUTO_FD fd = open_namespace (job, error);
  VP_AUTO_FD host = fd >= 0 ? vp_net_ns_open ("/proc/self/ns/net", &id, error) : -1;
  Making making = { job, host, 0 };

  if (host < 0)
    return FALSE;
  if (vp_net_ns_run (fd, make_macvtaps, &making, error) && describe_macvtaps (job, error))
    return TRUE;
  while (making.n_made-- > 0)
    (void)vp_net_tap_remove (((VpNetPair *)job->pairs->pdata[making.n_made])->tap, NULL);
  return FALSE;
}

/* In the namespace. */
static gboolean
bring_up_all (gpointer data, GError **error)
{
  const VpNetJob *job = data;

  for (guint i = 0; i < job->pairs->len; i++)
    {
      const VpNetPair *pair = job->pairs->pdata[i];

      if (!vp_net_tap_bring_up (pair->tap, pair->mtu, error)
          || (job->tx_rate != 0 && !vp_net_rate_limit (pair->device, pair->tap, job->tx_rate, error)))
        return FALSE;
    }
  return TRUE;
}

static gboolean
macvtap_connect (const VpNetJob *job, GError **error)
{
  return move_all (job, bring_up_all, error);
}

const VpNetModel vp_net_macvtap = { "macvtap", macvtap_prepare, macvtap_connect, tcfilter_remove };

/* ---- looking ---- */

VpNetwork *
vp_net_look (const char *path, VpNetNsId *ret_id, GError **error)
{
  VP_AUTO_FD fd = vp_net_ns_open (path, ret_id, error);

  if (fd < 0)
    return NULL;
  if (vp_net_ns_is_host (ret_id))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
                   "network namespace \"%s\": is the host's own, a guest cannot share it (network.model=none "
                   "leaves the guest without a network)",
                   path);
      return NULL;
    }
  return vp_net_scan (fd, error);
}

/* Of the namespace that this daemon is in, which is libvirt's as well. */
static VpFacts *
learn_uplink (VpFacts *facts)
{
  g_autofree char *routes = NULL;
  g_autofree char *resolv_conf = NULL;
  g_autoptr (VpUplink) uplink = NULL;

  if (!vp_facts_get (facts)->passt || !g_file_get_contents ("/proc/net/route", &routes, NULL, NULL))
    return vp_facts_ref (facts);
  (void) g_file_get_contents ("/etc/resolv.conf", &resolv_conf, NULL, NULL);
  uplink = vp_uplink_parse (routes, resolv_conf);
  return vp_facts_new_with_uplink (facts, uplink);
}

VpFacts *
vp_net_learn (VpSpec *spec, VpConfig *config, VpFacts *facts, VpNetNsId *ret_id, GError **error)
{
  g_autoptr (VpConfig) effective = vp_planner_effective_config (spec, config, facts, error);
  g_autoptr (VpNetwork) network = NULL;
  const char *path;

  *ret_id = (VpNetNsId){ 0 };
  if (effective == NULL)
    return NULL;
  if (g_str_equal (vp_config_get_string (effective, VP_CONFIG_NETWORK_MODEL), "user"))
    return learn_uplink (facts);
  if (!vp_planner_wants_namespace (spec, effective))
    return vp_facts_ref (facts);
  path = vp_spec_get_namespace_path (spec, "network");
  if (path == NULL)
    return vp_facts_ref (facts);
  network = vp_net_look (path, ret_id, error);
  return network != NULL ? vp_facts_new_with_network (facts, network) : NULL;
}
