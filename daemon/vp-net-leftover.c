/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-net-leftover.h"

#include <string.h>

#include "vp-fd.h"
#include "vp-id.h"
#include "vp-net-nl.h"
#include "vp-net-tap.h"
#include "vp-net.h"

typedef struct
{
  const char *domain_name;
  VpNetJob *job;
} Search;

/* The interface that a tap was joined to, from its note; NULL: it is not the sandbox's. */
static char *
dup_device (const char *note, const char *domain_name)
{
  g_auto (GStrv) words = NULL;
  g_autofree char *name = NULL;

  if (note == NULL || !g_str_has_prefix (note, VP_NET_TAP_NOTE))
    return NULL;
  words = g_strsplit (note + strlen (VP_NET_TAP_NOTE), " ", 2);
  if (g_strv_length (words) != 2 || !vp_id_check (words[0], "id", NULL))
    return NULL;
  name = vp_id_to_domain_name (words[0]);
  return g_str_equal (name, domain_name) ? g_strdup (words[1]) : NULL;
}

/* In the namespace. */
static gboolean
search (gpointer data, GError **error)
{
  Search *self = data;
  g_autoptr (VpNlSock) sock = vp_net_nl_open (error);
  g_autoptr (VpNlCache) links = NULL;

  if (sock == NULL
      || !vp_net_nl_check (rtnl_link_alloc_cache (sock, AF_UNSPEC, &links), error, "list of interfaces"))
    return FALSE;
  for (struct nl_object *o = nl_cache_get_first (links); o != NULL; o = nl_cache_get_next (o))
    {
      struct rtnl_link *link = (struct rtnl_link *)o;
      g_autofree char *device = dup_device (rtnl_link_get_ifalias (link), self->domain_name);

      if (device != NULL)
        vp_net_job_add (self->job, rtnl_link_get_name (link), device, 0, 0);
    }
  return TRUE;
}

gboolean
vp_net_leftover_remove (const char *domain_name, const char *path, GError **error)
{
  g_autoptr (VpNetJob) job = vp_net_job_new (domain_name, path, NULL);
  Search self = { domain_name, job };
  VpNetNsId id;
  VP_AUTO_FD fd = -1;

  if (path != NULL)
    {
      fd = vp_net_ns_open (path, &id, NULL);
      if (fd < 0)
        return TRUE; /* it has gone, and what was in it */
      if (!vp_net_ns_run (fd, search, &self, error))
        return FALSE;
    }
  else if (!search (&self, error))
    return FALSE;
  return job->model->remove (job, error);
}
