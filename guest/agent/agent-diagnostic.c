/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-diagnostic.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-cgroup.h"
#include "agent-sandbox.h"
#include "agent.pb-c.h"
#include "vp-agent-names.h"

/* of all the processes there can be in a guest with the kernel's default limit */
#define MAX_PIDS 32768
#define MAX_PID_TEXT 8

typedef struct
{
  char text[MAX_PIDS * MAX_PID_TEXT];
  size_t len;
} Pids;

static void
add_pid (pid_t pid, void *data)
{
  Pids *pids = data;

  if (pids->len + MAX_PID_TEXT + 1 < sizeof pids->text)
    pids->len += (size_t)sprintf (pids->text + pids->len, "%d\n", (int)pid % 10000000);
}

static void
reply_pids (AgentCall *call, AgentContainer *c)
{
  Grpc__GetDiagnosticDataResponse response = GRPC__GET_DIAGNOSTIC_DATA_RESPONSE__INIT;
  Pids *pids;

  if (c->cgroup == NULL)
    {
      agent_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "container \"%s\": has no cgroup", c->id);
      return;
    }
  pids = agent_new (Pids);
  agent_cgroup_pids (c->cgroup, add_pid, pids);
  response.data = pids->text;
  agent_call_reply (call, &response.base);
  free (pids);
}

/* What they were doing is of no use to anybody, so it does not matter how far they got. */
static void
disown (Agent *agent)
{
  agent_list_foreach (it, &agent->sandbox->containers)
  {
    AgentContainer *c = agent_container_of (it, AgentContainer, link);

    agent_list_foreach (jt, &c->processes)
    {
      AgentProcess *p = agent_container_of (jt, AgentProcess, link);

      if (!p->is_ours)
        continue;
      p->was_waited = 1;
      agent_process_signal (p, SIGKILL);
    }
  }
}

void
agent_handle_get_diagnostic_data (Agent *agent, AgentCall *call)
{
  const Grpc__GetDiagnosticDataRequest *r = agent_call_request (call);
  AgentContainer *c;

  if (strcmp (r->log_type, VP_DIAGNOSTIC_DISOWN) == 0 && r->container_id[0] == '\0')
    {
      Grpc__GetDiagnosticDataResponse response = GRPC__GET_DIAGNOSTIC_DATA_RESPONSE__INIT;

      disown (agent);
      agent_call_reply (call, &response.base);
      return;
    }
  if (strcmp (r->log_type, VP_DIAGNOSTIC_PIDS) != 0)
    {
      agent_call_fail (call, VP_GRPC_UNIMPLEMENTED, "log_type \"%.64s\": is not known", r->log_type);
      return;
    }
  c = agent_container_of_call (agent, call, r->container_id);
  if (c != NULL)
    reply_pids (call, c);
}
