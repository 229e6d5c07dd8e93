/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The network: which interfaces the guest has, and what they are told. */
#include "vp-planner-private.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "vp-device.h"
#include "vp-error.h"

/* What QEMU's user-mode network is by itself, and passt's is made to be, but for the
 * gateway: that is the host's own there, by which it knows what is meant for the host.
 * Both would tell by DHCP; a guest that is told by the agent needs no client for that. */
#define USER_ADDRESS "10.0.2.15"
#define USER_PREFIX 24
#define USER_GATEWAY "10.0.2.2"
#define USER_MTU 1500

/* The first that was found to lose nothing. That of 2025_05_03 ends the connection to a
 * guest that has closed its own direction before all is sent. */
#define PASST_RELEASE 20260728

gboolean
vp_planner_wants_namespace (VpSpec *spec, VpConfig *config)
{
  const char *model = vp_config_get_string (config, VP_CONFIG_NETWORK_MODEL);

  if (!g_str_equal (model, "tcfilter") && !g_str_equal (model, "macvtap"))
    return FALSE;
  return vp_spec_get_namespace_path (spec, "network") != NULL
         || (vp_spec_has_namespace (spec, "network") && vp_config_get_bool (config, VP_CONFIG_NETWORK_NEW_NETNS));
}

gboolean
vp_planner_wants_new_namespace (VpSpec *spec, VpConfig *config)
{
  return vp_planner_wants_namespace (spec, config) && vp_spec_get_namespace_path (spec, "network") == NULL;
}

/* Nobody else's: the sandbox's uuid is random. 15 characters are the most a name can have. */
char *
vp_planner_dup_tap_name (const char *uuid, guint index)
{
  char digits[11];
  guint n = 0;

  for (const char *c = uuid; *c != '\0' && n < sizeof digits - 1; c++)
    if (*c != '-')
      digits[n++] = *c;
  digits[n] = '\0';
  return g_strdup_printf ("vp%s-%u", digits, index);
}

/* Locally administered, the same for the same sandbox. */
static char *
dup_own_mac (const char *uuid)
{
  return g_strdup_printf ("02:%.2s:%.2s:%.2s:%.2s:%.2s", uuid, uuid + 2, uuid + 4, uuid + 6, uuid + 9);
}

static void
set_queues (VpPlanning *p, VpDeviceNic *nic)
{
  guint queues = vp_planning_uint (p, VP_CONFIG_NETWORK_QUEUES);

  nic->queues = queues != 0 ? queues : p->plan->vcpus;
  nic->no_vhost = !vp_planning_bool (p, VP_CONFIG_NETWORK_VHOST);
}

static void
set_rates (VpPlanning *p, VpDeviceNic *nic)
{
  nic->rx_rate = vp_config_get_uint (p->config, VP_CONFIG_NETWORK_RX_MAX_RATE);
  nic->tx_rate = vp_config_get_uint (p->config, VP_CONFIG_NETWORK_TX_MAX_RATE);
  nic->shaped_by_daemon = !vp_nic_backend_is_user (nic->backend) && (nic->rx_rate != 0 || nic->tx_rate != 0);
}

/* What it receives comes from the driver, past every queue. */
static gboolean
check_macvtap (VpPlanning *p, GError **error)
{
  return vp_config_get_uint (p->config, VP_CONFIG_NETWORK_RX_MAX_RATE) == 0
         || vp_planning_not_supported (p, VP_CONFIG_NETWORK_RX_MAX_RATE, error,
                                       "with network.model=macvtap there is no limit of what a guest receives");
}

static void
plan_taps (VpPlanning *p, VpNicBackend backend)
{
  VpNetwork *network = p->facts->network;

  if (network == NULL)
    return;
  for (guint i = 0; i < vp_network_get_n_interfaces (network); i++)
    {
      const VpNetworkInterface *interface = vp_network_get_interface (network, i);
      g_autofree char *id = g_strdup_printf ("nic%u", i);
      g_autofree char *tap = vp_planner_dup_tap_name (p->plan->uuid, i);
      VpDevice *device = vp_device_nic_new (id, backend, tap);

      device->u.nic.mac = g_strdup (interface->mac);
      device->u.nic.mtu = interface->mtu;
      set_queues (p, &device->u.nic);
      set_rates (p, &device->u.nic);
      vp_plan_add_device (p->plan, device);
      vp_planning_note (p, id, interface->name, VP_CONFIG_NETWORK_MODEL,
                        "an interface of the network namespace");
    }
  p->plan->network = vp_network_ref (network);
}

/* Addresses that were looked at and constants: nothing of it can be wrong. */
static VpNetwork *
new_user_network (const char *mac, guint mtu, const char *gateway)
{
  const VpNetworkInterface eth0 = { (char *)"eth0", (char *)mac, (char *)"", mtu, IFF_UP, 1, NULL };
  const VpNetworkAddress address = { VP_FAMILY_V4, (char *)USER_ADDRESS, USER_PREFIX };
  const VpNetworkRoute route = { .family = VP_FAMILY_V4, .gateway = (char *)gateway, .device = eth0.name };
  g_autofree char *dest = g_strdup_printf ("%s/32", gateway);
  const VpNetworkRoute to_gateway
      = { .family = VP_FAMILY_V4, .dest = dest, .device = eth0.name, .scope = RT_SCOPE_LINK };
  VpNetwork *network = vp_network_new ();

  (void)vp_network_add_interface (network, &eth0, NULL);
  (void)vp_network_add_address (network, eth0.name, &address, NULL);
  if (!g_str_equal (gateway, USER_GATEWAY))
    (void)vp_network_add_route (network, &to_gateway, 0, NULL);
  (void)vp_network_add_route (network, &route, 0, NULL);
  (void)vp_network_seal (network, NULL);
  return network;
}

/* As its releases are named. */
static char *
dup_release (guint day)
{
  return g_strdup_printf ("%u_%02u_%02u", day / 10000, day / 100 % 100, day % 100);
}

const char *
vp_planner_why_no_passt (const VpFactsInit *facts)
{
  if (!facts->passt)
    return facts->passt_reason;
  if (facts->uplink == NULL)
    return "the host has no IPv4 default route with a gateway";
  if (g_str_equal (vp_uplink_get_gateway (facts->uplink), USER_ADDRESS))
    return "the host's gateway has the address that the guest has, " USER_ADDRESS;
  return NULL;
}

char *
vp_planner_dup_doubt_of_passt (const VpFactsInit *facts)
{
  g_autofree char *wanted = dup_release (PASST_RELEASE);
  g_autofree char *found = dup_release (facts->passt_release);

  if (facts->passt_release >= PASST_RELEASE)
    return NULL;
  if (facts->passt_release == 0)
    return g_strdup_printf ("its version is not known, and those before %s may lose bytes", wanted);
  return g_strdup_printf ("it is of %s, and those before %s may lose bytes", found, wanted);
}

/* Sets *@ret_passt. */
static gboolean
choose_user_backend (VpPlanning *p, gboolean *ret_passt, GError **error)
{
  const VpConfigKey key = VP_CONFIG_NETWORK_USER_BACKEND;
  const char *cannot = vp_planner_why_no_passt (p->facts);
  g_autofree char *doubt = vp_planner_dup_doubt_of_passt (p->facts);
  const char *why_not = cannot != NULL || vp_planning_is (p, key, "passt") ? cannot : doubt;
  g_autofree char *why = NULL;

  *ret_passt = why_not == NULL && !vp_planning_is (p, key, "qemu");
  if (cannot != NULL && vp_planning_is (p, key, "passt"))
    return vp_planning_not_supported (p, key, error, "\"passt\": %s", cannot);
  if (*ret_passt)
    why = g_strdup_printf ("by %s, the way out is %s", vp_uplink_get_device (p->facts->uplink),
                           vp_uplink_get_gateway (p->facts->uplink));
  else if (!vp_planning_is (p, key, "qemu"))
    why = g_strdup_printf ("not passt: %s", why_not);
  vp_planning_note (p, "user-mode network", *ret_passt ? "passt" : "the hypervisor's", key, why);
  return TRUE;
}

static VpDevice *
new_user_nic (VpPlanning *p, gboolean passt)
{
  VpDevice *device = vp_device_nic_new ("nic0", passt ? VP_NIC_PASST : VP_NIC_USER,
                                        passt ? vp_uplink_get_device (p->facts->uplink) : NULL);

  device->u.nic.mac = dup_own_mac (p->plan->uuid);
  if (passt)
    {
      device->u.nic.address = g_strdup (USER_ADDRESS);
      device->u.nic.prefix = USER_PREFIX;
    }
  set_rates (p, &device->u.nic);
  return device;
}

/* A namespace is somebody's decision of what the workload reaches: packets that
 * leave as the hypervisor's own would go round it. */
static gboolean
plan_user (VpPlanning *p, GError **error)
{
  const char *path = vp_spec_get_namespace_path (p->spec, "network");
  gboolean passt;
  VpDevice *device;

  if (path != NULL)
    return vp_planning_not_supported (p, VP_CONFIG_NETWORK_MODEL, error,
                                      "\"user\": the specification has the network namespace \"%s\"", path);
  vp_planning_note (p, "nic0", "user", VP_CONFIG_NETWORK_MODEL, NULL);
  if (!choose_user_backend (p, &passt, error))
    return FALSE;
  device = new_user_nic (p, passt);
  vp_plan_add_device (p->plan, device);
  p->plan->network = new_user_network (device->u.nic.mac, USER_MTU,
                                       passt ? vp_uplink_get_gateway (p->facts->uplink) : USER_GATEWAY);
  return TRUE;
}

gboolean
vp_planner_plan_network (VpPlanning *p, GError **error)
{
  if (vp_planning_is (p, VP_CONFIG_NETWORK_MODEL, "user"))
    return plan_user (p, error);
  if (vp_planning_is (p, VP_CONFIG_NETWORK_MODEL, "tcfilter"))
    plan_taps (p, VP_NIC_TAP);
  else if (!vp_planning_is (p, VP_CONFIG_NETWORK_MODEL, "macvtap"))
    vp_planning_note (p, "network", "none", VP_CONFIG_NETWORK_MODEL, NULL);
  else if (check_macvtap (p, error))
    plan_taps (p, VP_NIC_MACVTAP);
  else
    return FALSE;
  return TRUE;
}
