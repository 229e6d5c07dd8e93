/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-error.h"
#include "vp-log.h"

/* An agent that hangs keeps its channel open: whoever waits for a process would
 * wait for ever. So it is asked now and then, unless it has said something
 * anyway. A machine that we have paused is not asked. */

/* TRUE when libvirt says that @name is there and its processors run. */
static gboolean
is_running (GPtrArray *domains, const char *name)
{
  for (guint i = 0; i < domains->len; i++)
    {
      const VpVirtDomain *domain = domains->pdata[i];

      if (g_str_equal (domain->name, name))
        return domain->active && !domain->paused;
    }
  return TRUE; /* gone: that is no excuse */
}

/* Somebody may have stopped the machine behind our back, who will let it go on. */
static void
on_listed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) domains = vp_virt_list_finish (VP_VIRT (source), result, &error);

  if (self->heartbeat.timer == 0)
    return;
  if (domains == NULL)
    vp_debug (self->id, NULL, "heartbeat: %s", error->message); /* the next beat asks again */
  else if (!is_running (domains, self->domain_name))
    vp_notice (self->id, NULL, "the agent does not answer: its machine is paused, and not by us");
  else
    {
      vp_notice (self->id, NULL, "the agent has not answered for %" G_GUINT64_FORMAT " ms",
                 vp_config_get_uint (self->config, VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS));
      vp_sandbox_domain_stopped (self, "agent-lost");
    }
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;
  g_autoptr (GError) error = NULL;

  self->heartbeat.asking = FALSE;
  /* what else it says, even that it does not serve, is an answer */
  if (vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error)
      || !vp_error_is (error, VP_ERROR_TIMED_OUT))
    return;
  if (self->heartbeat.timer != 0 && source == G_OBJECT (self->machine.agent))
    vp_virt_list_async (self->services->virt, NULL, on_listed, g_object_ref (self));
}

static gboolean
on_beat (gpointer user_data)
{
  VpSandbox *self = user_data;
  VpAgentStats stats;

  if (self->machine.agent == NULL || !vp_agent_client_is_open (self->machine.agent))
    return G_SOURCE_CONTINUE;
  vp_agent_client_get_stats (self->machine.agent, &stats);
  if (stats.bytes_in != self->heartbeat.bytes_in)
    self->heartbeat.bytes_in = stats.bytes_in;
  else if (!self->heartbeat.asking)
    {
      self->heartbeat.asking = TRUE;
      vp_agent_client_check_async (self->machine.agent,
                                   (guint) vp_config_get_uint (self->config, VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS),
                                   self->heartbeat.cancellable, on_checked, g_object_ref (self));
    }
  return G_SOURCE_CONTINUE;
}

void
vp_sandbox_heartbeat_start (VpSandbox *self)
{
  guint64 ms = vp_config_get_uint (self->config, VP_CONFIG_AGENT_HEARTBEAT_MS);

  if (ms == 0 || self->heartbeat.timer != 0)
    return;
  self->heartbeat.cancellable = g_cancellable_new ();
  /* whole seconds: those of many sandboxes come together */
  self->heartbeat.timer = g_timeout_add_seconds ((guint) MAX (ms / 1000, 1), on_beat, self);
}

void
vp_sandbox_heartbeat_stop (VpSandbox *self)
{
  g_clear_handle_id (&self->heartbeat.timer, g_source_remove);
  if (self->heartbeat.cancellable != NULL)
    g_cancellable_cancel (self->heartbeat.cancellable);
  g_clear_object (&self->heartbeat.cancellable);
}
