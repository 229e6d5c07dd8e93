/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include <string.h>

#include "vp-driver.h"
#include "vp-error.h"
#include "vp-guest-messages.h"
#include "vp-guest-network.h"
#include "vp-log.h"

/* The steps of a start that are about its network. All of it has one undo, that
 * of the taps: it finds whatever is there of them, wherever they are. The
 * machine is stopped until they are out of the host's own namespace, so that
 * nothing a guest sends is ever seen there. */

#define RESOURCE_TAP "tap" /* TAP/INTERFACE; neither name can have a slash */
#define RESOURCE_CHANGING_TAP "tap-changing" /* the same, being plugged in or out */

/* ---- what there is to do ---- */

void
vp_sandbox_plan_network (VpSandbox *self, const VpNetNsId *id)
{
  const VpPlan *plan = self->machine.plan;
  const char *path = vp_sandbox_get_network_namespace (self);
  guint n = 0;

  g_clear_pointer (&self->machine.net, vp_net_job_unref);
  for (guint i = 0; i < plan->devices->len; i++)
    {
      const VpDevice *device = plan->devices->pdata[i];

      if (device->kind != VP_DEVICE_NIC || vp_nic_backend_is_user (device->u.nic.backend))
        continue;
      if (self->machine.net == NULL)
        {
          self->machine.net = vp_net_job_new (self->id, path, id);
          vp_net_job_set_rates (self->machine.net, device->u.nic.rx_rate, device->u.nic.tx_rate);
          if (device->u.nic.backend == VP_NIC_MACVTAP)
            self->machine.net->model = &vp_net_macvtap;
        }
      vp_net_job_add (self->machine.net, device->u.nic.dev,
                      vp_network_get_interface (plan->network, n++)->name, device->u.nic.mtu,
                      device->u.nic.queues);
    }
}

static gboolean
can_start_paused (VpSandbox *self)
{
  return vp_driver_find (vp_facts_get (vp_virt_get_facts (self->services->virt))->driver)->can_start_paused;
}

gboolean
vp_sandbox_starts_paused (VpSandbox *self)
{
  return (self->machine.net != NULL || self->machine.cgroup != NULL) && can_start_paused (self);
}

void
vp_sandbox_describe_network (VpSandbox *self, VpRecord *record)
{
  for (guint i = 0; self->machine.net != NULL && i < self->machine.net->pairs->len; i++)
    {
      const VpNetPair *pair = self->machine.net->pairs->pdata[i];
      g_autofree char *both = g_strdup_printf ("%s/%s", pair->tap, pair->device);

      vp_record_add_resource (record, pair->changing ? RESOURCE_CHANGING_TAP : RESOURCE_TAP, both);
    }
}

/* To be taken away some day. The namespace is where it was: if that is
 * another one by now, there are no taps of ours in it. */
void
vp_sandbox_restore_network (VpSandbox *self, const VpRecord *record)
{
  const char *path = vp_sandbox_get_network_namespace (self);

  for (guint i = 0; i < record->resources->len; i++)
    {
      const VpRecordResource *resource = record->resources->pdata[i];
      const char *slash = strchr (resource->path, '/');
      gboolean changing = g_str_equal (resource->kind, RESOURCE_CHANGING_TAP);
      g_autofree char *tap = NULL;

      if ((!changing && !g_str_equal (resource->kind, RESOURCE_TAP)) || slash == NULL)
        continue;
      tap = g_strndup (resource->path, (gsize)(slash - resource->path));
      if (self->machine.net == NULL)
        self->machine.net = vp_net_job_new (self->id, path, NULL);
      vp_net_job_add_pair (self->machine.net,
                           &(VpNetPair){ .tap = tap, .device = (char *)slash + 1, .changing = changing });
    }
}

/* ---- on the host ---- */

static void
finish_job (GTask *task, gboolean done, GError *error)
{
  if (done)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
prepare_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  GError *error = NULL;
  gboolean done = ((const VpNetJob *)task_data)->model->prepare (task_data, &error);

  finish_job (task, done, error);
}

static void
connect_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  GError *error = NULL;
  gboolean done = ((const VpNetJob *)task_data)->model->connect (task_data, &error);

  finish_job (task, done, error);
}

static void
remove_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  GError *error = NULL;
  gboolean done = ((const VpNetJob *)task_data)->model->remove (task_data, &error);

  finish_job (task, done, error);
}

static void
run_job (VpSandbox *self, VpWorkerFunc func, GAsyncReadyCallback callback, VpSteps *steps)
{
  vp_worker_run_async (self->services->worker, self, run_job, func, vp_net_job_ref (self->machine.net),
                       (GDestroyNotify)vp_net_job_unref, NULL, callback, steps);
}

static void
on_prepared (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;

  (void)g_task_propagate_boolean (G_TASK (result), &error);
  vp_step_done (user_data, error);
}

void
vp_sandbox_run_taps (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  VpSandbox *self = owner;

  if (self->machine.net == NULL)
    vp_step_done (steps, NULL);
  else
    run_job (self, prepare_in_worker, on_prepared, steps);
}

static void
on_removed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    vp_warning (VP_SANDBOX (source)->id, NULL, "network not taken away: %s", error->message);
  vp_step_done (user_data, NULL);
}

void
vp_sandbox_undo_taps (gpointer owner, VpSteps *steps)
{
  VpSandbox *self = owner;

  if (vp_sandbox_hold_end (self, steps))
    ; /* what is being changed is about to be undone: again then */
  else if (self->machine.net == NULL)
    vp_step_done (steps, NULL);
  else
    run_job (self, remove_in_worker, on_removed, steps);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;

  (void)g_task_propagate_boolean (G_TASK (result), &error);
  vp_step_done (user_data, error);
}

void
vp_sandbox_run_connect (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  VpSandbox *self = owner;

  if (self->machine.net == NULL)
    vp_step_done (steps, NULL);
  else
    run_job (self, connect_in_worker, on_connected, steps);
}

static void
on_resumed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;
  GError *error = NULL;

  (void)vp_virt_resume_finish (VP_VIRT (source), result, &error);
  vp_step_done (self->steps, error);
}

void
vp_sandbox_run_machine (VpSandbox *self)
{
  if (vp_sandbox_starts_paused (self))
    vp_virt_resume_async (self->services->virt, self->domain_name, NULL, on_resumed, g_object_ref (self));
  else
    vp_step_done (self->steps, NULL);
}

/* ---- in the guest ---- */

static void tell_next (VpSandbox *self, guint index);

typedef struct
{
  VpSandbox *self;
  guint index;
} Telling;

static void
on_told (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Telling *telling = user_data;
  g_autoptr (VpSandbox) self = telling->self;
  GError *error = NULL;

  if (vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error))
    {
      tell_next (self, telling->index + 1);
      return;
    }
  g_prefix_error (&error, "network of sandbox \"%s\": ", self->id);
  vp_step_done (self->steps, error);
}

typedef void (*TellFunc) (VpAgentClient *agent, GBytes *request, guint timeout_ms, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data);

/* Takes @request. */
static void
tell (VpSandbox *self, TellFunc func, ProtobufCMessage *request, guint index)
{
  g_autoptr (GBytes) packed = vp_guest_message_pack (request);
  Telling *telling = g_new (Telling, 1);

  protobuf_c_message_free_unpacked (request, NULL);
  *telling = (Telling){ g_object_ref (self), index };
  func (self->machine.agent, packed,
        (guint)vp_config_get_uint (self->config, VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS), self->end.cancellable,
        on_told, telling);
}

/* Each interface, then all routes, then all neighbours; lists that are empty are
 * not sent, since an agent may refuse them. */
static void
tell_next (VpSandbox *self, guint index)
{
  const VpNetwork *network = self->machine.plan->network;
  guint n = network != NULL ? vp_network_get_n_interfaces (network) : 0;

  if (index < n)
    tell (self, vp_agent_client_update_interface_async,
          &vp_guest_network_update_interface (vp_network_get_interface (network, index))->base, index);
  else if (n > 0 && index == n && vp_network_get_n_routes (network) > 0)
    tell (self, vp_agent_client_update_routes_async, &vp_guest_network_update_routes (network)->base, index);
  else if (n > 0 && index <= n + 1 && vp_network_get_n_neighbours (network) > 0)
    tell (self, vp_agent_client_add_neighbours_async, &vp_guest_network_add_neighbours (network)->base,
          n + 1);
  else
    vp_step_done (self->steps, NULL);
}

void
vp_sandbox_run_addresses (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  tell_next (owner, 0);
}
