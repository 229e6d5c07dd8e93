/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus.h"

#include <string.h>

#include "vp-agent-names.h"
#include "vp-dbus-args.h"
#include "vp-dbus-network-args.h"
#include "vp-dbus-verbs.h"
#include "vp-error.h"
#include "vp-guest-messages.h"
#include "vp-guest-network.h"

/* org.virtpod.Sandbox1: its network while it runs */

/* longer than an agent waits for an interface that is being plugged in */
#define MIN_TIMEOUT_MS 15000

static guint
request_timeout (VpDBusSandbox1 *skeleton)
{
  VpManager *manager = g_object_get_data (G_OBJECT (skeleton), "manager");
  guint64 ms = vp_config_get_uint (vp_manager_get_services (manager)->config, VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS);

  return (guint)MAX (ms, MIN_TIMEOUT_MS);
}

/* ---- what the guest is told ---- */

VP_DBUS_DONE_CALLBACK (on_told, VP_AGENT_CLIENT, vp_agent_client_empty_finish)

static gboolean
handle_update_interface (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, GVariant *dict,
                         gpointer user_data)
{
  GError *error = NULL;
  g_autoptr (VpNetwork) network = vp_dbus_args_dup_interface (dict, &error);
  VpAgentClient *agent
      = network == NULL ? NULL : vp_sandbox_get_agent (user_data, VP_VERB_SANDBOX_SET_NETWORK, &error);
  Grpc__UpdateInterfaceRequest *request;
  g_autoptr (GBytes) packed = NULL;

  if (agent == NULL)
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  request = vp_guest_network_update_interface (vp_network_get_interface (network, 0));
  packed = vp_guest_message_pack (&request->base);
  grpc__update_interface_request__free_unpacked (request, NULL);
  vp_agent_client_update_interface_async (agent, packed, request_timeout (skeleton), NULL, on_told, invocation);
  return TRUE;
}

static gboolean
handle_update_routes (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, GVariant *rows,
                      gpointer user_data)
{
  GError *error = NULL;
  g_autoptr (VpNetwork) network = vp_dbus_args_dup_routes (rows, &error);
  VpAgentClient *agent
      = network == NULL ? NULL : vp_sandbox_get_agent (user_data, VP_VERB_SANDBOX_SET_NETWORK, &error);
  Grpc__UpdateRoutesRequest *request;
  g_autoptr (GBytes) packed = NULL;

  if (agent == NULL)
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  request = vp_guest_network_update_routes (network);
  packed = vp_guest_message_pack (&request->base);
  grpc__update_routes_request__free_unpacked (request, NULL);
  vp_agent_client_update_routes_async (agent, packed, request_timeout (skeleton), NULL, on_told, invocation);
  return TRUE;
}

/* ---- what the guest has ---- */

static void
on_interfaces (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  g_autoptr (GVariant) rows = vp_agent_client_list_interfaces_finish (VP_AGENT_CLIENT (source), result, &error);

  if (rows != NULL)
    vp_dbus_sandbox1_complete_list_interfaces (NULL, user_data, rows);
  else
    vp_dbus_fail (user_data, error);
}

static gboolean
handle_list_interfaces (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  GError *error = NULL;
  VpAgentClient *agent = vp_sandbox_get_agent (user_data, VP_VERB_SANDBOX_LIST_NETWORK, &error);

  if (agent == NULL)
    vp_dbus_fail (invocation, error);
  else
    vp_agent_client_list_interfaces_async (agent, request_timeout (skeleton), NULL, on_interfaces, invocation);
  return TRUE;
}

static void
on_routes (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  g_autoptr (GVariant) rows = vp_agent_client_list_routes_finish (VP_AGENT_CLIENT (source), result, &error);

  if (rows != NULL)
    vp_dbus_sandbox1_complete_list_routes (NULL, user_data, rows);
  else
    vp_dbus_fail (user_data, error);
}

static gboolean
handle_list_routes (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  GError *error = NULL;
  VpAgentClient *agent = vp_sandbox_get_agent (user_data, VP_VERB_SANDBOX_LIST_NETWORK, &error);

  if (agent == NULL)
    vp_dbus_fail (invocation, error);
  else
    vp_agent_client_list_routes_async (agent, request_timeout (skeleton), NULL, on_routes, invocation);
  return TRUE;
}

/* ---- its packet filter ---- */

static gboolean
parse_family (const char *family, gboolean *ret_ipv6, GError **error)
{
  *ret_ipv6 = g_str_equal (family, "ipv6");
  if (*ret_ipv6 || g_str_equal (family, "ipv4"))
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "family: \"%s\" must be \"ipv4\" or \"ipv6\"", family);
  return FALSE;
}

static void
on_iptables (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  g_autofree char *text = vp_sandbox_iptables_finish (VP_SANDBOX (source), result, &error);

  /* both methods answer with a text */
  if (text != NULL)
    vp_dbus_sandbox1_complete_get_iptables (NULL, user_data, text);
  else
    vp_dbus_fail (user_data, error);
}

static gboolean
handle_get_iptables (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, const char *family,
                     gpointer user_data)
{
  gboolean ipv6 = FALSE;
  GError *error = NULL;

  if (!parse_family (family, &ipv6, &error))
    vp_dbus_fail (invocation, error);
  else
    vp_sandbox_iptables_async (user_data, ipv6, NULL, on_iptables, invocation);
  return TRUE;
}

static gboolean
handle_set_iptables (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, const char *family,
                     const char *rules, gpointer user_data)
{
  gboolean ipv6 = FALSE;
  GError *error = NULL;

  if (parse_family (family, &ipv6, &error) && strlen (rules) > VP_IPTABLES_MAX)
    g_set_error (&error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "rules: are longer than %d bytes", VP_IPTABLES_MAX);
  if (error != NULL)
    vp_dbus_fail (invocation, error);
  else
    vp_sandbox_iptables_async (user_data, ipv6, rules, on_iptables, invocation);
  return TRUE;
}

/* ---- ports ---- */

static void
on_forwarded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  int fd = vp_sandbox_forward_finish (VP_SANDBOX (source), result, &error);
  g_autoptr (GUnixFDList) fds = NULL;

  if (fd < 0)
    {
      vp_dbus_fail (user_data, error);
      return;
    }
  fds = g_unix_fd_list_new_from_array (&fd, 1);
  vp_dbus_sandbox1_complete_port_forward (NULL, user_data, fds, g_variant_new_handle (0));
}

static gboolean
handle_port_forward (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *in_fds, guint16 port,
                     GVariant *options, gpointer user_data)
{
  static const VpDbusOption table[] = { { NULL } };
  GError *error = NULL;

  if (!vp_dbus_args_check (options, table, &error))
    vp_dbus_fail (invocation, error);
  else
    vp_sandbox_forward_async (user_data, port, vp_dbus_watch_caller (invocation), on_forwarded, invocation);
  return TRUE;
}

/* ---- devices ---- */

static void
on_attached (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  g_autofree char *handle = vp_sandbox_attach_nic_finish (VP_SANDBOX (source), result, &error);

  if (handle != NULL)
    vp_dbus_sandbox1_complete_attach_device (NULL, user_data, handle);
  else
    vp_dbus_fail (user_data, error);
}

static gboolean
handle_attach_device (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, GVariant *dict, gpointer user_data)
{
  static const VpDbusOption table[] = { { "kind", "s" }, { "interface", "s" }, { NULL } };
  const char *kind = "", *interface = "";
  GError *error = NULL;

  if (vp_dbus_args_check (dict, table, &error))
    {
      (void)g_variant_lookup (dict, "kind", "&s", &kind);
      (void)g_variant_lookup (dict, "interface", "&s", &interface);
      if (!g_str_equal (kind, "nic"))
        error = g_error_new (VP_ERROR, *kind == '\0' ? VP_ERROR_INVALID_ARGUMENT : VP_ERROR_NOT_SUPPORTED,
                             *kind == '\0' ? "kind: is missing" : "kind: only \"nic\" can be plugged in");
      else if (*interface == '\0')
        error = g_error_new (VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "interface: is missing");
    }
  if (error != NULL)
    vp_dbus_fail (invocation, error);
  else
    vp_sandbox_attach_nic_async (user_data, interface, on_attached, invocation);
  return TRUE;
}

VP_DBUS_DONE_CALLBACK (on_detached, VP_SANDBOX, vp_sandbox_detach_nic_finish)

static gboolean
handle_detach_device (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, const char *handle,
                      GVariant *options, gpointer user_data)
{
  static const VpDbusOption table[] = { { "timeout_usec", "t" }, { NULL } };
  guint64 usec = 0;
  GError *error = NULL;

  if (!vp_dbus_args_check (options, table, &error))
    {
      vp_dbus_fail (invocation, error);
      return TRUE;
    }
  (void)g_variant_lookup (options, "timeout_usec", "t", &usec);
  vp_sandbox_detach_nic_async (user_data, handle, (guint)MIN (usec / 1000 + (usec % 1000 != 0), G_MAXINT / 2),
                               on_detached, invocation);
  return TRUE;
}

static void
on_rescanned (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_auto (GStrv) attached = NULL;
  g_auto (GStrv) detached = NULL;
  GError *error = NULL;

  if (vp_sandbox_rescan_finish (VP_SANDBOX (source), result, &attached, &detached, &error))
    vp_dbus_sandbox1_complete_rescan_network (NULL, user_data, (const char *const *)attached,
                                              (const char *const *)detached);
  else
    vp_dbus_fail (user_data, error);
}

static gboolean
handle_rescan_network (VpDBusSandbox1 *skeleton, GDBusMethodInvocation *invocation, GVariant *options,
                       gpointer user_data)
{
  static const VpDbusOption table[] = { { NULL } };
  GError *error = NULL;

  if (!vp_dbus_args_check (options, table, &error))
    vp_dbus_fail (invocation, error);
  else
    vp_sandbox_rescan_async (user_data, on_rescanned, invocation);
  return TRUE;
}

static void
on_device_removed (VpSandbox *sandbox, const char *handle, gboolean ok, gpointer skeleton)
{
  vp_dbus_sandbox1_emit_device_removed (skeleton, handle, ok);
}

void
vp_dbus_sandbox_add_network (VpDBusSandbox1 *skeleton, VpSandbox *sandbox)
{
  vp_dbus_handle (skeleton, "handle-update-interface", handle_update_interface, sandbox);
  vp_dbus_handle (skeleton, "handle-update-routes", handle_update_routes, sandbox);
  vp_dbus_handle (skeleton, "handle-list-interfaces", handle_list_interfaces, sandbox);
  vp_dbus_handle (skeleton, "handle-list-routes", handle_list_routes, sandbox);
  vp_dbus_handle (skeleton, "handle-get-iptables", handle_get_iptables, sandbox);
  vp_dbus_handle (skeleton, "handle-set-iptables", handle_set_iptables, sandbox);
  vp_dbus_handle (skeleton, "handle-port-forward", handle_port_forward, sandbox);
  vp_dbus_handle (skeleton, "handle-attach-device", handle_attach_device, sandbox);
  vp_dbus_handle (skeleton, "handle-detach-device", handle_detach_device, sandbox);
  vp_dbus_handle (skeleton, "handle-rescan-network", handle_rescan_network, sandbox);
  g_signal_connect_object (sandbox, "device-removed", G_CALLBACK (on_device_removed), skeleton, 0);
}
