/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-agent-client.h"

#include <string.h>

#include "agent.pb-c.h"
#include "vp-agent-call.h"
#include "vp-agent-error.h"
#include "vp-error.h"

/* The network of the guest. What is set is answered with what is there then, which
 * nobody has to believe; who wants to know asks for the lists. */

/* most of a list; most bytes of a name or an address */
#define INTERFACES_MAX 256
#define ADDRESSES_MAX 4096
#define ROUTES_MAX 16384
#define WORD_LEN 64

void
vp_agent_client_update_interface_async (VpAgentClient *self, GBytes *request, guint timeout_ms,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data)
{
  vp_agent_client_call_packed_async (self, VP_RPC_UPDATE_INTERFACE, request, timeout_ms, cancellable,
                                     callback, user_data);
}

void
vp_agent_client_update_routes_async (VpAgentClient *self, GBytes *request, guint timeout_ms,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  vp_agent_client_call_packed_async (self, VP_RPC_UPDATE_ROUTES, request, timeout_ms, cancellable, callback,
                                     user_data);
}

void
vp_agent_client_add_neighbours_async (VpAgentClient *self, GBytes *request, guint timeout_ms,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data)
{
  vp_agent_client_call_packed_async (self, VP_RPC_ADD_ARP_NEIGHBORS, request, timeout_ms, cancellable,
                                     callback, user_data);
}

/* ---- lists ---- */

static void
add_word (GVariantBuilder *row, const char *key, const char *word)
{
  g_autofree char *clean = vp_agent_text_sanitise (word, strlen (word), WORD_LEN);

  g_variant_builder_add (row, "{sv}", key, g_variant_new_string (clean));
}

static void
add_number (GVariantBuilder *row, const char *key, guint64 number)
{
  g_variant_builder_add (row, "{sv}", key, g_variant_new_uint64 (number));
}

/* FALSE with @error when the guest says too much. */
static gboolean
check_length (VpRpc rpc, gsize n, gsize max, const char *what, GError **error)
{
  if (n <= max)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_AGENT_FAILED, "%s: more than %" G_GSIZE_FORMAT " %s",
               vp_rpc_info (rpc)->method, max, what);
  return FALSE;
}

static GVariant *
addresses_to_variant (const Types__Interface *interface)
{
  GVariantBuilder texts;

  g_variant_builder_init (&texts, G_VARIANT_TYPE ("as"));
  for (gsize i = 0; i < interface->n_ipaddresses; i++)
    {
      const Types__IPAddress *address = interface->ipaddresses[i];
      g_autofree char *text
          = g_strdup_printf ("%.*s/%.*s", WORD_LEN, address->address, WORD_LEN, address->mask);
      g_autofree char *clean = vp_agent_text_sanitise (text, strlen (text), WORD_LEN);

      g_variant_builder_add (&texts, "s", clean);
    }
  return g_variant_builder_end (&texts);
}

void
vp_agent_client_list_interfaces_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data)
{
  Grpc__ListInterfacesRequest request = GRPC__LIST_INTERFACES_REQUEST__INIT;

  vp_agent_client_call_async (self, VP_RPC_LIST_INTERFACES, &request.base, timeout_ms, cancellable, callback,
                              user_data);
}

GVariant *
vp_agent_client_list_interfaces_finish (VpAgentClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (VpAgentMessage) answer = vp_agent_client_call_finish (self, result, error);
  const Grpc__Interfaces *list = (const Grpc__Interfaces *)answer;
  GVariantBuilder rows;
  gsize n_addresses = 0;

  if (answer == NULL
      || !check_length (VP_RPC_LIST_INTERFACES, list->n_interfaces, INTERFACES_MAX, "interfaces", error))
    return NULL;
  for (gsize i = 0; i < list->n_interfaces; i++)
    n_addresses += list->interfaces[i]->n_ipaddresses;
  if (!check_length (VP_RPC_LIST_INTERFACES, n_addresses, ADDRESSES_MAX, "addresses", error))
    return NULL;
  g_variant_builder_init (&rows, G_VARIANT_TYPE ("aa{sv}"));
  for (gsize i = 0; i < list->n_interfaces; i++)
    {
      const Types__Interface *interface = list->interfaces[i];

      g_variant_builder_open (&rows, G_VARIANT_TYPE ("a{sv}"));
      add_word (&rows, "name", interface->name);
      add_word (&rows, "mac", interface->hwaddr);
      add_number (&rows, "mtu", interface->mtu);
      add_number (&rows, "flags", interface->raw_flags);
      g_variant_builder_add (&rows, "{sv}", "addresses", addresses_to_variant (interface));
      g_variant_builder_close (&rows);
    }
  return g_variant_ref_sink (g_variant_builder_end (&rows));
}

void
vp_agent_client_list_routes_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
  Grpc__ListRoutesRequest request = GRPC__LIST_ROUTES_REQUEST__INIT;

  vp_agent_client_call_async (self, VP_RPC_LIST_ROUTES, &request.base, timeout_ms, cancellable, callback,
                              user_data);
}

GVariant *
vp_agent_client_list_routes_finish (VpAgentClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (VpAgentMessage) answer = vp_agent_client_call_finish (self, result, error);
  const Grpc__Routes *list = (const Grpc__Routes *)answer;
  GVariantBuilder rows;

  if (answer == NULL || !check_length (VP_RPC_LIST_ROUTES, list->n_routes, ROUTES_MAX, "routes", error))
    return NULL;
  g_variant_builder_init (&rows, G_VARIANT_TYPE ("aa{sv}"));
  for (gsize i = 0; i < list->n_routes; i++)
    {
      const Types__Route *route = list->routes[i];

      g_variant_builder_open (&rows, G_VARIANT_TYPE ("a{sv}"));
      g_variant_builder_add (&rows, "{sv}", "family",
                             g_variant_new_string (route->family == TYPES__IPFAMILY__v6 ? "ipv6" : "ipv4"));
      add_word (&rows, "dest", route->dest);
      add_word (&rows, "gateway", route->gateway);
      add_word (&rows, "device", route->device);
      add_word (&rows, "source", route->source);
      add_number (&rows, "scope", route->scope);
      add_number (&rows, "flags", route->flags);
      add_number (&rows, "mtu", route->mtu);
      g_variant_builder_close (&rows);
    }
  return g_variant_ref_sink (g_variant_builder_end (&rows));
}

/* ---- packet filter ---- */

void
vp_agent_client_iptables_async (VpAgentClient *self, gboolean ipv6, const char *rules, guint timeout_ms,
                                GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  Grpc__GetIPTablesRequest get = GRPC__GET_IPTABLES_REQUEST__INIT;
  Grpc__SetIPTablesRequest set = GRPC__SET_IPTABLES_REQUEST__INIT;

  get.is_ipv6 = set.is_ipv6 = ipv6;
  set.data.data = (guint8 *)rules;
  set.data.len = rules != NULL ? strlen (rules) : 0;
  if (rules != NULL)
    vp_agent_client_call_async (self, VP_RPC_SET_IPTABLES, &set.base, timeout_ms, cancellable, callback, user_data);
  else
    vp_agent_client_call_async (self, VP_RPC_GET_IPTABLES, &get.base, timeout_ms, cancellable, callback, user_data);
}

char *
vp_agent_client_iptables_finish (VpAgentClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (VpAgentMessage) answer = vp_agent_client_call_finish (self, result, error);
  const ProtobufCBinaryData *data;

  if (answer == NULL)
    return NULL;
  data = answer->descriptor == &grpc__get_iptables_response__descriptor
             ? &((const Grpc__GetIPTablesResponse *)answer)->data
             : &((const Grpc__SetIPTablesResponse *)answer)->data;
  if (data->len == 0)
    return g_strdup ("");
  /* nor a NUL in it */
  if (g_utf8_validate_len ((const char *)data->data, data->len, NULL))
    return g_strndup ((const char *)data->data, data->len);
  g_set_error (error, VP_ERROR, VP_ERROR_AGENT_FAILED, "%s: the answer is no text",
               vp_rpc_info (VP_RPC_GET_IPTABLES)->method);
  return NULL;
}
