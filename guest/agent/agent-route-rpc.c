/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-link.h"
#include "agent-network.h"
#include "agent-route.h"
#include "agent.pb-c.h"

#define SCOPE_MAX 255
#define MTU_MAX 65535
/* what the kernel gives a route that is asked for without one */
#define PRIORITY6 1024

#define FIELD "routes.Routes[%zu]"

/* ---- what is asked for ---- */

/* The address in a field of a route to @dest; "" is none. */
static int
parse_address (const char *text, size_t i, const char *field, const AgentInet *dest, AgentInet *ret,
               AgentFailure *f)
{
  memset (ret, 0, sizeof *ret);
  if (text[0] == '\0')
    return 0;
  if (agent_inet_parse (text, ret) < 0 || !agent_inet_is_unicast (ret))
    return agent_failure_invalid (f, FIELD ".%s: " AGENT_VALUE " is not an address", i, field, text);
  if (ret->family != dest->family)
    return agent_failure_invalid (f, FIELD ".%s: " AGENT_VALUE " is of another family than dest", i, field,
                                  text);
  return 0;
}

/* Everything, of the family that the other fields are of. */
static void
set_default (const Types__Route *r, AgentInet *ret)
{
  const char *other = r->gateway[0] != '\0' ? r->gateway : r->source;

  memset (ret, 0, sizeof *ret);
  ret->family = r->family == TYPES__IPFAMILY__v6 || strchr (other, ':') != NULL ? AF_INET6 : AF_INET;
}

static int
parse_dest (const Types__Route *r, size_t i, AgentInet *ret, AgentFailure *f)
{
  if (r->dest[0] == '\0' || strcmp (r->dest, "default") == 0)
    {
      set_default (r, ret);
      return 0;
    }
  if (agent_inet_parse_network (r->dest, ret) < 0)
    return agent_failure_invalid (f, FIELD ".dest: " AGENT_VALUE " is not a network", i, r->dest);
  if (!agent_inet_is_network (ret))
    return agent_failure_invalid (f, FIELD ".dest: " AGENT_VALUE " has bits behind its prefix", i, r->dest);
  /* v4 is what a sender that does not fill it in says, too */
  if (r->family == TYPES__IPFAMILY__v6 && ret->family != AF_INET6)
    return agent_failure_invalid (f, FIELD ".family: " AGENT_VALUE " is not of IPv6", i, r->dest);
  return 0;
}

static int
parse_route (const Types__Route *r, size_t i, const AgentLinks *links, AgentRoute *ret, AgentFailure *f)
{
  const AgentLink *link = agent_links_find_name (links, r->device);

  memset (ret, 0, sizeof *ret);
  if (parse_dest (r, i, &ret->dest, f) < 0
      || parse_address (r->gateway, i, "gateway", &ret->dest, &ret->gateway, f) < 0
      || parse_address (r->source, i, "source", &ret->dest, &ret->source, f) < 0)
    return -1;
  if (r->scope > SCOPE_MAX)
    return agent_failure_invalid (f, FIELD ".scope: %u: must be 0 to %d", i, r->scope, SCOPE_MAX);
  if (r->mtu > MTU_MAX)
    return agent_failure_invalid (f, FIELD ".mtu: %u: must be 0 to %d", i, r->mtu, MTU_MAX);
  if (link == NULL)
    return agent_failure_set (f, VP_GRPC_NOT_FOUND, FIELD ".device: " AGENT_VALUE ": no such interface", i,
                              r->device);
  ret->index = link->index;
  ret->scope = (uint8_t)r->scope;
  ret->mtu = r->mtu;
  /* the others say how the host's route is */
  ret->flags = r->flags & RTNH_F_ONLINK;
  ret->protocol = RTPROT_STATIC;
  return 0;
}

/* Routes to the same destination differ in their priority, or one would take the
 * other's place; the protocol has no field for it. */
static void
set_priorities (AgentRoutes *wanted)
{
  for (size_t i = 0; i < wanted->n; i++)
    {
      AgentRoute *route = &wanted->routes[i];

      route->priority = route->dest.family == AF_INET6 ? PRIORITY6 : 0;
      for (size_t j = 0; j < i; j++)
        route->priority += agent_inet_equal (&wanted->routes[j].dest, &route->dest) ? 1 : 0;
    }
}

static int
parse_all (const Grpc__Routes *request, const AgentLinks *links, AgentRoutes *ret, AgentFailure *f)
{
  memset (ret, 0, sizeof *ret);
  ret->routes = agent_alloc ((request->n_routes + 1) * sizeof *ret->routes);
  for (; ret->n < request->n_routes; ret->n++)
    if (parse_route (request->routes[ret->n], ret->n, links, &ret->routes[ret->n], f) < 0)
      return -1;
  set_priorities (ret);
  return 0;
}

/* ---- UpdateRoutes ---- */

/* The kernel makes a route for the network of each address, with a priority and a
 * source of its own choice. */
static int
kernel_made (const AgentRoute *have, const AgentRoute *wanted)
{
  return have->protocol == RTPROT_KERNEL && have->index == wanted->index
         && wanted->gateway.family == AF_UNSPEC && agent_inet_equal (&have->dest, &wanted->dest)
         && (wanted->source.family == AF_UNSPEC || agent_inet_equal (&have->source, &wanted->source));
}

static int
is_present (const AgentRoutes *present, const AgentRoute *wanted)
{
  for (size_t i = 0; i < present->n; i++)
    if (agent_route_equal (&present->routes[i], wanted) || kernel_made (&present->routes[i], wanted))
      return 1;
  return 0;
}

/* First those to what an interface reaches by itself: gateways are there. */
static int
set_missing (AgentNetlink *n, const Grpc__Routes *request, const AgentRoutes *wanted,
             const AgentRoutes *present, AgentFailure *f)
{
  for (int with_gateway = 0; with_gateway < 2; with_gateway++)
    for (size_t i = 0; i < wanted->n; i++)
      {
        const AgentRoute *route = &wanted->routes[i];
        const Types__Route *r = request->routes[i];
        char dest[AGENT_INET_TEXT_MAX], gateway[AGENT_INET_TEXT_MAX];
        int rc;

        if ((route->gateway.family != AF_UNSPEC) != with_gateway || is_present (present, route))
          continue;
        rc = agent_route_set (n, route);
        if (rc < 0)
          return agent_failure_netlink (
              f, n, rc, FIELD ": %s%s%s dev %s", i, agent_inet_network_text (&route->dest, dest),
              with_gateway ? " via " : "", agent_inet_text (&route->gateway, gateway), r->device);
      }
  return 0;
}

static int
is_wanted (const AgentRoutes *wanted, const AgentRoute *route)
{
  for (size_t i = 0; i < wanted->n; i++)
    if (agent_route_equal (&wanted->routes[i], route))
      return 1;
  return 0;
}

/* Of the routes as they are now, those that somebody made and that nobody wants. */
static int
remove_others (AgentNetlink *n, const AgentRoutes *wanted, const AgentRoutes *present, AgentFailure *f)
{
  for (size_t i = 0; i < present->n; i++)
    {
      const AgentRoute *route = &present->routes[i];
      char dest[AGENT_INET_TEXT_MAX];
      int rc;

      if ((route->protocol != RTPROT_STATIC && route->protocol != RTPROT_BOOT) || is_wanted (wanted, route))
        continue;
      rc = agent_route_remove (n, route);
      if (rc < 0 && rc != -ESRCH)
        return agent_failure_netlink (f, n, rc, "routes: cannot remove %s",
                                      agent_inet_network_text (&route->dest, dest));
    }
  return 0;
}

static int
loopback_of (const AgentLinks *links)
{
  for (size_t i = 0; i < links->n; i++)
    if (links->links[i].flags & IFF_LOOPBACK)
      return links->links[i].index;
  return 0;
}

static int
read_routes (AgentNetlink *n, const AgentLinks *links, AgentRoutes *ret, AgentFailure *f)
{
  int rc = agent_routes_read (n, loopback_of (links), ret);

  return rc < 0 ? agent_failure_netlink (f, n, rc, "cannot list the routes") : 0;
}

static int
update (AgentNetlink *n, const Grpc__Routes *request, const AgentLinks *links, AgentFailure *f)
{
  AgentRoutes wanted, before = { NULL, 0 }, now = { NULL, 0 };
  int rc = parse_all (request, links, &wanted, f);

  if (rc == 0)
    rc = read_routes (n, links, &before, f);
  if (rc == 0)
    rc = set_missing (n, request, &wanted, &before, f);
  if (rc == 0)
    rc = read_routes (n, links, &now, f);
  if (rc == 0)
    rc = remove_others (n, &wanted, &now, f);
  agent_routes_clear (&wanted);
  agent_routes_clear (&before);
  agent_routes_clear (&now);
  return rc;
}

/* ---- the answer ---- */

static Types__Route *
new_route (const AgentRoute *route, const AgentLinks *links)
{
  Types__Route *message = agent_new_message (Types__Route, types__route__init);
  const AgentLink *link = agent_links_find_index (links, route->index);
  char text[AGENT_INET_TEXT_MAX];

  if (route->dest.prefix > 0)
    message->dest = agent_strdup (agent_inet_network_text (&route->dest, text));
  message->gateway = agent_strdup (agent_inet_text (&route->gateway, text));
  message->source = agent_strdup (agent_inet_text (&route->source, text));
  message->device = agent_strdup (link != NULL ? link->name : "");
  message->family = route->dest.family == AF_INET6 ? TYPES__IPFAMILY__v6 : TYPES__IPFAMILY__v4;
  message->scope = route->scope;
  message->flags = route->flags;
  message->mtu = route->mtu;
  return message;
}

static void
reply_routes (AgentCall *call, AgentNetlink *n, const AgentLinks *links, AgentFailure *f)
{
  Grpc__Routes *response;
  AgentRoutes routes;

  if (read_routes (n, links, &routes, f) < 0)
    {
      agent_call_fail (call, f->code, "%s", f->text);
      return;
    }
  response = agent_new_message (Grpc__Routes, grpc__routes__init);
  response->routes = agent_alloc ((routes.n + 1) * sizeof *response->routes);
  for (size_t i = 0; i < routes.n; i++)
    response->routes[response->n_routes++] = new_route (&routes.routes[i], links);
  agent_call_reply (call, &response->base);
  grpc__routes__free_unpacked (response, NULL);
  agent_routes_clear (&routes);
}

/* @request NULL: nothing is changed. */
static void
update_and_reply (AgentCall *call, const Grpc__Routes *request)
{
  AgentLinks links = { NULL, 0 };
  AgentNetlink n;
  AgentFailure f;
  int rc = agent_netlink_open (&n);

  if (rc < 0)
    {
      agent_call_fail (call, agent_code_from_errno (rc), "rtnetlink: %s", strerror (-rc));
      return;
    }
  rc = agent_links_read (&n, &links);
  if (rc < 0)
    rc = agent_failure_netlink (&f, &n, rc, "cannot list the interfaces");
  if (rc == 0 && request != NULL)
    rc = update (&n, request, &links, &f);
  if (rc < 0)
    agent_call_fail (call, f.code, "%s", f.text);
  else
    reply_routes (call, &n, &links, &f);
  agent_links_clear (&links);
  agent_netlink_close (&n);
}

void
agent_handle_update_routes (Agent *agent, AgentCall *call)
{
  const Grpc__UpdateRoutesRequest *request = agent_call_request (call);

  if (request->routes == NULL)
    agent_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "routes: is missing");
  else if (request->routes->n_routes > AGENT_NETWORK_MAX)
    agent_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "routes.Routes: %zu are too many, at most %d",
                     request->routes->n_routes, AGENT_NETWORK_MAX);
  else
    update_and_reply (call, request->routes);
}

void
agent_handle_list_routes (Agent *agent, AgentCall *call)
{
  update_and_reply (call, NULL);
}
