/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-bundle.h"
#include "agent-cgroup.h"
#include "agent-container.h"
#include "agent-json.h"
#include "agent-log.h"
#include "agent-sandbox.h"
#include "agent-sched.h"
#include "agent-storage.h"
#include "agent.pb-c.h"
#include "vp-oci-names.h"

#define MAX_CONTAINERS 1024

/* 0, or the call has been answered */
static int
check_request (Agent *agent, AgentCall *call)
{
  const Grpc__CreateContainerRequest *r = agent_call_request (call);

  if (!agent_id_is_valid (r->container_id))
    agent_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "container id \"%.160s\": is not valid",
                     r->container_id);
  else if (!agent->sandbox->exists)
    agent_call_fail (call, VP_GRPC_FAILED_PRECONDITION, "there is no sandbox");
  else if (agent_sandbox_find (agent->sandbox, r->container_id) != NULL)
    agent_call_fail (call, VP_GRPC_ALREADY_EXISTS, "container \"%s\": exists already", r->container_id);
  else if (agent->sandbox->n_containers >= MAX_CONTAINERS)
    agent_call_fail (call, VP_GRPC_RESOURCE_EXHAUSTED, "more than %d containers", MAX_CONTAINERS);
  else if (r->oci == NULL || r->oci->process == NULL || r->oci->process->n_args == 0)
    agent_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "OCI.process.args: is missing");
  else if (r->oci->root == NULL || !agent_path_is_clean (r->oci->root->path))
    agent_call_fail (call, VP_GRPC_INVALID_ARGUMENT, "OCI.root.path: must be an absolute, clean path");
  else if (r->n_devices > 0)
    agent_call_fail (call, VP_GRPC_UNIMPLEMENTED, "device type \"%.64s\": is not supported",
                     r->devices[0]->type);
  else
    return 0;
  return -1;
}

static AgentContainer *
container_new (Agent *agent, const char *id, int terminal)
{
  AgentContainer *c = agent_new (AgentContainer);

  c->agent = agent;
  c->id = agent_strdup (id);
  c->bundle = agent_printf ("%s/%s", agent->state_dir, id);
  c->state = AGENT_CONTAINER_CREATING;
  c->oom_watch = -1;
  agent_list_init (&c->processes);
  agent_list_init (&c->removes);
  c->init = agent_process_new (agent, c, "", terminal);
  agent_list_append (&c->processes, &c->init->link);
  c->n_processes = 1;
  agent_list_append (&agent->sandbox->containers, &c->link);
  agent->sandbox->n_containers++;
  return c;
}

static int
is_of_sandbox (const Agent *agent, const char *mount_point)
{
  size_t len = strlen (agent->state_dir);

  return strncmp (mount_point, agent->state_dir, len) == 0
         && strncmp (mount_point + len, "/sandbox/", strlen ("/sandbox/")) == 0;
}

static VpGrpcCode
add_storages (AgentContainer *c, const Grpc__CreateContainerRequest *r, char **ret_message)
{
  size_t n = 0;

  c->mount_points = agent_alloc ((r->n_storages + 1) * sizeof *c->mount_points);
  for (size_t i = 0; i < r->n_storages; i++)
    {
      VpGrpcCode code = agent_storage_add (&c->agent->sandbox->storages, r->storages[i], ret_message);

      if (code != VP_GRPC_OK)
        return code;
      /* a shared one stays until the end of the sandbox, as does what is by its place the
       * sandbox': an init container that is gone has left in there what the next one needs */
      if (!r->storages[i]->shared && !is_of_sandbox (c->agent, r->storages[i]->mount_point))
        c->mount_points[n++] = agent_strdup (r->storages[i]->mount_point);
    }
  return VP_GRPC_OK;
}

static int
write_bundle (AgentContainer *c, const Grpc__CreateContainerRequest *r)
{
  AgentSandbox *sandbox = c->agent->sandbox;
  AgentNamespaces ns = { .ipc = sandbox->ipc_ns, .mqueue = sandbox->mqueue, .uts = sandbox->uts_ns };
  int rc = agent_mkdir_p (c->bundle);

  if (rc < 0)
    return rc;
  if (r->sandbox_pidns)
    {
      ns.pid = agent_sandbox_get_pid_ns (sandbox);
      if (ns.pid == NULL)
        return -errno;
    }
  agent_bundle_complete (r->oci, c->id, &ns);
  free (ns.pid);
  c->extra = agent_bundle_take_extra (r->oci);
  return agent_bundle_write (c->bundle, r->oci, c->extra);
}

/* What is not the OCI runtime's to do before the program starts. NULL, or a message. */
static char *
complete_process (AgentContainer *c, pid_t pid)
{
  VpJsonPiece extra;
  const char *what;
  int rc;

  /* that it parses is known: config.json was made with it */
  if (c->extra == NULL || vp_json_scan_parse (c->extra, strlen (c->extra), &extra) < 0)
    return NULL;
  rc = agent_sched_apply (pid, vp_json_scan_member (extra, "process"), &what);
  return rc < 0 ? agent_printf ("process.%s: %s", what, strerror (-rc)) : NULL;
}

static void
create_done (AgentProcess *p, const char *error, VpGrpcCode code, void *data)
{
  AgentContainer *c = p->container;
  AgentCall *call = data;
  char *message = error != NULL ? agent_strdup (error) : complete_process (c, p->pid);

  if (message != NULL)
    {
      c->n_busy--;
      agent_container_undo (c, call, error != NULL ? code : VP_GRPC_INVALID_ARGUMENT, message);
      return;
    }
  c->cgroup = agent_cgroup_find (p->pid);
  if (c->cgroup != NULL)
    agent_oom_watch (c->agent->sandbox, c);
  if (c->state == AGENT_CONTAINER_CREATING)
    c->state = AGENT_CONTAINER_CREATED;
  if (c->state == AGENT_CONTAINER_REMOVING)
    agent_call_fail (call, VP_GRPC_ABORTED, "container \"%s\": was removed while it was created", c->id);
  else
    agent_call_reply (call, NULL);
  agent_container_release (c);
}

void
agent_handle_create_container (Agent *agent, AgentCall *call)
{
  const Grpc__CreateContainerRequest *r = agent_call_request (call);
  const char *args[] = { "create", "--bundle", NULL, NULL };
  char *message = NULL;
  AgentContainer *c;
  VpGrpcCode code;
  int rc;

  if (check_request (agent, call) < 0)
    return;
  c = container_new (agent, r->container_id, r->oci->process->terminal);
  code = add_storages (c, r, &message);
  if (code == VP_GRPC_OK)
    {
      rc = write_bundle (c, r);
      if (rc == 0)
        {
          args[2] = c->bundle;
          rc = agent_process_launch (c->init, args, create_done, call);
        }
      if (rc < 0)
        {
          code = rc == -EILSEQ ? VP_GRPC_INVALID_ARGUMENT : agent_code_from_errno (rc);
          message = rc == -EILSEQ   ? agent_strdup ("the OCI spec: has text that is not UTF-8")
                    : rc == -EINVAL ? agent_strdup ("the OCI spec: annotation " VP_OCI_EXTRA " does not fit")
                                    : agent_printf ("cannot be prepared: %s", strerror (-rc));
        }
    }
  if (code == VP_GRPC_OK)
    {
      c->n_busy++;
      return;
    }
  agent_container_undo (c, call, code, message);
}
