/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses as texts, attributes of netlink that lie, and the list of modules. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "agent-inet.h"
#include "agent-module.h"
#include "agent-netlink.h"

static void
test_network (void)
{
  static const struct
  {
    const char *text, *normal;
    unsigned family;
    int is_network, is_unicast;
  } rows[] = {
    { "10.0.0.0/8", "10.0.0.0/8", AF_INET, 1, 1 },
    { "10.0.0.1", "10.0.0.1/32", AF_INET, 1, 1 },
    { "10.0.0.1/31", "10.0.0.1/31", AF_INET, 0, 1 },
    { "10.128.0.0/9", "10.128.0.0/9", AF_INET, 1, 1 },
    { "10.128.0.0/8", "10.128.0.0/8", AF_INET, 0, 1 },
    { "0.0.0.0/0", "0.0.0.0/0", AF_INET, 1, 0 },
    { "239.1.1.1", "239.1.1.1/32", AF_INET, 1, 0 },
    { "fd00::/8", "fd00::/8", AF_INET6, 1, 1 },
    { "FD00:0:0::1/128", "fd00::1/128", AF_INET6, 1, 1 },
    { "::", "::/128", AF_INET6, 1, 0 },
    { "ff02::1/8", "ff02::1/8", AF_INET6, 0, 0 },
    { "::ffff:10.0.0.1", "::ffff:10.0.0.1/128", AF_INET6, 1, 1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      char text[AGENT_INET_TEXT_MAX];
      AgentInet a;

      g_assert_cmpint (agent_inet_parse_network (rows[i].text, &a), ==, 0);
      g_assert_cmpstr (agent_inet_network_text (&a, text), ==, rows[i].normal);
      g_assert_cmpuint (a.family, ==, rows[i].family);
      g_assert_cmpint (agent_inet_is_network (&a), ==, rows[i].is_network);
      g_assert_cmpint (agent_inet_is_unicast (&a), ==, rows[i].is_unicast);
    }
}

static void
test_no_network (void)
{
  static const char *const texts[]
      = { "",        "/",           "/8",          "10.0.0.0/",      "10.0.0.0/33",
          "10.0.0",  "10.0.0.0/+8", "10.0.0.0/ 8", "10.0.0.0/08000", "fd00::/129",
          "fd00::/", ":",           "1.2.3.4.5",   "fe80::1%lo",     "localhost" };
  g_autofree char *giant = g_strnfill (100000, '1');
  AgentInet a;

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    g_assert_cmpint (agent_inet_parse_network (texts[i], &a), ==, -EINVAL);
  g_assert_cmpint (agent_inet_parse_network (giant, &a), ==, -EINVAL);
}

static void
test_from_kernel (void)
{
  static const uint8_t bytes[16] = { 0xfe, 0x80, [15] = 1 };
  char text[AGENT_INET_TEXT_MAX];
  AgentInet a;

  agent_inet_set (&a, AF_INET6, 64, bytes, 16);
  g_assert_true (agent_inet_is_link_local6 (&a));
  g_assert_cmpstr (agent_inet_network_text (&a, text), ==, "fe80::1/64");
  /* what does not fit together is none */
  agent_inet_set (&a, AF_INET6, 64, bytes, 4);
  g_assert_cmpuint (a.family, ==, AF_UNSPEC);
  agent_inet_set (&a, AF_INET, 33, bytes, 4);
  g_assert_cmpuint (a.family, ==, AF_UNSPEC);
  agent_inet_set (&a, AF_PACKET, 0, bytes, 4);
  g_assert_cmpstr (agent_inet_network_text (&a, text), ==, "");
}

static void
test_mac (void)
{
  static const char *const wrong[] = { "",
                                       "02",
                                       "02:00:00:00:00:0",
                                       "02:00:00:00:00:0a:",
                                       "02:00:00:00:00:0a:0b",
                                       "0g:00:00:00:00:00",
                                       "02.00.00.00.00.00",
                                       ":02:00:00:00:00:00" };
  char text[AGENT_MAC_TEXT_MAX];
  uint8_t mac[AGENT_MAC_LEN];

  g_assert_cmpint (agent_mac_parse ("02:aB:Cd:00:fF:0a", mac), ==, 0);
  g_assert_cmpstr (agent_mac_text (mac, text), ==, "02:ab:cd:00:ff:0a");
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_cmpint (agent_mac_parse (wrong[i], mac), ==, -EINVAL);
}

/* Attributes that end behind the message, in their own header, or have no length. */
static void
test_attributes (void)
{
  struct
  {
    struct rtattr a;
    uint32_t value;
  } data[2] = { { { 8, 1 }, 11 }, { { 8, 2 }, 22 } };
  const struct rtattr *found[3];

  agent_netlink_parse_data (data, sizeof data, found, 3);
  g_assert_cmpuint (agent_netlink_get_u32 (found[1], 0), ==, 11);
  g_assert_cmpuint (agent_netlink_get_u32 (found[2], 0), ==, 22);
  for (unsigned short len = 0; len < 20; len++)
    {
      data[1].a.rta_len = len;
      agent_netlink_parse_data (data, sizeof data, found, 3);
      g_assert_cmpuint (agent_netlink_get_u32 (found[1], 0), ==, 11);
      g_assert_cmpuint (agent_netlink_get_u32 (found[2], 33), ==, len == 8 ? 22 : 33);
    }
  for (gsize len = 0; len < 8; len++)
    {
      agent_netlink_parse_data (data, len, found, 3);
      g_assert_null (found[1]);
    }
  /* the last one without its padding */
  data[1].a.rta_len = 7;
  agent_netlink_parse_data (data, 15, found, 3);
  g_assert_nonnull (found[2]);
}

static void
test_long_request (void)
{
  static const uint8_t bytes[AGENT_NETLINK_REQUEST_MAX];
  AgentNetlink n = { .fd = -1 };

  agent_netlink_begin (&n, RTM_NEWLINK, 0, bytes, sizeof (struct ifinfomsg));
  for (int i = 0; i < 100; i++)
    agent_netlink_put (&n, 1, bytes, 16);
  g_assert_cmpint (agent_netlink_send (&n), ==, -E2BIG);
  agent_netlink_begin (&n, RTM_NEWLINK, 0, bytes, sizeof (struct ifinfomsg));
  agent_netlink_put (&n, 1, bytes, sizeof bytes);
  g_assert_cmpint (agent_netlink_send (&n), ==, -E2BIG);
}

static void
test_modules (void)
{
  g_autofree char *list = NULL;
  int fd = g_file_open_tmp ("vp-modules-XXXXXX", &list, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_assert_true (
      g_file_set_contents (list, "\n \nempty\nmissing /no/such/file.ko\nmiss /no/such\n", -1, NULL));
  g_assert_cmpint (agent_module_load ("other", list), ==, -ENOENT);
  g_assert_cmpint (agent_module_load ("mis", list), ==, -ENOENT);
  g_assert_cmpint (agent_module_load ("empty", list), ==, 0);
  g_unlink (list);
  g_assert_cmpint (agent_module_load ("missing", list), ==, -ENOENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agent-inet/network", test_network);
  g_test_add_func ("/agent-inet/no-network", test_no_network);
  g_test_add_func ("/agent-inet/from-kernel", test_from_kernel);
  g_test_add_func ("/agent-inet/mac", test_mac);
  g_test_add_func ("/agent-netlink/attributes", test_attributes);
  g_test_add_func ("/agent-netlink/long-request", test_long_request);
  g_test_add_func ("/agent-module/list", test_modules);
  return g_test_run ();
}
