/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

/* What a sandbox tells about itself; nothing here changes anything. */

const char *
vp_sandbox_get_id (VpSandbox *self)
{
  return self->id;
}

void
vp_sandbox_set_owner (VpSandbox *self, guint32 uid)
{
  self->owner = uid;
}

guint32
vp_sandbox_get_owner (VpSandbox *self)
{
  return self->owner;
}

const char *
vp_sandbox_get_handler (VpSandbox *self)
{
  return self->handler;
}

const char *
vp_sandbox_get_domain_name (VpSandbox *self)
{
  return self->domain_name;
}

const char *
vp_sandbox_get_uuid (VpSandbox *self)
{
  return self->uuid;
}

GHashTable *
vp_sandbox_get_labels (VpSandbox *self)
{
  return self->labels;
}

VpSandboxState
vp_sandbox_get_state (VpSandbox *self)
{
  return self->state;
}

const char *
vp_sandbox_get_exit_reason (VpSandbox *self)
{
  return self->exit_reason;
}

const char *
vp_sandbox_get_agent_state (VpSandbox *self)
{
  if (self->machine.agent == NULL)
    return "down";
  return vp_agent_client_is_open (self->machine.agent) ? "ready" : "connecting";
}

pid_t
vp_sandbox_get_hypervisor_pid (VpSandbox *self)
{
  return self->machine.pid;
}

gint64
vp_sandbox_get_created_at (VpSandbox *self)
{
  return self->created_at;
}

gint64
vp_sandbox_get_started_at (VpSandbox *self)
{
  return self->started_at;
}

gint64
vp_sandbox_get_exited_at (VpSandbox *self)
{
  return self->exited_at;
}

guint
vp_sandbox_get_exit_status (VpSandbox *self)
{
  return self->exit_status;
}

const VpPlan *
vp_sandbox_get_plan (VpSandbox *self)
{
  return self->machine.plan;
}

const char *
vp_sandbox_get_xml (VpSandbox *self)
{
  return self->machine.xml;
}

gsize
vp_sandbox_get_stages (VpSandbox *self, VpSandboxStage *stages, gsize max)
{
  gsize n = 0;

  for (gsize i = 0; i < vp_sandbox_n_steps && n < max; i++)
    {
      gint64 usec = vp_steps_get_usec (self->steps, i);

      if (usec > 0)
        stages[n++] = (VpSandboxStage) { vp_sandbox_steps[i].name, usec };
    }
  return n;
}

gsize
vp_sandbox_get_n_stages (VpSandbox *self)
{
  return vp_sandbox_n_steps;
}

VpSpec *
vp_sandbox_get_spec (VpSandbox *self)
{
  return self->spec;
}

GPtrArray *
vp_sandbox_get_containers (VpSandbox *self)
{
  return self->containers;
}

VpContainer *
vp_sandbox_find_container (VpSandbox *self, const char *id)
{
  for (guint i = 0; i < self->containers->len; i++)
    if (g_str_equal (vp_container_get_id (self->containers->pdata[i]), id))
      return self->containers->pdata[i];
  return NULL;
}

VpAgentClient *
vp_sandbox_get_agent (VpSandbox *self, VpVerb verb, GError **error)
{
  return vp_sandbox_check_verb (self, verb, error) ? self->machine.agent : NULL;
}
