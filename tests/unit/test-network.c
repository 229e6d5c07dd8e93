/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-network.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "vp-error.h"

static VpNetwork *
with_eth0 (void)
{
  const VpNetworkInterface eth0 = { "eth0", "02:00:00:00:00:0A", "veth", 1500, IFF_UP, 3, NULL };
  VpNetwork *network = vp_network_new ();
  g_autoptr (GError) error = NULL;

  g_assert_true (vp_network_add_interface (network, &eth0, &error));
  g_assert_no_error (error);
  return network;
}

static void
add_route (VpNetwork *network, VpFamily family, const char *dest, const char *gateway, guint metric,
           guint protocol)
{
  const VpNetworkRoute route = { .family = family,
                                 .dest = (char *)dest,
                                 .gateway = (char *)gateway,
                                 .device = (char *)"eth0",
                                 .flags = 0xffffffff,
                                 .metric = metric };
  g_autoptr (GError) error = NULL;

  g_assert_true (vp_network_add_route (network, &route, protocol, &error));
  g_assert_no_error (error);
}

static void
test_interfaces (void)
{
  g_autoptr (VpNetwork) network = with_eth0 ();
  g_autoptr (GError) error = NULL;
  const VpNetworkInterface lo = { "lo", "00:00:00:00:00:00", "", 65536, IFF_LOOPBACK, 1, NULL };
  const VpNetworkInterface bare = { "wg0", NULL, "wireguard", 1420, IFF_UP, 2, NULL };
  const VpNetworkInterface net1 = { "net1", "02:00:00:00:00:0b", NULL, 9000, IFF_NOARP, 2, NULL };
  const VpNetworkInterface again = { "eth0", "02:00:00:00:00:0c", "veth", 1500, 0, 4, NULL };

  g_assert_true (vp_network_add_interface (network, &lo, &error));
  g_assert_true (vp_network_add_interface (network, &bare, &error));
  g_assert_true (vp_network_add_interface (network, &net1, &error));
  g_assert_false (vp_network_add_interface (network, &again, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_true (vp_network_seal (network, &error));
  g_assert_cmpuint (vp_network_get_n_interfaces (network), ==, 2);
  g_assert_cmpstr (vp_network_get_interface (network, 0)->name, ==, "net1");
  g_assert_cmpstr (vp_network_get_interface (network, 0)->kind, ==, "");
  g_assert_cmpstr (vp_network_get_interface (network, 1)->mac, ==, "02:00:00:00:00:0a");
  g_assert_true (vp_network_find_interface (network, "eth0") == vp_network_get_interface (network, 1));
  g_assert_null (vp_network_find_interface (network, "lo"));
}

static void
test_names (void)
{
  static const char *const bad[] = { "", ".", "..", "a/b", "a b", "\xff\xfe", "a\nb", "0123456789abcdef" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (VpNetwork) network = vp_network_new ();
      g_autoptr (GError) error = NULL;
      const VpNetworkInterface interface = { (char *)bad[i], "02:00:00:00:00:01", "veth", 1500, 0, 2, NULL };

      g_assert_false (vp_network_add_interface (network, &interface, &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
}

static void
test_same_mac (void)
{
  g_autoptr (VpNetwork) network = with_eth0 ();
  g_autoptr (GError) error = NULL;
  const VpNetworkInterface twin = { "net1", "02:00:00:00:00:0a", "ipvlan", 1500, 0, 4, NULL };

  g_assert_true (vp_network_add_interface (network, &twin, &error));
  g_assert_false (vp_network_seal (network, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED);
  g_assert_cmpstr (error->message, ==,
                   "network namespace: interfaces \"eth0\" and \"net1\" have the same hardware address "
                   "02:00:00:00:00:0a");
}

static void
test_addresses (void)
{
  static const struct
  {
    VpFamily family;
    const char *text;
    guint prefix;
    gboolean kept, good;
  } cases[] = {
    { VP_FAMILY_V4, "10.0.0.2", 24, TRUE, TRUE },   { VP_FAMILY_V6, "fd00::2", 64, TRUE, TRUE },
    { VP_FAMILY_V4, "127.0.0.1", 8, FALSE, TRUE },  { VP_FAMILY_V6, "::1", 128, FALSE, TRUE },
    { VP_FAMILY_V6, "fe80::1", 64, FALSE, TRUE },   { VP_FAMILY_V6, "febf::1", 64, FALSE, TRUE },
    { VP_FAMILY_V6, "fec0::1", 64, TRUE, TRUE },    { VP_FAMILY_V4, "169.254.1.9", 16, TRUE, TRUE },
    { VP_FAMILY_V4, "10.0.0.2", 33, FALSE, FALSE }, { VP_FAMILY_V6, "fd00::2", 129, FALSE, FALSE },
    { VP_FAMILY_V4, "fd00::2", 24, FALSE, FALSE },  { VP_FAMILY_V4, "10.0.0", 24, FALSE, FALSE },
    { VP_FAMILY_V4, NULL, 24, FALSE, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VpNetwork) network = with_eth0 ();
      g_autoptr (GError) error = NULL;
      const VpNetworkAddress address = { cases[i].family, (char *)cases[i].text, cases[i].prefix };

      g_assert_cmpint (vp_network_add_address (network, "eth0", &address, &error), ==, cases[i].good);
      if (!cases[i].good)
        g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
      g_assert_cmpuint (vp_network_find_interface (network, "eth0")->addresses->len, ==, cases[i].kept);
      /* one of an interface that was left out goes with it */
      if (cases[i].good)
        g_assert_true (vp_network_add_address (network, "lo", &address, &error));
    }
}

static void
test_routes (void)
{
  g_autoptr (VpNetwork) network = with_eth0 ();
  g_autoptr (GError) error = NULL;

  add_route (network, VP_FAMILY_V4, NULL, "10.0.0.1", 100, RTPROT_BOOT);
  add_route (network, VP_FAMILY_V4, "", "10.0.0.9", 50, RTPROT_STATIC);
  add_route (network, VP_FAMILY_V6, "", "fe80::1", 1024, RTPROT_RA);
  add_route (network, VP_FAMILY_V4, "10.0.0.0/24", NULL, 0, RTPROT_KERNEL);
  add_route (network, VP_FAMILY_V6, "fe80::/64", NULL, 256, RTPROT_STATIC);
  add_route (network, VP_FAMILY_V4, "169.254.1.1/32", NULL, 0, RTPROT_BOOT);
  g_assert_true (vp_network_seal (network, &error));
  g_assert_cmpuint (vp_network_get_n_routes (network), ==, 3);
  /* what makes a gateway reachable first, the better default stays, the onlink flag is the only one */
  g_assert_cmpstr (vp_network_get_route (network, 0)->dest, ==, "169.254.1.1/32");
  g_assert_cmpstr (vp_network_get_route (network, 0)->gateway, ==, "");
  g_assert_cmpstr (vp_network_get_route (network, 1)->gateway, ==, "10.0.0.9");
  g_assert_cmpuint (vp_network_get_route (network, 1)->flags, ==, RTNH_F_ONLINK);
  g_assert_cmpstr (vp_network_get_route (network, 2)->gateway, ==, "fe80::1");
}

static void
test_bad_routes (void)
{
  static const VpNetworkRoute bad[] = {
    { .dest = (char *)"10.0.0.0", .device = (char *)"eth0" },
    { .dest = (char *)"10.0.0.0/33", .device = (char *)"eth0" },
    { .dest = (char *)"10.0.0.0/8x", .device = (char *)"eth0" },
    { .dest = (char *)"/8", .device = (char *)"eth0" },
    { .dest = (char *)"fd00::/8", .device = (char *)"eth0" },
    { .gateway = (char *)"gw", .device = (char *)"eth0" },
    { .source = (char *)"fd00::1", .device = (char *)"eth0" },
  };
  g_autoptr (VpNetwork) network = with_eth0 ();

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (vp_network_add_route (network, &bad[i], RTPROT_STATIC, &error));
      g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
    }
  g_assert_cmpuint (vp_network_get_n_routes (network), ==, 0);
}

static void
test_neighbours (void)
{
  g_autoptr (VpNetwork) network = with_eth0 ();
  g_autoptr (GError) error = NULL;
  VpNetworkNeighbour row = { VP_FAMILY_V4,   (char *)"169.254.1.1",
                             (char *)"eth0", (char *)"EE:EE:EE:EE:EE:EE",
                             NUD_PERMANENT,  0 };

  g_assert_true (vp_network_add_neighbour (network, &row, &error));
  row.state = NUD_REACHABLE;
  g_assert_true (vp_network_add_neighbour (network, &row, &error));
  row.state = NUD_PERMANENT;
  row.device = (char *)"lo";
  g_assert_true (vp_network_add_neighbour (network, &row, &error));
  row.device = (char *)"eth0";
  row.lladdr = (char *)"00";
  g_assert_false (vp_network_add_neighbour (network, &row, &error));
  g_assert_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT);
  g_assert_cmpuint (vp_network_get_n_neighbours (network), ==, 1);
  g_assert_cmpstr (vp_network_get_neighbour (network, 0)->lladdr, ==, "ee:ee:ee:ee:ee:ee");
}

/* The bounds hold, and what is said names them. */
static void
test_bounds (void)
{
  g_autoptr (VpNetwork) network = with_eth0 ();
  g_autoptr (GError) error = NULL;
  guint n;

  for (n = 0;; n++)
    {
      g_autofree char *text = g_strdup_printf ("10.%u.%u.1", n / 256, n % 256);
      const VpNetworkAddress address = { VP_FAMILY_V4, text, 24 };

      if (!vp_network_add_address (network, "eth0", &address, &error))
        break;
    }
  g_assert_cmpuint (n, ==, VP_NETWORK_MAX_ADDRESSES);
  g_assert_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED);
  g_assert_cmpstr (error->message, ==, "network namespace: more than 4096 addresses");
  g_clear_error (&error);
  for (n = 0;; n++)
    {
      g_autofree char *dest = g_strdup_printf ("10.%u.%u.0/24", n / 256, n % 256);
      const VpNetworkRoute route = { .dest = dest, .device = (char *)"eth0" };

      if (!vp_network_add_route (network, &route, RTPROT_STATIC, &error))
        break;
    }
  g_assert_cmpuint (n, ==, VP_NETWORK_MAX_ROUTES);
  g_assert_cmpstr (error->message, ==, "network namespace: more than 4096 routes");
  g_clear_error (&error);
  for (n = 1;; n++)
    {
      g_autofree char *name = g_strdup_printf ("net%u", n);
      const VpNetworkInterface interface = { name, "02:00:00:00:00:01", "veth", 1500, 0, 10 + n, NULL };

      if (!vp_network_add_interface (network, &interface, &error))
        break;
    }
  g_assert_cmpuint (n, ==, VP_NETWORK_MAX_INTERFACES);
  g_assert_cmpstr (error->message, ==, "network namespace: more than 64 interfaces");
}

static void
test_json (void)
{
  g_autoptr (VpNetwork) network = with_eth0 ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  const VpNetworkAddress address = { VP_FAMILY_V4, (char *)"10.0.0.2", 24 };

  g_assert_true (vp_network_add_address (network, "eth0", &address, &error));
  add_route (network, VP_FAMILY_V4, "", "10.0.0.1", 0, RTPROT_STATIC);
  g_assert_true (vp_network_seal (network, &error));
  text = vp_network_to_json (network);
  g_assert_nonnull (strstr (text, "\"10.0.0.2/24\""));
  g_assert_nonnull (strstr (text, "\"dest\": \"default\""));
  g_assert_nonnull (strstr (text, "\"onlink\": true"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/network/interfaces", test_interfaces);
  g_test_add_func ("/network/names", test_names);
  g_test_add_func ("/network/same-mac", test_same_mac);
  g_test_add_func ("/network/addresses", test_addresses);
  g_test_add_func ("/network/routes", test_routes);
  g_test_add_func ("/network/bad-routes", test_bad_routes);
  g_test_add_func ("/network/neighbours", test_neighbours);
  g_test_add_func ("/network/bounds", test_bounds);
  g_test_add_func ("/network/json", test_json);
  return g_test_run ();
}
