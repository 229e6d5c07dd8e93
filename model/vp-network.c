/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-network.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "vp-error.h"
#include "vp-json-writer.h"

struct _VpNetwork
{
  gatomicrefcount refs;
  gboolean sealed;
  GPtrArray *interfaces;
  GPtrArray *routes;
  GPtrArray *neighbours;
  GHashTable *by_name; /* interfaces, borrowed */
  guint n_addresses;
};

static void
address_free (gpointer data)
{
  VpNetworkAddress *address = data;

  g_free (address->text);
  g_free (address);
}

static void
interface_free (gpointer data)
{
  VpNetworkInterface *interface = data;

  g_free (interface->name);
  g_free (interface->mac);
  g_free (interface->kind);
  g_ptr_array_unref (interface->addresses);
  g_free (interface);
}

static void
route_free (gpointer data)
{
  VpNetworkRoute *route = data;

  g_free (route->dest);
  g_free (route->gateway);
  g_free (route->device);
  g_free (route->source);
  g_free (route);
}

static void
neighbour_free (gpointer data)
{
  VpNetworkNeighbour *neighbour = data;

  g_free (neighbour->address);
  g_free (neighbour->device);
  g_free (neighbour->lladdr);
  g_free (neighbour);
}

VpNetwork *
vp_network_new (void)
{
  VpNetwork *self = g_new0 (VpNetwork, 1);

  g_atomic_ref_count_init (&self->refs);
  self->interfaces = g_ptr_array_new_with_free_func (interface_free);
  self->routes = g_ptr_array_new_with_free_func (route_free);
  self->neighbours = g_ptr_array_new_with_free_func (neighbour_free);
  self->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

VpNetwork *
vp_network_ref (VpNetwork *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
vp_network_unref (VpNetwork *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->refs))
    return;
  g_hash_table_unref (self->by_name);
  g_ptr_array_unref (self->interfaces);
  g_ptr_array_unref (self->routes);
  g_ptr_array_unref (self->neighbours);
  g_free (self);
}

/* ---- filling ---- */

static gboolean
has_room (guint n, guint max, const char *what, GError **error)
{
  if (n < max)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED, "network namespace: more than %u %s", max, what);
  return FALSE;
}

/* The kernel takes nearly any bytes as a name; ours go into XML, JSON and messages. */
static gboolean
check_name (const char *name, GError **error)
{
  gsize len = name != NULL ? strlen (name) : 0;
  gboolean good = len > 0 && len < IF_NAMESIZE && !g_str_equal (name, ".") && !g_str_equal (name, "..");

  for (gsize i = 0; good && i < len; i++)
    good = g_ascii_isgraph (name[i]) && name[i] != '/';
  if (!good)
    {
      g_autofree char *shown = vp_error_shown (name != NULL ? name : "");

      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                   "network namespace: interface \"%s\": is not a name a guest's interface can have", shown);
    }
  return good;
}

static gboolean
is_mac (const char *text)
{
  for (guint i = 0; i < 17; i++)
    if (i % 3 == 2 ? text[i] != ':' : !g_ascii_isxdigit (text[i]))
      return FALSE;
  return text[17] == '\0';
}

/* @bytes: room for an address of either family. */
static gboolean
read_ip (VpFamily family, const char *text, guint8 bytes[16])
{
  return text != NULL && inet_pton (family == VP_FAMILY_V4 ? AF_INET : AF_INET6, text, bytes) == 1;
}

static guint
max_prefix (VpFamily family)
{
  return family == VP_FAMILY_V4 ? 32 : 128;
}

static gboolean
no_address (const char *device, const char *what, const char *text, GError **error)
{
  g_autofree char *shown = vp_error_shown (text != NULL ? text : "");

  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
               "network namespace: interface \"%s\": %s \"%s\": is not one", device, what, shown);
  return FALSE;
}

gboolean
vp_network_add_interface (VpNetwork *self, const VpNetworkInterface *interface, GError **error)
{
  VpNetworkInterface *copy;

  g_return_val_if_fail (!self->sealed, FALSE);
  if ((interface->flags & IFF_LOOPBACK) != 0 || interface->mac == NULL || *interface->mac == '\0')
    return TRUE;
  if (!check_name (interface->name, error)
      || !has_room (self->interfaces->len, VP_NETWORK_MAX_INTERFACES, "interfaces", error))
    return FALSE;
  if (!is_mac (interface->mac))
    return no_address (interface->name, "hardware address", interface->mac, error);
  if (g_hash_table_contains (self->by_name, interface->name))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                   "network namespace: interface \"%s\": is there twice", interface->name);
      return FALSE;
    }
  copy = g_new (VpNetworkInterface, 1);
  *copy = *interface;
  copy->name = g_strdup (interface->name);
  copy->mac = g_ascii_strdown (interface->mac, -1);
  copy->kind = g_strdup (interface->kind != NULL ? interface->kind : "");
  copy->addresses = g_ptr_array_new_with_free_func (address_free);
  g_ptr_array_add (self->interfaces, copy);
  g_hash_table_insert (self->by_name, copy->name, copy);
  return TRUE;
}

/* Of no use to a guest, or its own affair. */
static gboolean
is_local (VpFamily family, const guint8 bytes[16])
{
  static const guint8 loopback[16] = { [15] = 1 };

  if (family == VP_FAMILY_V4)
    return bytes[0] == 127;
  return (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) || memcmp (bytes, loopback, 16) == 0;
}

gboolean
vp_network_add_address (VpNetwork *self, const char *device, const VpNetworkAddress *address, GError **error)
{
  VpNetworkInterface *interface = g_hash_table_lookup (self->by_name, device);
  VpNetworkAddress *copy;
  guint8 bytes[16];

  g_return_val_if_fail (!self->sealed, FALSE);
  if (interface == NULL)
    return TRUE;
  if (!read_ip (address->family, address->text, bytes) || address->prefix > max_prefix (address->family))
    return no_address (device, "address", address->text, error);
  if (is_local (address->family, bytes))
    return TRUE;
  if (!has_room (self->n_addresses, VP_NETWORK_MAX_ADDRESSES, "addresses", error))
    return FALSE;
  copy = g_new (VpNetworkAddress, 1);
  *copy = (VpNetworkAddress){ address->family, g_strdup (address->text), address->prefix };
  g_ptr_array_add (interface->addresses, copy);
  self->n_addresses++;
  return TRUE;
}

/* ADDRESS/LENGTH; the address is put into @bytes. */
static gboolean
read_net (VpFamily family, const char *text, guint8 bytes[16])
{
  const char *slash = strchr (text, '/');
  g_autofree char *address = NULL;
  guint64 prefix;

  if (slash == NULL || !g_ascii_string_to_unsigned (slash + 1, 10, 0, max_prefix (family), &prefix, NULL))
    return FALSE;
  address = g_strndup (text, (gsize)(slash - text));
  return read_ip (family, address, bytes);
}

static gboolean
is_empty (const char *text)
{
  return text == NULL || *text == '\0';
}

static const char *
or_empty (const char *text)
{
  return text != NULL ? text : "";
}

gboolean
vp_network_add_route (VpNetwork *self, const VpNetworkRoute *route, guint protocol, GError **error)
{
  VpNetworkRoute *copy;
  guint8 bytes[16];

  g_return_val_if_fail (!self->sealed, FALSE);
  if (protocol == RTPROT_KERNEL || protocol == RTPROT_REDIRECT || is_empty (route->device)
      || !g_hash_table_contains (self->by_name, route->device))
    return TRUE;
  if (!is_empty (route->dest))
    {
      if (!read_net (route->family, route->dest, bytes))
        return no_address (route->device, "destination of a route", route->dest, error);
      if (is_local (route->family, bytes))
        return TRUE;
    }
  if (!is_empty (route->gateway) && !read_ip (route->family, route->gateway, bytes))
    return no_address (route->device, "gateway", route->gateway, error);
  if (!is_empty (route->source) && !read_ip (route->family, route->source, bytes))
    return no_address (route->device, "source of a route", route->source, error);
  if (!has_room (self->routes->len, VP_NETWORK_MAX_ROUTES, "routes", error))
    return FALSE;
  copy = g_new (VpNetworkRoute, 1);
  *copy = *route;
  copy->dest = g_strdup (or_empty (route->dest));
  copy->gateway = g_strdup (or_empty (route->gateway));
  copy->device = g_strdup (route->device);
  copy->source = g_strdup (or_empty (route->source));
  copy->flags = route->flags & RTNH_F_ONLINK;
  g_ptr_array_add (self->routes, copy);
  return TRUE;
}

gboolean
vp_network_add_neighbour (VpNetwork *self, const VpNetworkNeighbour *neighbour, GError **error)
{
  VpNetworkNeighbour *copy;
  guint8 bytes[16];

  g_return_val_if_fail (!self->sealed, FALSE);
  /* what was learnt is learnt again */
  if ((neighbour->state & NUD_PERMANENT) == 0 || is_empty (neighbour->device)
      || !g_hash_table_contains (self->by_name, neighbour->device))
    return TRUE;
  if (!read_ip (neighbour->family, neighbour->address, bytes))
    return no_address (neighbour->device, "neighbour", neighbour->address, error);
  if (!is_empty (neighbour->lladdr) && !is_mac (neighbour->lladdr))
    return no_address (neighbour->device, "hardware address of a neighbour", neighbour->lladdr, error);
  if (!has_room (self->neighbours->len, VP_NETWORK_MAX_NEIGHBOURS, "neighbours", error))
    return FALSE;
  copy = g_new (VpNetworkNeighbour, 1);
  *copy = *neighbour;
  copy->address = g_strdup (neighbour->address);
  copy->device = g_strdup (neighbour->device);
  copy->lladdr = g_ascii_strdown (or_empty (neighbour->lladdr), -1);
  g_ptr_array_add (self->neighbours, copy);
  return TRUE;
}

/* ---- order ---- */

static int
compare_interfaces (gconstpointer a, gconstpointer b)
{
  const VpNetworkInterface *one = *(gpointer *)a, *other = *(gpointer *)b;

  return one->index < other->index ? -1 : one->index > other->index;
}

/* g_ptr_array_sort () keeps the order of equals. */
static int
compare_routes (gconstpointer a, gconstpointer b)
{
  const VpNetworkRoute *one = *(gpointer *)a, *other = *(gpointer *)b;
  int by_gateway = (*one->gateway != '\0') - (*other->gateway != '\0');

  if (by_gateway != 0)
    return by_gateway;
  return one->metric < other->metric ? -1 : one->metric > other->metric;
}

/* The protocol knows no metrics: the guest takes one route for a destination, and it is the best one. */
static void
drop_worse_routes (VpNetwork *self)
{
  g_autoptr (GHashTable) best = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint kept = 0;

  for (guint i = 0; i < self->routes->len; i++)
    {
      const VpNetworkRoute *route = self->routes->pdata[i];
      g_autofree char *key = g_strdup_printf ("%d %s", route->family, route->dest);
      const VpNetworkRoute *other = g_hash_table_lookup (best, key);

      if (other == NULL || route->metric < other->metric)
        g_hash_table_insert (best, g_steal_pointer (&key), (gpointer)route);
    }
  g_ptr_array_set_free_func (self->routes, NULL);
  for (guint i = 0; i < self->routes->len; i++)
    {
      VpNetworkRoute *route = self->routes->pdata[i];
      g_autofree char *key = g_strdup_printf ("%d %s", route->family, route->dest);

      if (g_hash_table_lookup (best, key) == route)
        self->routes->pdata[kept++] = route;
      else
        route_free (route);
    }
  g_ptr_array_set_size (self->routes, (gint)kept);
  g_ptr_array_set_free_func (self->routes, route_free);
}

gboolean
vp_network_seal (VpNetwork *self, GError **error)
{
  g_autoptr (GHashTable) macs = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < self->interfaces->len; i++)
    {
      const VpNetworkInterface *interface = self->interfaces->pdata[i];
      const VpNetworkInterface *other = g_hash_table_lookup (macs, interface->mac);

      if (other != NULL)
        {
          g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
                       "network namespace: interfaces \"%s\" and \"%s\" have the same hardware address %s",
                       other->name, interface->name, interface->mac);
          return FALSE;
        }
      g_hash_table_insert (macs, interface->mac, (gpointer)interface);
    }
  g_ptr_array_sort (self->interfaces, compare_interfaces);
  drop_worse_routes (self);
  g_ptr_array_sort (self->routes, compare_routes);
  self->sealed = TRUE;
  return TRUE;
}

/* ---- reading ---- */

guint
vp_network_get_n_interfaces (const VpNetwork *self)
{
  return self->interfaces->len;
}

const VpNetworkInterface *
vp_network_get_interface (const VpNetwork *self, guint i)
{
  return g_ptr_array_index (self->interfaces, i);
}

const VpNetworkInterface *
vp_network_find_interface (const VpNetwork *self, const char *name)
{
  return g_hash_table_lookup (self->by_name, name);
}

guint
vp_network_get_n_routes (const VpNetwork *self)
{
  return self->routes->len;
}

const VpNetworkRoute *
vp_network_get_route (const VpNetwork *self, guint i)
{
  return g_ptr_array_index (self->routes, i);
}

guint
vp_network_get_n_neighbours (const VpNetwork *self)
{
  return self->neighbours->len;
}

const VpNetworkNeighbour *
vp_network_get_neighbour (const VpNetwork *self, guint i)
{
  return g_ptr_array_index (self->neighbours, i);
}

/* ---- text ---- */

static void
add_interface (VpJsonWriter *writer, const VpNetworkInterface *interface)
{
  vp_json_writer_begin_object (writer, NULL);
  vp_json_writer_add_string (writer, "name", interface->name);
  vp_json_writer_add_string (writer, "mac", interface->mac);
  vp_json_writer_add_string (writer, "kind", interface->kind);
  vp_json_writer_add_uint (writer, "mtu", interface->mtu);
  vp_json_writer_add_bool (writer, "noarp", (interface->flags & IFF_NOARP) != 0);
  vp_json_writer_begin_array (writer, "addresses");
  for (guint i = 0; i < interface->addresses->len; i++)
    {
      const VpNetworkAddress *address = interface->addresses->pdata[i];
      g_autofree char *text = g_strdup_printf ("%s/%u", address->text, address->prefix);

      vp_json_writer_add_string (writer, NULL, text);
    }
  vp_json_writer_end_array (writer);
  vp_json_writer_end_object (writer);
}

static void
add_route (VpJsonWriter *writer, const VpNetworkRoute *route)
{
  vp_json_writer_begin_object (writer, NULL);
  vp_json_writer_add_string (writer, "family", route->family == VP_FAMILY_V4 ? "ipv4" : "ipv6");
  vp_json_writer_add_string (writer, "dest", *route->dest != '\0' ? route->dest : "default");
  if (*route->gateway != '\0')
    vp_json_writer_add_string (writer, "gateway", route->gateway);
  vp_json_writer_add_string (writer, "device", route->device);
  if (*route->source != '\0')
    vp_json_writer_add_string (writer, "source", route->source);
  vp_json_writer_add_uint (writer, "scope", route->scope);
  if (route->flags != 0)
    vp_json_writer_add_bool (writer, "onlink", TRUE);
  if (route->mtu != 0)
    vp_json_writer_add_uint (writer, "mtu", route->mtu);
  vp_json_writer_end_object (writer);
}

static void
add_neighbour (VpJsonWriter *writer, const VpNetworkNeighbour *neighbour)
{
  vp_json_writer_begin_object (writer, NULL);
  vp_json_writer_add_string (writer, "address", neighbour->address);
  vp_json_writer_add_string (writer, "device", neighbour->device);
  vp_json_writer_add_string (writer, "lladdr", neighbour->lladdr);
  vp_json_writer_add_uint (writer, "state", neighbour->state);
  vp_json_writer_add_uint (writer, "flags", neighbour->flags);
  vp_json_writer_end_object (writer);
}

char *
vp_network_to_json (const VpNetwork *self)
{
  g_autoptr (VpJsonWriter) writer = vp_json_writer_new (TRUE);

  vp_json_writer_begin_object (writer, NULL);
  vp_json_writer_begin_array (writer, "interfaces");
  for (guint i = 0; i < self->interfaces->len; i++)
    add_interface (writer, self->interfaces->pdata[i]);
  vp_json_writer_end_array (writer);
  vp_json_writer_begin_array (writer, "routes");
  for (guint i = 0; i < self->routes->len; i++)
    add_route (writer, self->routes->pdata[i]);
  vp_json_writer_end_array (writer);
  vp_json_writer_begin_array (writer, "neighbours");
  for (guint i = 0; i < self->neighbours->len; i++)
    add_neighbour (writer, self->neighbours->pdata[i]);
  vp_json_writer_end_array (writer);
  vp_json_writer_end_object (writer);
  return vp_json_writer_steal_text (writer, NULL);
}
