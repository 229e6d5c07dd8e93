/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-config.h"
#include "vp-facts.h"
#include "vp-net-ns.h"
#include "vp-network.h"
#include "vp-spec.h"

/* How a sandbox is connected: what is done on the host for its interfaces, in
 * the order in which a machine comes up. Everything blocks, belongs on a worker
 * and sees only the job it is given. */

/* One interface of the guest. */
typedef struct
{
  char *tap;    /* made by us */
  char *device; /* of the namespace, whose packets the guest gets; NULL: not known any more */
  guint mtu;
  guint queues;
  gboolean changing; /* is being plugged in or out of a machine that runs */
} VpNetPair;

typedef struct _VpNetModel VpNetModel;

/* What one sandbox has on the host. Filled by who makes it, then only read. */
typedef struct
{
  gatomicrefcount refs;
  const VpNetModel *model;
  char *sandbox_id;
  char *path;   /* of the namespace; NULL: there is none */
  VpNetNsId id; /* of the namespace as it was scanned; ino 0: any */
  guint64 rx_rate, tx_rate; /* of each interface, bit/s as the guest sees it; 0: no limit */
  GPtrArray *pairs;         /* of VpNetPair */
} VpNetJob;

/* Of model tcfilter, whose remove is that of all. */
VpNetJob *vp_net_job_new (const char *sandbox_id, const char *path, const VpNetNsId *id);
VpNetJob *vp_net_job_ref (VpNetJob *job);
void vp_net_job_unref (VpNetJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpNetJob, vp_net_job_unref)
void vp_net_job_add (VpNetJob *job, const char *tap, const char *device, guint mtu, guint queues);
void vp_net_job_add_pair (VpNetJob *job, const VpNetPair *pair); /* a copy of it */

void vp_net_job_set_rates (VpNetJob *job, guint64 rx_rate, guint64 tx_rate);

struct _VpNetModel
{
  const char *name; /* as network.model says it */
  /* before there is a machine: what it will open; nothing stays behind on failure */
  gboolean (*prepare) (const VpNetJob *job, GError **error);
  /* the machine has opened it and does not run yet; what is half done is taken back by remove */
  gboolean (*connect) (const VpNetJob *job, GError **error);
  /* all of it, also half of it, in any state the host is in: a namespace that
   * has gone took with it what was there. The error is the first of several. */
  gboolean (*remove) (const VpNetJob *job, GError **error);
};

/* A persistent tap for each interface, moved into the namespace and joined to
 * the interface there by redirection. */
extern const VpNetModel vp_net_tcfilter;

/* A macvtap device on each interface. */
extern const VpNetModel vp_net_macvtap;

/* What is found in the namespace at @path, for a model that connects the guest
 * to it. NotSupported for the host's own. */
VpNetwork *vp_net_look (const char *path, VpNetNsId *ret_id, GError **error);

/* @facts, and what is in the namespace that @spec names if @config (of the handler) and
 * the annotations want a guest to be connected to it. */
VpFacts *vp_net_learn (VpSpec *spec, VpConfig *config, VpFacts *facts, VpNetNsId *ret_id, GError **error);
