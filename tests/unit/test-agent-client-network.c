/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calls about the guest's network, with guests that answer right and wrong. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent.pb-c.h"
#include "fake-agent.h"
#include "vp-agent-client.h"
#include "vp-error.h"
#include "vp-ttrpc.h"

typedef enum
{
  ANSWER_WELL,
  ANSWER_ERROR,
  ANSWER_EVIL,
  ANSWER_TOO_MUCH,
  ANSWER_NOT,
} Answer;

typedef struct
{
  VpAgentClient *client;
  FakeAgent *agent;
  Answer answer;
  VpRpc last_rpc;
  char *last_name; /* of the interface in the request */
} Fixture;

static void
reply_interfaces (FakeAgent *agent, guint32 stream, const char *name, gsize n)
{
  Types__IPAddress address = TYPES__IPADDRESS__INIT;
  Types__IPAddress *addresses[] = { &address };
  Types__Interface interface = TYPES__INTERFACE__INIT;
  g_autofree Types__Interface **interfaces = g_new (Types__Interface *, n);
  Grpc__Interfaces answer = GRPC__INTERFACES__INIT;

  address.address = (char *)"10.1.0.2";
  address.mask = (char *)"16";
  interface.name = (char *)name;
  interface.hwaddr = (char *)"02:00:00:00:00:0a";
  interface.mtu = G_MAXUINT64;
  interface.ipaddresses = addresses;
  interface.n_ipaddresses = 1;
  for (gsize i = 0; i < n; i++)
    interfaces[i] = &interface;
  answer.interfaces = interfaces;
  answer.n_interfaces = n;
  fake_agent_reply (agent, stream, &answer.base);
}

static void
reply_routes (FakeAgent *agent, guint32 stream, const char *dest, gsize n)
{
  Types__Route route = TYPES__ROUTE__INIT;
  g_autofree Types__Route **routes = g_new (Types__Route *, n);
  Grpc__Routes answer = GRPC__ROUTES__INIT;

  route.dest = (char *)dest;
  route.family = TYPES__IPFAMILY__v6;
  for (gsize i = 0; i < n; i++)
    routes[i] = &route;
  answer.routes = routes;
  answer.n_routes = n;
  fake_agent_reply (agent, stream, &answer.base);
}

static gboolean
handle (FakeAgent *agent, guint32 stream, VpRpc rpc, const ProtobufCMessage *request, gpointer user_data)
{
  const char *evil = "\x1b[2J\xff";
  Fixture *f = user_data;

  if (rpc == VP_RPC_HEALTH_CHECK)
    return FALSE;
  f->last_rpc = rpc;
  if (rpc == VP_RPC_UPDATE_INTERFACE)
    f->last_name = g_strdup (((const Grpc__UpdateInterfaceRequest *)request)->interface->name);
  if (f->answer == ANSWER_NOT)
    return TRUE;
  if (f->answer == ANSWER_ERROR)
    fake_agent_reply_error (agent, stream, VP_GRPC_NOT_FOUND,
                            "routes.Routes[0].device: \"eth9\": no such interface");
  else if (rpc == VP_RPC_LIST_INTERFACES)
    reply_interfaces (agent, stream, f->answer == ANSWER_EVIL ? evil : "eth0",
                      f->answer == ANSWER_TOO_MUCH ? 257 : 2);
  else if (rpc == VP_RPC_LIST_ROUTES)
    reply_routes (agent, stream, f->answer == ANSWER_EVIL ? evil : "fd00::/8",
                  f->answer == ANSWER_TOO_MUCH ? 16385 : 1);
  else
    fake_agent_reply_empty (agent, stream);
  return TRUE;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (VpAgentConn) conn = NULL;
  g_auto (TestResult) opened = { 0 };
  g_autoptr (GError) error = NULL;
  int fds[2];

  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  f->answer = (Answer)GPOINTER_TO_INT (data);
  f->agent = fake_agent_new_for_fd (fds[1]);
  fake_agent_set_func (f->agent, handle, f);
  conn = vp_agent_conn_new_for_fd (fds[0], VP_CHANNEL_SERIAL);
  f->client = vp_agent_client_new (conn);
  vp_agent_client_open_async (f->client, 20000, NULL, test_result_ready, &opened);
  test_run_until (&opened.done);
  g_assert_true (vp_agent_client_open_finish (f->client, opened.result, &error));
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  vp_agent_client_close (f->client);
  fake_agent_free (f->agent);
  g_assert_finalize_object (f->client);
  g_free (f->last_name);
}

/* a request whose one field is a message of length 0: all three have a first field like that */
static GBytes *
empty_request (void)
{
  return g_bytes_new_static ("\x0a\x00", 2);
}

typedef void (*SetFunc) (VpAgentClient *self, GBytes *request, guint timeout_ms, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data);
typedef void (*ListFunc) (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data);
typedef GVariant *(*ListFinish) (VpAgentClient *self, GAsyncResult *result, GError **error);

static const struct
{
  SetFunc func;
  VpRpc rpc;
} setters[] = {
  { vp_agent_client_update_interface_async, VP_RPC_UPDATE_INTERFACE },
  { vp_agent_client_update_routes_async, VP_RPC_UPDATE_ROUTES },
  { vp_agent_client_add_neighbours_async, VP_RPC_ADD_ARP_NEIGHBORS },
};

static const struct
{
  ListFunc func;
  ListFinish finish;
  VpRpc rpc;
} lists[] = {
  { vp_agent_client_list_interfaces_async, vp_agent_client_list_interfaces_finish, VP_RPC_LIST_INTERFACES },
  { vp_agent_client_list_routes_async, vp_agent_client_list_routes_finish, VP_RPC_LIST_ROUTES },
};

static void
test_set (Fixture *f, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (setters); i++)
    {
      g_autoptr (GBytes) request = empty_request ();
      g_auto (TestResult) done = { 0 };
      g_autoptr (GError) error = NULL;

      g_clear_pointer (&f->last_name, g_free);
      setters[i].func (f->client, request, 20000, NULL, test_result_ready, &done);
      test_run_until (&done.done);
      g_assert_true (vp_agent_client_empty_finish (f->client, done.result, &error));
      g_assert_no_error (error);
      g_assert_cmpint (f->last_rpc, ==, setters[i].rpc);
    }
}

/* what the daemon makes of an answer */
static const int codes[] = { [ANSWER_ERROR] = VP_ERROR_NOT_FOUND,
                             [ANSWER_TOO_MUCH] = VP_ERROR_AGENT_FAILED,
                             [ANSWER_NOT] = VP_ERROR_TIMED_OUT };

static void
test_fails (Fixture *f, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (setters); i++)
    {
      g_autoptr (GBytes) request = empty_request ();
      g_auto (TestResult) done = { 0 };
      g_autoptr (GError) error = NULL;

      g_clear_pointer (&f->last_name, g_free);
      setters[i].func (f->client, request, f->answer == ANSWER_NOT ? 50 : 20000, NULL, test_result_ready,
                       &done);
      test_run_until (&done.done);
      g_assert_false (vp_agent_client_empty_finish (f->client, done.result, &error));
      g_assert_error (error, VP_ERROR, codes[f->answer]);
      if (f->answer == ANSWER_ERROR)
        g_assert_nonnull (strstr (error->message, "routes.Routes[0].device"));
    }
}

static void
test_lists_fail (Fixture *f, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      g_auto (TestResult) done = { 0 };
      g_autoptr (GError) error = NULL;

      lists[i].func (f->client, f->answer == ANSWER_NOT ? 50 : 20000, NULL, test_result_ready, &done);
      test_run_until (&done.done);
      g_assert_null (lists[i].finish (f->client, done.result, &error));
      g_assert_error (error, VP_ERROR, codes[f->answer]);
      g_assert_cmpint (f->last_rpc, ==, lists[i].rpc);
    }
}

static GVariant *
get_list (Fixture *f, gsize i)
{
  g_auto (TestResult) done = { 0 };
  g_autoptr (GError) error = NULL;
  GVariant *list;

  lists[i].func (f->client, 20000, NULL, test_result_ready, &done);
  test_run_until (&done.done);
  list = lists[i].finish (f->client, done.result, &error);
  g_assert_no_error (error);
  return list;
}

static void
test_lists (Fixture *f, gconstpointer data)
{
  g_autoptr (GVariant) interfaces = get_list (f, 0);
  g_autoptr (GVariant) routes = get_list (f, 1);
  g_autofree char *first = NULL, *route = NULL;

  g_assert_cmpuint (g_variant_n_children (interfaces), ==, 2);
  first = g_variant_print (interfaces, FALSE);
  route = g_variant_print (routes, FALSE);
  g_assert_true (g_str_has_prefix (first, "[{'name': <'eth0'>, 'mac': <'02:00:00:00:00:0a'>, "
                                          "'mtu': <uint64 18446744073709551615>, 'flags': <uint64 0>, "
                                          "'addresses': <['10.1.0.2/16']>}"));
  g_assert_cmpstr (
      route, ==,
      "[{'family': <'ipv6'>, 'dest': <'fd00::/8'>, 'gateway': <''>, 'device': <''>, 'source': <''>, "
      "'scope': <uint64 0>, 'flags': <uint64 0>, 'mtu': <uint64 0>}]");
}

static void
test_evil_lists (Fixture *f, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      g_autoptr (GVariant) list = get_list (f, i);
      g_autoptr (GVariant) row = g_variant_get_child_value (list, 0);
      const char *word = NULL;

      g_assert_true (g_variant_lookup (row, i == 0 ? "name" : "dest", "&s", &word));
      g_assert_cmpstr (word, ==, "\\x1b[2J\\xff");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
#define ADD(name, answer, func)                                                                              \
  g_test_add ("/agent-client-network/" name, Fixture, GINT_TO_POINTER (answer), set_up, func, tear_down)
  ADD ("set", ANSWER_WELL, test_set);
  ADD ("set/error", ANSWER_ERROR, test_fails);
  ADD ("set/timeout", ANSWER_NOT, test_fails);
  ADD ("list", ANSWER_WELL, test_lists);
  ADD ("list/evil", ANSWER_EVIL, test_evil_lists);
  ADD ("list/error", ANSWER_ERROR, test_lists_fail);
  ADD ("list/too-much", ANSWER_TOO_MUCH, test_lists_fail);
  ADD ("list/timeout", ANSWER_NOT, test_lists_fail);
#undef ADD
  return g_test_run ();
}
