/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus.h"

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

void
vp_dbus_sandbox_add_network (VpDBusSandbox1 *skeleton, VpSandbox *sandbox)
{
  vp_dbus_handle (skeleton, "handle-update-interface", handle_update_interface, sandbox);
  vp_dbus_handle (skeleton, "handle-update-routes", handle_update_routes, sandbox);
  vp_dbus_handle (skeleton, "handle-list-interfaces", handle_list_interfaces, sandbox);
  vp_dbus_handle (skeleton, "handle-list-routes", handle_list_routes, sandbox);
  vp_dbus_handle (skeleton, "handle-port-forward", handle_port_forward, sandbox);
}
