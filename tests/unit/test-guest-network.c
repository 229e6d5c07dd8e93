/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-guest-network.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "vp-guest-messages.h"
#include "vp-message-json.h"

static void
add_address (VpNetwork *network, VpFamily family, const char *text, guint prefix)
{
  const VpNetworkAddress address = { family, (char *)text, prefix };
  g_autoptr (GError) error = NULL;

  g_assert_true (vp_network_add_address (network, "eth0", &address, &error));
  g_assert_no_error (error);
}

static VpNetwork *
pod_network (void)
{
  const VpNetworkInterface eth0 = { "eth0", "02:00:00:00:00:0A", "veth", 1450, IFF_UP | IFF_NOARP, 3, NULL };
  const VpNetworkRoute routes[] = {
    { VP_FAMILY_V4, "", "169.254.1.1", "eth0", "10.1.0.2", 0, RTNH_F_ONLINK, 1400, 0 },
    { VP_FAMILY_V4, "169.254.1.1/32", "", "eth0", "", RT_SCOPE_LINK, 0, 0, 0 },
    { VP_FAMILY_V6, "", "fd00::1", "eth0", "", 0, 0, 0, 1024 },
  };
  const VpNetworkNeighbour neighbours[] = {
    { VP_FAMILY_V4, "169.254.1.1", "eth0", "02:00:00:00:00:0b", NUD_PERMANENT, 0 },
    { VP_FAMILY_V6, "fd00::1", "eth0", "02:00:00:00:00:0b", NUD_PERMANENT, NTF_ROUTER },
  };
  VpNetwork *network = vp_network_new ();
  g_autoptr (GError) error = NULL;

  g_assert_true (vp_network_add_interface (network, &eth0, &error));
  add_address (network, VP_FAMILY_V4, "10.1.0.2", 16);
  add_address (network, VP_FAMILY_V6, "fd00::2", 64);
  for (gsize i = 0; i < G_N_ELEMENTS (routes); i++)
    g_assert_true (vp_network_add_route (network, &routes[i], RTPROT_STATIC, &error));
  for (gsize i = 0; i < G_N_ELEMENTS (neighbours); i++)
    g_assert_true (vp_network_add_neighbour (network, &neighbours[i], &error));
  g_assert_true (vp_network_seal (network, &error));
  g_assert_no_error (error);
  return network;
}

/* What is expected, and that it survives the wire. */
static void
assert_message (ProtobufCMessage *message, const char *expected)
{
  g_autoptr (GBytes) packed = vp_guest_message_pack (message);
  gsize len;
  const guint8 *data = g_bytes_get_data (packed, &len);
  ProtobufCMessage *again = protobuf_c_message_unpack (message->descriptor, NULL, len, data);
  char *json;
  size_t json_len;

  g_assert_nonnull (again);
  json = vp_message_to_json (again, 0, &json_len);
  g_assert_cmpstr (json, ==, expected);
  free (json);
  protobuf_c_message_free_unpacked (again, NULL);
}

static void
test_interface (void)
{
  g_autoptr (VpNetwork) network = pod_network ();
  Grpc__UpdateInterfaceRequest *request
      = vp_guest_network_update_interface (vp_network_get_interface (network, 0));

  assert_message (&request->base,
                  "{\"interface\":{\"device\":\"eth0\",\"name\":\"eth0\",\"IPAddresses\":["
                  "{\"address\":\"10.1.0.2\",\"mask\":\"16\"},"
                  "{\"family\":\"v6\",\"address\":\"fd00::2\",\"mask\":\"64\"}],"
                  "\"mtu\":1450,\"hwAddr\":\"02:00:00:00:00:0a\",\"type\":\"veth\",\"raw_flags\":129}}");
  grpc__update_interface_request__free_unpacked (request, NULL);
}

static void
test_routes (void)
{
  g_autoptr (VpNetwork) network = pod_network ();
  Grpc__UpdateRoutesRequest *request = vp_guest_network_update_routes (network);

  assert_message (
      &request->base,
      "{\"routes\":{\"Routes\":["
      "{\"dest\":\"169.254.1.1/32\",\"device\":\"eth0\",\"scope\":253},"
      "{\"gateway\":\"169.254.1.1\",\"device\":\"eth0\",\"source\":\"10.1.0.2\",\"flags\":4,\"mtu\":1400},"
      "{\"gateway\":\"fd00::1\",\"device\":\"eth0\",\"family\":\"v6\"}]}}");
  grpc__update_routes_request__free_unpacked (request, NULL);
}

static void
test_neighbours (void)
{
  g_autoptr (VpNetwork) network = pod_network ();
  Grpc__AddARPNeighborsRequest *request = vp_guest_network_add_neighbours (network);

  assert_message (&request->base,
                  "{\"neighbors\":{\"ARPNeighbors\":["
                  "{\"toIPAddress\":{\"address\":\"169.254.1.1\"},\"device\":\"eth0\","
                  "\"lladdr\":\"02:00:00:00:00:0b\",\"state\":128},"
                  "{\"toIPAddress\":{\"family\":\"v6\",\"address\":\"fd00::1\"},\"device\":\"eth0\","
                  "\"lladdr\":\"02:00:00:00:00:0b\",\"state\":128,\"flags\":128}]}}");
  grpc__add_arpneighbors_request__free_unpacked (request, NULL);
}

/* An empty namespace: the lists are there, and empty. */
static void
test_nothing (void)
{
  g_autoptr (VpNetwork) network = vp_network_new ();
  Grpc__UpdateRoutesRequest *routes;
  Grpc__AddARPNeighborsRequest *neighbours;

  g_assert_true (vp_network_seal (network, NULL));
  routes = vp_guest_network_update_routes (network);
  neighbours = vp_guest_network_add_neighbours (network);
  g_assert_cmpuint (routes->routes->n_routes, ==, 0);
  g_assert_cmpuint (neighbours->neighbors->n_arpneighbors, ==, 0);
  assert_message (&routes->base, "{\"routes\":{}}");
  grpc__update_routes_request__free_unpacked (routes, NULL);
  grpc__add_arpneighbors_request__free_unpacked (neighbours, NULL);
}

/* As many as there can be go into one frame. */
static void
test_most (void)
{
  const VpNetworkInterface eth0 = { "eth0", "02:00:00:00:00:0A", "veth", 1450, IFF_UP, 3, NULL };
  g_autoptr (VpNetwork) network = vp_network_new ();
  g_autoptr (GBytes) packed = NULL;
  Grpc__UpdateInterfaceRequest *request;

  g_assert_true (vp_network_add_interface (network, &eth0, NULL));
  for (guint i = 0; i < VP_NETWORK_MAX_ADDRESSES; i++)
    {
      g_autofree char *text = g_strdup_printf ("fd00:ffff:ffff:ffff:ffff:ffff:ffff:%x", i + 1);

      add_address (network, VP_FAMILY_V6, text, 128);
    }
  g_assert_true (vp_network_seal (network, NULL));
  request = vp_guest_network_update_interface (vp_network_get_interface (network, 0));
  g_assert_cmpuint (request->interface->n_ipaddresses, ==, VP_NETWORK_MAX_ADDRESSES);
  packed = vp_guest_message_pack (&request->base);
  g_assert_cmpuint (g_bytes_get_size (packed), <, 1u << 20);
  grpc__update_interface_request__free_unpacked (request, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/guest-network/interface", test_interface);
  g_test_add_func ("/guest-network/routes", test_routes);
  g_test_add_func ("/guest-network/neighbours", test_neighbours);
  g_test_add_func ("/guest-network/nothing", test_nothing);
  g_test_add_func ("/guest-network/most", test_most);
  return g_test_run ();
}
