/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which interfaces a machine gets. */
#include <arpa/inet.h>
#include <string.h>

#include "vp-decision.h"
#include "vp-error.h"
#include "vp-planner.h"

#define UUID "6b9a2c6e-7a0f-4d55-9d4b-0a6f0c1d2e3f"
#define WITH_PATH ",\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"/run/netns/pod\"}]}"

static VpNetwork *
new_network (guint n)
{
  VpNetwork *network = vp_network_new ();

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("eth%u", i);
      g_autofree char *mac = g_strdup_printf ("02:00:00:00:00:%02x", i);
      const VpNetworkInterface interface = { name, mac, (char *)"veth", 1400 + i, 0, i + 2, NULL };

      g_assert_true (vp_network_add_interface (network, &interface, NULL));
    }
  g_assert_true (vp_network_seal (network, NULL));
  return network;
}

static VpSpec *
new_spec (const char *rest)
{
  g_autofree char *json = g_strdup_printf ("{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},"
                                           "\"process\":{\"args\":[\"x\"],\"cwd\":\"/\"}%s}",
                                           rest);
  g_autoptr (GError) error = NULL;
  VpSpec *spec = vp_spec_parse (json, strlen (json), "/b", &error);

  g_assert_no_error (error);
  return spec;
}

/* @settings: "KEY=VALUE" up to NULL. */
static VpPlan *
plan_on (const VpFactsInit *init, const char *rest, const char *const *settings, GError **error)
{
  const VpSandboxIdentity who = { "s1", UUID, NULL, "/run/virtpod/sandboxes/s1" };
  g_autoptr (VpFacts) facts = vp_facts_new (init);
  g_autoptr (VpConfig) config = vp_config_new_default ();
  g_autoptr (VpSpec) spec = new_spec (rest);

  for (; settings != NULL && *settings != NULL; settings++)
    {
      g_auto (GStrv) pair = g_strsplit (*settings, "=", 2);

      g_assert_true (vp_config_override (config, pair[0], pair[1], NULL));
    }
  return vp_planner_plan_sandbox (&who, spec, config, facts, error);
}

static VpPlan *
plan (const char *rest, VpNetwork *network, const char *const *settings, GError **error)
{
  const VpFactsInit init
      = { .driver = "QEMU", .arch = "x86_64", .virtiofs = TRUE, .kvm_reason = "no vmx", .network = network };

  return plan_on (&init, rest, settings, error);
}

static guint
count_nics (VpPlan *result)
{
  guint n = 0;

  for (guint i = 0; i < result->devices->len; i++)
    n += ((VpDevice *)result->devices->pdata[i])->kind == VP_DEVICE_NIC;
  return n;
}

/* A bundle without a namespace, a namespace nobody looked at, an empty one, and a model that wants none. */
static void
test_none (void)
{
  static const char *const none[] = { "network.model=none", NULL };
  g_autoptr (VpNetwork) empty = new_network (0), two = new_network (2);
  g_autoptr (VpPlan) without = plan ("", NULL, NULL, NULL);
  g_autoptr (VpPlan) unseen = plan (WITH_PATH, NULL, NULL, NULL);
  g_autoptr (VpPlan) bare = plan (WITH_PATH, empty, NULL, NULL);
  g_autoptr (VpPlan) unwanted = plan (WITH_PATH, two, none, NULL);

  g_assert_cmpuint (count_nics (without), ==, 0);
  g_assert_null (without->network);
  g_assert_cmpuint (count_nics (unseen), ==, 0);
  g_assert_cmpuint (count_nics (bare), ==, 0);
  g_assert_cmpuint (count_nics (unwanted), ==, 0);
  g_assert_null (unwanted->network);
}

static void
test_taps (void)
{
  static const char *const settings[] = { "network.queues=0", "hypervisor.vcpus=3", NULL };
  g_autoptr (VpNetwork) network = new_network (VP_NETWORK_MAX_INTERFACES);
  g_autoptr (GError) error = NULL;
  g_autoptr (VpPlan) result = plan (WITH_PATH, network, settings, &error);
  guint n = 0;

  g_assert_no_error (error);
  g_assert_true (result->network == network);
  for (guint i = 0; i < result->devices->len; i++)
    {
      const VpDevice *device = result->devices->pdata[i];
      g_autofree char *tap = g_strdup_printf ("vp6b9a2c6e7a-%u", n);

      if (device->kind != VP_DEVICE_NIC)
        continue;
      g_assert_cmpint (device->u.nic.backend, ==, VP_NIC_TAP);
      g_assert_cmpstr (device->u.nic.dev, ==, tap);
      g_assert_cmpuint (strlen (device->u.nic.dev), <=, 15); /* the kernel's limit */
      g_assert_cmpstr (device->u.nic.mac, ==, vp_network_get_interface (network, n)->mac);
      g_assert_cmpuint (device->u.nic.mtu, ==, 1400 + n);
      g_assert_cmpuint (device->u.nic.queues, ==, 3);
      n++;
    }
  g_assert_cmpuint (n, ==, VP_NETWORK_MAX_INTERFACES);
}

static void
test_user (void)
{
  static const char *const user[] = { "network.model=user", NULL };
  static const char *const named[] = { "network.model=user", "guest.dns=192.0.2.1", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (VpPlan) result = plan ("", NULL, user, &error);
  g_autoptr (VpPlan) other = plan ("", NULL, named, NULL);
  g_autoptr (VpPlan) refused = NULL;
  const VpDevice *nic;

  g_assert_no_error (error);
  nic = vp_plan_find_device (result, VP_DEVICE_NIC);
  g_assert_cmpint (nic->u.nic.backend, ==, VP_NIC_USER);
  g_assert_cmpstr (nic->u.nic.mac, ==, "02:6b:9a:2c:6e:7a");
  g_assert_cmpuint (vp_network_get_n_interfaces (result->network), ==, 1);
  g_assert_cmpstr (vp_network_get_interface (result->network, 0)->mac, ==, nic->u.nic.mac);
  g_assert_cmpuint (vp_network_get_interface (result->network, 0)->addresses->len, ==, 1);
  g_assert_cmpstr (vp_network_get_route (result->network, 0)->gateway, ==, "10.0.2.2");
  g_assert_cmpstr (result->dns[0], ==, "nameserver 10.0.2.3");
  g_assert_cmpstr (other->dns[0], ==, "nameserver 192.0.2.1");

  /* a namespace is not gone round */
  refused = plan (WITH_PATH, NULL, user, &error);
  g_assert_null (refused);
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED);
  g_assert_nonnull (strstr (error->message, "/run/netns/pod"));
}

/* @release: of passt, 0: there is none, 1: it does not say.
 * @address: of the host's gateway, NULL: it has none. */
static VpPlan *
plan_passt (guint release, const char *address, const char *backend, GError **error)
{
  g_autofree char *setting = g_strdup_printf ("network.user-backend=%s", backend);
  const char *const settings[] = { "network.model=user", setting, NULL };
  struct in_addr gateway = { address != NULL ? inet_addr (address) : 0 };
  g_autofree char *routes = g_strdup_printf ("up0 00000000 %08X 0003 0 0 0 00000000 0 0 0\n", gateway.s_addr);
  g_autoptr (VpUplink) uplink = vp_uplink_parse (routes, "nameserver 198.51.100.7\nnameserver 127.0.0.1\n");
  const VpFactsInit init = { .driver = "QEMU",
                             .arch = "x86_64",
                             .virtiofs = TRUE,
                             .kvm_reason = "no vmx",
                             .libvirt_version = 11003000,
                             .passt = release != 0,
                             .passt_release = release > 1 ? release : 0,
                             .passt_reason = "there is no program",
                             .uplink = uplink };

  return plan_on (&init, "", settings, error);
}

static void
test_passt (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VpPlan) result = plan_passt (20260728, "192.0.2.1", "auto", &error);
  g_autoptr (VpPlan) old = plan_passt (20250503, "192.0.2.1", "passt", NULL);
  g_autoptr (VpPlan) nested = plan_passt (1, "10.0.2.2", "passt", NULL);
  const VpDevice *nic;

  g_assert_no_error (error);
  nic = vp_plan_find_device (result, VP_DEVICE_NIC);
  g_assert_cmpint (nic->u.nic.backend, ==, VP_NIC_PASST);
  g_assert_cmpstr (nic->u.nic.dev, ==, "up0");
  g_assert_cmpstr (nic->u.nic.address, ==, "10.0.2.15");
  g_assert_cmpstr (vp_decisions_find (result->decisions, "user-mode network")->value, ==, "passt");
  /* the gateway is not in the guest's own network: how to reach it comes first */
  g_assert_cmpuint (vp_network_get_n_routes (result->network), ==, 2);
  g_assert_cmpstr (vp_network_get_route (result->network, 0)->dest, ==, "192.0.2.1/32");
  g_assert_cmpstr (vp_network_get_route (result->network, 0)->gateway, ==, "");
  g_assert_cmpstr (vp_network_get_route (result->network, 1)->gateway, ==, "192.0.2.1");
  g_assert_cmpstr (result->dns[0], ==, "nameserver 198.51.100.7");
  g_assert_cmpstr (result->dns[1], ==, "nameserver 192.0.2.1");
  /* who asks for it gets it, whatever it is */
  g_assert_cmpint (vp_plan_find_device (old, VP_DEVICE_NIC)->u.nic.backend, ==, VP_NIC_PASST);
  /* a host that is itself a machine with a network of QEMU's */
  g_assert_cmpuint (vp_network_get_n_routes (nested->network), ==, 1);
  g_assert_cmpstr (vp_network_get_route (nested->network, 0)->gateway, ==, "10.0.2.2");
}

static void
test_passt_release (void)
{
  static const struct
  {
    const char *said;
    guint release;
  } cases[] = {
    { "passt 2026_07_28.f8df3f1\nCopyright Red Hat\n", 20260728 },
    { "passt 2025_09_19.623dbf6-12-g20260101", 20250919 },
    { "passt 0.0~git20260728.f8df3f1-1~bpo13+1\nCopyright Red Hat\n", 20260728 },
    { "passt 0^20260611.ga9c61ff-1.fc44.x86_64\n", 20260611 },
    { "passt unknown version\nCopyright Red Hat 20260728\n", 0 },
    { "passt 120260728\n", 0 },
    { "passt 2026\n", 0 },
    { "passt \xff 2026_07_28\n", 0 },
    { "past 2026_07_28\n", 0 },
    { "", 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpuint (vp_facts_parse_passt_release (cases[i].said), ==, cases[i].release);
}

static void
test_passt_or_not (void)
{
  static const struct
  {
    guint release;
    const char *gateway, *backend, *refused, *why;
  } cases[] = {
    { 20261002, "192.0.2.1", "qemu", NULL, NULL },
    { 0, "192.0.2.1", "auto", NULL, "not passt: there is no program" },
    { 1, "192.0.2.1", "auto", NULL, "not passt: its version is not known, and those before 2026_07_28 may lose bytes" },
    { 20260727, "192.0.2.1", "auto", NULL, "not passt: it is of 2026_07_27, and those before 2026_07_28 may lose bytes" },
    { 20261002, NULL, "auto", NULL, "not passt: the host has no IPv4 default route with a gateway" },
    { 20261002, "10.0.2.15", "auto", NULL,
      "not passt: the host's gateway has the address that the guest has, 10.0.2.15" },
    { 0, "192.0.2.1", "passt", "network.user-backend: \"passt\": there is no program", NULL },
    { 20261002, NULL, "passt", "no IPv4 default route", NULL },
    { 20261002, "10.0.2.15", "passt", "the address that the guest has", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VpPlan) result = plan_passt (cases[i].release, cases[i].gateway, cases[i].backend, &error);

      g_test_message ("case %u", (guint)i);
      if (cases[i].refused != NULL)
        {
          g_assert_null (result);
          g_assert_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED);
          g_assert_nonnull (strstr (error->message, cases[i].refused));
          continue;
        }
      g_assert_no_error (error);
      g_assert_cmpint (vp_plan_find_device (result, VP_DEVICE_NIC)->u.nic.backend, ==, VP_NIC_USER);
      g_assert_cmpstr (vp_decisions_find (result->decisions, "user-mode network")->why, ==,
                       cases[i].why ?: "");
      g_assert_cmpstr (vp_network_get_route (result->network, 0)->gateway, ==, "10.0.2.2");
      g_assert_cmpstr (result->dns[0], ==, "nameserver 10.0.2.3");
      g_assert_cmpstr (vp_decisions_find (result->decisions, "user-mode network")->value, ==, "the hypervisor's");
    }
}

static void
test_macvtap (void)
{
  static const char *const model[] = { "network.model=macvtap", "network.tx-max-rate=8000", NULL };
  static const char *const limit[] = { "network.model=macvtap", "network.rx-max-rate=8000", NULL };
  g_autoptr (VpNetwork) network = new_network (1);
  g_autoptr (GError) error = NULL;
  g_autoptr (VpPlan) result = plan (WITH_PATH, network, model, &error);
  g_autoptr (VpPlan) refused = NULL;
  const VpDevice *nic;

  g_assert_no_error (error);
  nic = vp_plan_find_device (result, VP_DEVICE_NIC);
  g_assert_cmpint (nic->u.nic.backend, ==, VP_NIC_MACVTAP);
  g_assert_cmpstr (nic->u.nic.dev, ==, "vp6b9a2c6e7a-0");
  g_assert_true (nic->u.nic.shaped_by_daemon);
  refused = plan (WITH_PATH, network, limit, &error);
  g_assert_null (refused);
  g_assert_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED);
  g_assert_nonnull (strstr (error->message, "network.rx-max-rate"));
}

/* Limits are set where the interface is in the end, which libvirt is not. */
static void
test_rates (void)
{
  static const char *const limits[] = { "network.rx-max-rate=1000000000000", "network.tx-max-rate=1", NULL };
  static const char *const user[] = { "network.model=user", "network.tx-max-rate=1", NULL };
  g_autoptr (VpNetwork) network = new_network (2);
  g_autoptr (GError) error = NULL;
  g_autoptr (VpPlan) result = plan (WITH_PATH, network, limits, &error);
  g_autoptr (VpPlan) free_of_it = plan (WITH_PATH, network, NULL, NULL);
  g_autoptr (VpPlan) nobody = plan ("", NULL, user, NULL);
  const VpDeviceNic *nic;

  g_assert_no_error (error);
  nic = &vp_plan_find_device (result, VP_DEVICE_NIC)->u.nic;
  g_assert_cmpuint (nic->rx_rate, ==, G_GUINT64_CONSTANT (1000000000000));
  g_assert_cmpuint (nic->tx_rate, ==, 1);
  g_assert_true (nic->shaped_by_daemon);
  g_assert_false (vp_plan_find_device (free_of_it, VP_DEVICE_NIC)->u.nic.shaped_by_daemon);
  /* there is nothing on the host to limit: the document says so (test-domain-xml) */
  nic = &vp_plan_find_device (nobody, VP_DEVICE_NIC)->u.nic;
  g_assert_cmpuint (nic->tx_rate, ==, 1);
  g_assert_false (nic->shaped_by_daemon);
}

static void
test_wants_namespace (void)
{
  g_autoptr (VpConfig) config = vp_config_new_default ();
  g_autoptr (VpSpec) with = new_spec (WITH_PATH);
  g_autoptr (VpSpec) fresh = new_spec (",\"linux\":{\"namespaces\":[{\"type\":\"network\"}]}");
  g_autoptr (VpSpec) without = new_spec ("");

  g_assert_true (vp_planner_wants_namespace (with, config));
  g_assert_false (vp_planner_wants_new_namespace (with, config));
  g_assert_true (vp_planner_wants_namespace (fresh, config));
  g_assert_true (vp_planner_wants_new_namespace (fresh, config));
  g_assert_false (vp_planner_wants_namespace (without, config));
  g_assert_true (vp_config_override (config, "network.model", "none", NULL));
  g_assert_false (vp_planner_wants_namespace (with, config));
  g_assert_false (vp_planner_wants_new_namespace (fresh, config));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/planner-network/none", test_none);
  g_test_add_func ("/planner-network/taps", test_taps);
  g_test_add_func ("/planner-network/user", test_user);
  g_test_add_func ("/planner-network/passt", test_passt);
  g_test_add_func ("/planner-network/passt-release", test_passt_release);
  g_test_add_func ("/planner-network/passt-or-not", test_passt_or_not);
  g_test_add_func ("/planner-network/macvtap", test_macvtap);
  g_test_add_func ("/planner-network/rates", test_rates);
  g_test_add_func ("/planner-network/wants-namespace", test_wants_namespace);
  return g_test_run ();
}
