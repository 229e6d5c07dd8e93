/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include <string.h>

#include "vp-agent-address.h"
#include "vp-agent-conn.h"
#include "vp-error.h"
#include "vp-event.h"
#include "vp-fdstore.h"
#include "vp-listen-fds.h"
#include "vp-log.h"
#include "vp-virt-xml.h"

/* The way to the agent: opened by a step of the start or taken over from an
 * earlier daemon, and looked after until it ends. */

#define TAIL_BYTES 400
#define AGENT_LOST_DELAY_MS 500

/* ---- kept over a restart ---- */

void
vp_sandbox_keep_agent (VpSandbox *self)
{
  g_autofree char *name = vp_fdstore_dup_name (self->id, NULL, NULL, "agent");

  /* only where a conversation can be begun anew in the middle; to the agent on
   * a vsock the next daemon is a new connection */
  if (vp_plan_find_device (self->machine.plan, VP_DEVICE_CHANNEL) != NULL)
    vp_fdstore_put (name, vp_agent_client_get_fd (self->machine.agent));
}

static void
forget_agent (VpSandbox *self)
{
  g_autofree char *name = vp_fdstore_dup_name (self->id, NULL, NULL, "agent");

  vp_fdstore_remove (name);
}

/* ---- opening ---- */

/* What the guest said last helps more than "timed out" alone. */
static void
add_console_tail (VpSandbox *self, GError **error)
{
  g_autofree char *tail = NULL;

  if (self->machine.console == NULL)
    return;
  tail = vp_console_dup_tail (self->machine.console, TAIL_BYTES);
  g_strdelimit (g_strchomp (tail), "\n", '|');
  if (*tail != '\0')
    {
      g_autofree char *message = g_strdup_printf ("%s; console: %s", (*error)->message, tail);
      g_free ((*error)->message);
      (*error)->message = g_steal_pointer (&message);
    }
}

static void
on_agent_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;
  GError *error = NULL;

  if (!vp_agent_client_open_finish (VP_AGENT_CLIENT (source), result, &error))
    {
      g_prefix_error (&error, "agent of sandbox \"%s\": ", self->id);
      add_console_tail (self, &error);
      vp_agent_client_close (self->machine.agent);
      g_clear_object (&self->machine.agent);
    }
  else
    vp_sandbox_keep_agent (self);
  vp_sandbox_changed (self);
  vp_step_done (self->steps, error);
}

static gboolean
on_agent_stays_away (gpointer user_data)
{
  vp_sandbox_domain_stopped (user_data, "agent-lost");
  return G_SOURCE_REMOVE;
}

/* A machine that ends takes its channel with it, and libvirt may tell the reason
 * a moment later than the channel does. */
static void
on_agent_closed (VpAgentClient *agent, const GError *error, gpointer user_data)
{
  VpSandbox *self = user_data;

  forget_agent (self);
  if (strstr (error->message, "protocol violation") != NULL)
    vp_event (VP_EVENT_GUEST_LIMIT, self->id, NULL, "the guest was cut off: %s", error->message);
  else
    vp_notice (self->id, NULL, "agent channel ended: %s", error->message);
  if (self->state == VP_SANDBOX_READY || self->state == VP_SANDBOX_PAUSED)
    g_timeout_add_full (G_PRIORITY_DEFAULT, AGENT_LOST_DELAY_MS, on_agent_stays_away, g_object_ref (self),
                        g_object_unref);
  else
    vp_sandbox_domain_stopped (self, "agent-lost");
}

void
vp_sandbox_new_agent (VpSandbox *self)
{
  const VpDevice *channel = vp_plan_find_device (self->machine.plan, VP_DEVICE_CHANNEL);
  const VpDevice *vsock = vp_plan_find_device (self->machine.plan, VP_DEVICE_VSOCK);
  g_autofree char *address = channel != NULL ? g_strdup (channel->u.channel.socket)
                                             : vp_agent_address_for_vsock (self->machine.cid, vsock->u.vsock.port);
  g_autoptr (VpAgentConn) conn
      = vp_agent_conn_new (address, channel != NULL ? VP_CHANNEL_SERIAL : VP_CHANNEL_PLAIN);
  g_autofree char *kept = vp_fdstore_dup_name (self->id, NULL, NULL, "agent");

  vp_agent_conn_take_fd (conn, vp_listen_fds_take (kept));
  g_clear_object (&self->machine.agent);
  self->machine.agent = vp_agent_client_new (conn);
  g_signal_connect_object (self->machine.agent, "closed", G_CALLBACK (on_agent_closed), self, 0);
  vp_sandbox_changed (self);
}

static void
open_agent (VpSandbox *self, GCancellable *cancellable)
{
  vp_sandbox_new_agent (self);
  vp_agent_client_open_async (self->machine.agent,
                              (guint) vp_config_get_uint (self->config, VP_CONFIG_AGENT_CONNECT_TIMEOUT_MS),
                              cancellable, on_agent_opened, g_object_ref (self));
}

/* Which address the machine has on the vsock only the running one says: libvirt chose it. */
static void
on_live_xml (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;
  GError *error = NULL;
  g_autofree char *xml = vp_virt_dup_xml_finish (VP_VIRT (source), result, &error);

  self->machine.cid = xml != NULL ? vp_virt_xml_read_vsock_cid (xml) : 0;
  if (xml != NULL && self->machine.cid == 0)
    g_set_error (&error, VP_ERROR, VP_ERROR_HYPERVISOR_FAILED, "domain \"%s\": libvirt gave its vsock no address",
                 self->domain_name);
  /* a daemon that comes later finds the agent by the record */
  if (error != NULL || !vp_sandbox_save (self, &error))
    {
      vp_step_done (self->steps, error);
      return;
    }
  open_agent (self, g_task_get_cancellable (G_TASK (result)));
}

void
vp_sandbox_run_agent (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  VpSandbox *self = owner;

  if (vp_plan_find_device (self->machine.plan, VP_DEVICE_VSOCK) == NULL)
    open_agent (self, cancellable);
  else
    vp_virt_dup_xml_async (self->services->virt, self->domain_name, cancellable, on_live_xml, g_object_ref (self));
}

void
vp_sandbox_undo_agent (gpointer owner, VpSteps *steps)
{
  VpSandbox *self = owner;

  if (self->machine.agent != NULL)
    vp_agent_client_close (self->machine.agent);
  g_clear_object (&self->machine.agent);
  forget_agent (self);
  vp_sandbox_changed (self);
  vp_step_done (steps, NULL);
}
