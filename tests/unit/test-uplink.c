/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is read of the host's routes and name servers. */
#include <glib.h>

#include "vp-uplink.h"

#define HEAD "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
#define ROUTE(dev, dest, gateway, flags, metric, mask) \
  dev "\t" dest "\t" gateway "\t" flags "\t0\t0\t" metric "\t" mask "\t0\t0\t0   \n"
#define LAN ROUTE ("up0", "000200C0", "00000000", "0001", "0", "00FFFFFF")
/* 192.0.2.1, as a machine of the little endian sort writes it, and 1.2.0.192 of others */
#define DEFAULT(dev, metric) ROUTE (dev, "00000000", "010200C0", "0003", metric, "00000000")

static const char *
gateway (void)
{
  return G_BYTE_ORDER == G_LITTLE_ENDIAN ? "192.0.2.1" : "1.2.0.192";
}

static void
test_routes (void)
{
  static const char *const none[] = {
    "",
    HEAD,
    HEAD LAN,
    "nonsense\n\n\t\t\n",
    /* a way out without a gateway, one that is down, one that is refused, half of all */
    HEAD ROUTE ("ppp0", "00000000", "00000000", "0001", "0", "00000000"),
    HEAD ROUTE ("up0", "00000000", "010200C0", "0002", "0", "00000000"),
    HEAD ROUTE ("up0", "00000000", "010200C0", "0203", "0", "00000000"),
    HEAD ROUTE ("up0", "00000000", "010200C0", "0003", "0", "00000080"),
    "up0\t00000000\t010200C0\t0003\t0\t0\t0",
  };
  g_autoptr (VpUplink) plain = vp_uplink_parse (HEAD DEFAULT ("up0", "0") LAN, NULL);
  g_autoptr (VpUplink) best = vp_uplink_parse (HEAD DEFAULT ("slow", "600") DEFAULT ("fast", "100")
                                               DEFAULT ("late", "100") LAN, "");

  for (gsize i = 0; i < G_N_ELEMENTS (none); i++)
    {
      g_test_message ("case %u", (guint) i);
      g_assert_null (vp_uplink_parse (none[i], "nameserver 192.0.2.7\n"));
    }
  g_assert_cmpstr (vp_uplink_get_device (plain), ==, "up0");
  g_assert_cmpstr (vp_uplink_get_gateway (plain), ==, gateway ());
  g_assert_cmpstr (vp_uplink_get_device (best), ==, "fast");
}

static void
assert_dns (const char *resolv_conf, const char *expected)
{
  g_autoptr (VpUplink) uplink = vp_uplink_parse (HEAD DEFAULT ("up0", "0"), resolv_conf);
  g_autofree char *all = g_strjoinv (" ", (char **)vp_uplink_get_dns (uplink));
  g_auto (GStrv) parts = g_strsplit (expected, "GATEWAY", -1);
  g_autofree char *wanted = g_strjoinv (gateway (), parts);

  g_test_message ("%s", resolv_conf);
  g_assert_cmpstr (all, ==, wanted);
}

static void
test_dns (void)
{
  assert_dns ("# comment\nsearch example.org\nnameserver 198.51.100.7\nnameserver\t198.51.100.8 # second\n",
              "198.51.100.7 198.51.100.8");
  /* what only the host reaches */
  assert_dns ("nameserver 127.0.0.53\noptions edns0\n", "GATEWAY");
  assert_dns ("nameserver 127.0.0.1\nnameserver 198.51.100.7\nnameserver 127.0.0.2\n", "GATEWAY 198.51.100.7");
  /* no more than a resolver reads, each once */
  assert_dns ("nameserver 198.51.100.1\nnameserver 198.51.100.1\nnameserver 198.51.100.2\n"
              "nameserver 198.51.100.3\nnameserver 198.51.100.4\n",
              "198.51.100.1 198.51.100.2 198.51.100.3");
  /* none that could be used */
  assert_dns ("", "GATEWAY");
  assert_dns ("nameserver 2001:db8::53\nnameserver 0.0.0.0\n#nameserver 198.51.100.7\nnameserver2 198.51.100.7\n"
              "nameserver 198.51.100.777\nnameserver\n",
              "GATEWAY");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/uplink/routes", test_routes);
  g_test_add_func ("/uplink/dns", test_dns);
  return g_test_run ();
}
