/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus-network-args.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "vp-dbus-args.h"
#include "vp-error.h"

static gboolean
invalid (GError **error, const char *what, const char *text)
{
  g_autofree char *shown = vp_error_shown (text);

  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s \"%s\": is not one", what, shown);
  return FALSE;
}

static VpFamily
family_of (const char *text)
{
  return strchr (text, ':') != NULL ? VP_FAMILY_V6 : VP_FAMILY_V4;
}

/* What a guest leaves out by itself would be answered with a success that is none. */
static gboolean
add_address (VpNetwork *network, const char *device, const char *text, GError **error)
{
  const VpNetworkInterface *interface;
  const char *slash = strchr (text, '/');
  g_autofree char *address = slash != NULL ? g_strndup (text, (gsize)(slash - text)) : NULL;
  VpNetworkAddress row = { family_of (text), address, 0 };
  guint64 prefix = 0;
  guint n;

  if (slash == NULL || !g_ascii_string_to_unsigned (slash + 1, 10, 0, 128, &prefix, NULL))
    return invalid (error, "addresses: ADDRESS/LENGTH", text);
  row.prefix = (guint)prefix;
  interface = vp_network_find_interface (network, device);
  n = interface->addresses->len;
  if (!vp_network_add_address (network, device, &row, error))
    return FALSE;
  return interface->addresses->len > n
         || invalid (error, "addresses: neither of the link nor of the loopback device:", text);
}

VpNetwork *
vp_dbus_args_dup_interface (GVariant *dict, GError **error)
{
  static const VpDbusOption table[]
      = { { "name", "s" }, { "mac", "s" }, { "mtu", "u" }, { "addresses", "as" }, { NULL } };
  g_autoptr (VpNetwork) network = vp_network_new ();
  g_autofree const char **addresses = NULL;
  VpNetworkInterface interface = { .flags = IFF_UP, .index = 1 };
  const char *name = "", *mac = "";

  if (!vp_dbus_args_check (dict, table, error))
    return NULL;
  (void)g_variant_lookup (dict, "name", "&s", &name);
  (void)g_variant_lookup (dict, "mac", "&s", &mac);
  (void)g_variant_lookup (dict, "mtu", "u", &interface.mtu);
  (void)g_variant_lookup (dict, "addresses", "^a&s", &addresses);
  interface.name = (char *)name;
  interface.mac = (char *)mac;
  if (*name == '\0' || *mac == '\0')
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: is missing",
                   *name == '\0' ? "name" : "mac");
      return NULL;
    }
  if (!vp_network_add_interface (network, &interface, error))
    return NULL;
  for (gsize i = 0; addresses != NULL && addresses[i] != NULL; i++)
    if (!add_address (network, name, addresses[i], error))
      return NULL;
  return vp_network_seal (network, error) ? g_steal_pointer (&network) : NULL;
}

/* ---- routes ---- */

/* A route belongs to an interface that is there; for the one that says it the guest knows. */
static gboolean
add_device (VpNetwork *network, const char *device, GError **error)
{
  guint n = vp_network_get_n_interfaces (network);
  g_autofree char *mac = g_strdup_printf ("02:00:00:00:00:%02x", n & 0xff);
  VpNetworkInterface interface
      = { .name = (char *)device, .mac = mac, .flags = IFF_UP, .index = n + 1 };

  return vp_network_find_interface (network, device) != NULL
         || vp_network_add_interface (network, &interface, error);
}

static gboolean
read_family (GVariant *dict, const VpNetworkRoute *route, VpFamily *ret_family, GError **error)
{
  const char *family = NULL;

  *ret_family = *route->gateway != '\0'  ? family_of (route->gateway)
                : *route->source != '\0' ? family_of (route->source)
                                         : family_of (route->dest);
  if (!g_variant_lookup (dict, "family", "&s", &family))
    return TRUE;
  if (!g_str_equal (family, "ipv4") && !g_str_equal (family, "ipv6"))
    return invalid (error, "family: \"ipv4\" or \"ipv6\":", family);
  *ret_family = g_str_equal (family, "ipv6") ? VP_FAMILY_V6 : VP_FAMILY_V4;
  return TRUE;
}

static gboolean
add_route (VpNetwork *network, GVariant *dict, GError **error)
{
  static const VpDbusOption table[]
      = { { "family", "s" }, { "dest", "s" }, { "gateway", "s" }, { "device", "s" }, { "source", "s" },
          { "scope", "t" },  { "flags", "t" }, { "mtu", "t" },    { NULL } };
  const char *dest = "", *gateway = "", *device = "", *source = "";
  guint64 scope = RT_SCOPE_UNIVERSE, flags = 0, mtu = 0;
  VpNetworkRoute route = { 0 };
  guint n = vp_network_get_n_routes (network);

  if (!vp_dbus_args_check (dict, table, error))
    return FALSE;
  (void)g_variant_lookup (dict, "dest", "&s", &dest);
  (void)g_variant_lookup (dict, "gateway", "&s", &gateway);
  (void)g_variant_lookup (dict, "device", "&s", &device);
  (void)g_variant_lookup (dict, "source", "&s", &source);
  (void)g_variant_lookup (dict, "scope", "t", &scope);
  (void)g_variant_lookup (dict, "flags", "t", &flags);
  (void)g_variant_lookup (dict, "mtu", "t", &mtu);
  if (scope > RT_SCOPE_NOWHERE || mtu > G_MAXUINT16)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: is too large",
                   mtu > G_MAXUINT16 ? "mtu" : "scope");
      return FALSE;
    }
  route = (VpNetworkRoute){ .dest = (char *)dest,     .gateway = (char *)gateway, .device = (char *)device,
                            .source = (char *)source, .scope = (guint)scope,      .mtu = (guint)mtu,
                            .flags = (guint)(flags & RTNH_F_ONLINK) };
  if (!add_device (network, device, error) || !read_family (dict, &route, &route.family, error)
      || !vp_network_add_route (network, &route, RTPROT_STATIC, error))
    return FALSE;
  return vp_network_get_n_routes (network) > n
         || invalid (error, "dest: neither of the link nor of the loopback device:", dest);
}

VpNetwork *
vp_dbus_args_dup_routes (GVariant *rows, GError **error)
{
  g_autoptr (VpNetwork) network = vp_network_new ();

  for (gsize i = 0; i < g_variant_n_children (rows); i++)
    {
      g_autoptr (GVariant) dict = g_variant_get_child_value (rows, i);

      if (!add_route (network, dict, error))
        {
          g_prefix_error (error, "route %" G_GSIZE_FORMAT ": ", i);
          return NULL;
        }
    }
  return vp_network_seal (network, error) ? g_steal_pointer (&network) : NULL;
}
