/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-uplink.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>

#define MAX_SERVERS 3 /* what a resolver reads of the file */

struct _VpUplink
{
  gatomicrefcount ref_count;
  char *device;
  char *gateway;
  char **dns;
};

static char *
dup_address (in_addr_t address)
{
  const struct in_addr in = { address };
  char text[INET_ADDRSTRLEN];

  return g_strdup (inet_ntop (AF_INET, &in, text, sizeof text));
}

/* "Iface Destination Gateway Flags RefCnt Use Metric Mask ...": addresses are hexadecimal
 * numbers of the machine's own byte order. */
static gboolean
find_default_route (const char *routes, char device[IFNAMSIZ], in_addr_t *ret_gateway)
{
  g_auto (GStrv) lines = g_strsplit (routes, "\n", -1);
  guint best = 0;
  gboolean found = FALSE;

  G_STATIC_ASSERT (IFNAMSIZ == 16);
  for (char **line = lines; *line != NULL; line++)
    {
      char name[IFNAMSIZ];
      guint dest, gateway, flags, metric, mask;

      if (sscanf (*line, "%15s %x %x %x %*u %*u %u %x", name, &dest, &gateway, &flags, &metric, &mask) != 6
          || dest != 0 || mask != 0 || gateway == 0 || (flags & (RTF_UP | RTF_GATEWAY)) != (RTF_UP | RTF_GATEWAY)
          || (flags & RTF_REJECT) != 0 || (found && metric >= best))
        continue;
      found = TRUE;
      best = metric;
      *ret_gateway = gateway;
      g_strlcpy (device, name, IFNAMSIZ);
    }
  return found;
}

/* The address of a line that names a server, as it is for the guest; NULL: names none. */
static char *
dup_server (const char *line, in_addr_t gateway)
{
  char word[12], text[INET_ADDRSTRLEN];
  struct in_addr in;

  if (sscanf (line, "%11s %15s", word, text) != 2 || !g_str_equal (word, "nameserver")
      || inet_pton (AF_INET, text, &in) != 1 || in.s_addr == INADDR_ANY)
    return NULL;
  return dup_address (ntohl (in.s_addr) >> 24 == IN_LOOPBACKNET ? gateway : in.s_addr);
}

static char **
read_servers (const char *resolv_conf, in_addr_t gateway)
{
  g_auto (GStrv) lines = g_strsplit (resolv_conf, "\n", -1);
  GPtrArray *servers = g_ptr_array_new ();

  for (char **line = lines; *line != NULL && servers->len < MAX_SERVERS; line++)
    {
      g_autofree char *server = dup_server (*line, gateway);

      if (server != NULL && !g_ptr_array_find_with_equal_func (servers, server, g_str_equal, NULL))
        g_ptr_array_add (servers, g_steal_pointer (&server));
    }
  /* who is told of none asks this host */
  if (servers->len == 0)
    g_ptr_array_add (servers, dup_address (gateway));
  g_ptr_array_add (servers, NULL);
  return (char **)g_ptr_array_free (servers, FALSE);
}

VpUplink *
vp_uplink_parse (const char *routes, const char *resolv_conf)
{
  char device[IFNAMSIZ];
  in_addr_t gateway = 0;
  VpUplink *self;

  if (!find_default_route (routes, device, &gateway))
    return NULL;
  self = g_new0 (VpUplink, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->device = g_strdup (device);
  self->gateway = dup_address (gateway);
  self->dns = read_servers (resolv_conf != NULL ? resolv_conf : "", gateway);
  return self;
}

VpUplink *
vp_uplink_ref (VpUplink *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
vp_uplink_unref (VpUplink *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_free (self->device);
  g_free (self->gateway);
  g_strfreev (self->dns);
  g_free (self);
}

const char *
vp_uplink_get_device (const VpUplink *self)
{
  return self->device;
}

const char *
vp_uplink_get_gateway (const VpUplink *self)
{
  return self->gateway;
}

const char *const *
vp_uplink_get_dns (const VpUplink *self)
{
  return (const char *const *)self->dns;
}
