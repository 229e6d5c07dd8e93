/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-device.h"
#include "vp-domain-xml.h"
#include "vp-error.h"
#include "vp-failpoint.h"
#include "vp-log.h"

/* An interface of the network namespace plugged into a machine that runs: what
 * the steps of a start do for all interfaces, for one. The guest does not see it
 * up before the tap is where it belongs, so here too no packet of a guest is ever
 * in the host's own namespace. */

typedef struct
{
  VpSandbox *self;
  GTask *task;
  VpSteps *steps;
  char *device;
  VpNetwork *network; /* as it was looked at */
  VpNetNsId id;
  VpNetPair pair; /* its strings are ours */
  char *handle;
  char *xml;
  VpNetJob *job;
  gboolean unsure; /* whether the machine has it: libvirt went away */
} Attach;

static void
attach_free (Attach *attach)
{
  g_clear_pointer (&attach->steps, vp_steps_free);
  g_clear_pointer (&attach->network, vp_network_unref);
  g_clear_pointer (&attach->job, vp_net_job_unref);
  g_free (attach->pair.tap);
  g_free (attach->handle);
  g_free (attach->device);
  g_free (attach->xml);
  g_object_unref (attach->self);
  g_free (attach);
}

/* ---- look ---- */

typedef struct
{
  char *path;
  VpNetNsId id;
} Look;

static void
look_free (gpointer data)
{
  g_free (((Look *)data)->path);
  g_free (data);
}

static void
look_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  Look *look = task_data;
  GError *error = NULL;
  VpNetwork *network = vp_net_look (look->path, &look->id, &error);

  if (network != NULL)
    g_task_return_pointer (task, network, (GDestroyNotify)vp_network_unref);
  else
    g_task_return_error (task, error);
}

static void
on_looked_at (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandbox *self = g_task_get_source_object (task);
  const Look *look = g_task_get_task_data (G_TASK (result));
  GError *error = NULL;
  g_autoptr (VpNetwork) network = g_task_propagate_pointer (G_TASK (result), &error);
  const VpNetJob *net = self->machine.net;

  if (network != NULL && net != NULL && net->id.ino != 0
      && (net->id.dev != look->id.dev || net->id.ino != look->id.ino))
    g_set_error (&error, VP_ERROR, VP_ERROR_NOT_FOUND,
                 "network namespace \"%s\": is another one than the sandbox was started with", look->path);
  if (error != NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  g_task_set_task_data (task, g_memdup2 (&look->id, sizeof look->id), g_free);
  g_task_return_pointer (task, g_steal_pointer (&network), (GDestroyNotify)vp_network_unref);
}

void
vp_sandbox_look_async (VpSandbox *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  const char *path = vp_sandbox_get_network_namespace (self);
  const char *model = vp_config_get_string (self->config, VP_CONFIG_NETWORK_MODEL);
  Look *look;

  if (path == NULL || !g_str_equal (model, vp_net_tcfilter.name))
    {
      g_task_return_new_error (task, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
                               path == NULL ? "sandbox \"%s\": its specification names no network namespace"
                                            : "sandbox \"%s\": network.model is not tcfilter",
                               self->id);
      return;
    }
  look = g_new0 (Look, 1);
  look->path = g_strdup (path);
  vp_worker_run_async (self->services->worker, self, vp_sandbox_look_async, look_in_worker, look, look_free, NULL,
                       on_looked_at, g_steal_pointer (&task));
}

VpNetwork *
vp_sandbox_look_finish (VpSandbox *self, GAsyncResult *result, VpNetNsId *ret_id, GError **error)
{
  VpNetwork *network = g_task_propagate_pointer (G_TASK (result), error);

  if (network != NULL)
    *ret_id = *(const VpNetNsId *)g_task_get_task_data (G_TASK (result));
  return network;
}

/* The restored plan of a machine that was taken over does not say what all its
 * devices share; the configuration does. */
static char *
make_xml (Attach *attach, const VpNetworkInterface *interface, GError **error)
{
  VpSandbox *self = attach->self;
  VpFacts *facts = vp_virt_get_facts (self->services->virt);
  g_autoptr (VpPlan) plan = vp_plan_new ();
  VpDevice *device = vp_device_nic_new (attach->handle, VP_NIC_TAP, attach->pair.tap);

  device->u.nic.mac = g_strdup (interface->mac);
  device->u.nic.mtu = attach->pair.mtu;
  device->u.nic.queues = attach->pair.queues;
  device->u.nic.no_vhost = !vp_config_get_bool (self->config, VP_CONFIG_NETWORK_VHOST);
  plan->accel = self->machine.plan->accel;
  plan->iommu_platform = vp_config_get_bool (self->config, VP_CONFIG_HYPERVISOR_IOMMU_PLATFORM);
  plan->libvirt_version = vp_facts_get (facts)->libvirt_version;
  vp_plan_add_device (plan, device);
  return vp_domain_device_xml (plan, vp_driver_find (vp_facts_get (facts)->driver), device, error);
}

static gboolean
has_port (VpSandbox *self, GError **error)
{
  guint n = self->machine.plan->hotplug_ports + self->machine.plan->switch_ports;

  /* of a machine that was taken over libvirt knows */
  if (n == 0 || self->nics.n_plugged < n)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED,
               "its %u free ports are taken (hypervisor.hotplug-ports)", n);
  return FALSE;
}

static gboolean
prepare (Attach *attach, GError **error)
{
  VpSandbox *self = attach->self;
  const VpNetworkInterface *interface = vp_network_find_interface (attach->network, attach->device);
  guint queues = (guint)vp_config_get_uint (self->config, VP_CONFIG_NETWORK_QUEUES);

  if (interface == NULL)
    {
      g_autofree char *shown = vp_error_shown (attach->device);

      g_set_error (error, VP_ERROR, VP_ERROR_NOT_FOUND,
                   "interface \"%s\": the network namespace has none of that name that is up and has a hardware address",
                   shown);
      return FALSE;
    }
  if (vp_sandbox_find_pair_of (self, attach->device) != NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS, "interface \"%s\": the guest has it", attach->device);
      return FALSE;
    }
  attach->pair = (VpNetPair){ vp_sandbox_dup_free_tap (self), attach->device, interface->mtu,
                              queues != 0 ? queues : self->machine.plan->vcpus, TRUE };
  if (attach->pair.tap == NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED, "it has %d interfaces", VP_NETWORK_MAX_INTERFACES);
      return FALSE;
    }
  attach->handle = vp_sandbox_nic_handle (&attach->pair);
  attach->job = vp_sandbox_new_nic_job (self, &attach->id, &attach->pair);
  attach->xml = make_xml (attach, interface, error);
  return attach->xml != NULL && has_port (self, error);
}

static void
on_looked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Attach *attach = user_data;
  GError *error = NULL;

  attach->network = vp_sandbox_look_finish (attach->self, result, &attach->id, &error);
  if (attach->network != NULL)
    (void)prepare (attach, &error);
  vp_step_done (attach->steps, error);
}

static void
run_look (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  Attach *attach = owner;

  vp_sandbox_look_async (attach->self, on_looked, attach);
}

/* ---- record: what is about to be there ---- */

static void
run_record (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  Attach *attach = owner;
  GError *error = NULL;

  vp_sandbox_add_pair (attach->self, &attach->id, &attach->pair);
  if (!vp_sandbox_save (attach->self, &error))
    vp_sandbox_remove_pair (attach->self, attach->pair.tap);
  VP_FAILPOINT_ONLY ("nic.record.after");
  vp_step_done (steps, error);
}

static void
undo_record (gpointer owner, VpSteps *steps)
{
  Attach *attach = owner;
  g_autoptr (GError) error = NULL;

  if (attach->unsure)
    {
      vp_sandbox_settle_nics_later (attach->self);
      vp_step_done (steps, NULL);
      return;
    }
  vp_sandbox_remove_pair (attach->self, attach->pair.tap);
  if (!vp_sandbox_save (attach->self, &error))
    vp_warning (attach->self->id, NULL, "record not written: %s", error->message);
  vp_step_done (steps, NULL);
}

/* ---- tap, join ---- */

static void
prepare_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  GError *error = NULL;

  if (vp_net_tcfilter.prepare (task_data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
connect_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  GError *error = NULL;

  if (vp_net_tcfilter.connect (task_data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_job_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Attach *attach = user_data;
  GError *error = NULL;

  (void)g_task_propagate_boolean (G_TASK (result), &error);
  vp_step_done (attach->steps, error);
}

static void
run_job (Attach *attach, VpWorkerFunc func, GAsyncReadyCallback callback)
{
  vp_worker_run_async (attach->self->services->worker, attach->self, run_job, func, vp_net_job_ref (attach->job),
                       (GDestroyNotify)vp_net_job_unref, NULL, callback, attach);
}

static void
run_tap (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  run_job (owner, prepare_in_worker, on_job_done);
}

static void
on_tap_removed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Attach *attach = user_data;
  g_autoptr (GError) error = NULL;

  if (!vp_sandbox_remove_nic_job_finish (attach->self, result, &error))
    vp_warning (attach->self->id, NULL, "interface not taken away: %s", error->message);
  vp_step_done (attach->steps, NULL);
}

static void
undo_tap (gpointer owner, VpSteps *steps)
{
  Attach *attach = owner;

  vp_sandbox_remove_nic_job_async (attach->self, attach->job, on_tap_removed, attach);
}

static void
run_join (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  run_job (owner, connect_in_worker, on_job_done);
}

/* ---- device ---- */

static void
on_attached (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Attach *attach = user_data;
  GError *error = NULL;

  attach->unsure = !vp_virt_attach_finish (VP_VIRT (source), result, &error)
                   && vp_error_is (error, VP_ERROR_HYPERVISOR_UNAVAILABLE);
  if (error == NULL || attach->unsure)
    attach->self->nics.n_plugged++;
  vp_step_done (attach->steps, error);
}

static void
run_plug (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  Attach *attach = owner;

  vp_virt_attach_async (attach->self->services->virt, attach->self->domain_name, attach->xml, NULL, on_attached,
                        attach);
}

static void
on_unplugged (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Attach *attach = user_data;
  g_autoptr (GError) error = NULL;

  if (vp_sandbox_unplug_finish (attach->self, result, &error))
    attach->self->nics.n_plugged--;
  else if (vp_error_is (error, VP_ERROR_HYPERVISOR_UNAVAILABLE))
    attach->unsure = TRUE;
  else if (!vp_error_is (error, VP_ERROR_CANCELLED))
    vp_warning (attach->self->id, NULL, "the guest keeps an interface that leads nowhere: %s", error->message);
  vp_step_done (attach->steps, NULL);
}

static void
undo_plug (gpointer owner, VpSteps *steps)
{
  Attach *attach = owner;

  vp_sandbox_unplug_async (attach->self, NULL, attach->pair.tap, VP_SANDBOX_PLUG_MS, on_unplugged, attach);
}

/* ---- tell ---- */

static void
on_told (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Attach *attach = user_data;
  GError *error = NULL;

  (void)vp_sandbox_tell_network_finish (attach->self, result, &error);
  vp_step_done (attach->steps, error);
}

static void
run_tell (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  Attach *attach = owner;

  vp_sandbox_tell_network_async (attach->self, attach->network, attach->device, on_told, attach);
}

/* ---- settle: from here on it is the machine's, whatever becomes of the daemon ---- */

static void
run_settle (gpointer owner, VpSteps *steps, GCancellable *cancellable)
{
  Attach *attach = owner;
  GError *error = NULL;

  (void)vp_sandbox_mark_pair (attach->self, attach->pair.tap, FALSE, &error);
  vp_step_done (steps, error);
}

/* ---- the whole ---- */

static const VpStep attach_steps[] = {
  { "look", run_look, NULL },      { "record", run_record, undo_record }, { "tap", run_tap, undo_tap },
  { "plug", run_plug, undo_plug }, { "join", run_join, NULL },            { "tell", run_tell, NULL },
  { "settle", run_settle, NULL },
};

static void
on_steps_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Attach *attach = user_data;
  g_autoptr (VpSandbox) self = g_object_ref (attach->self);
  g_autoptr (GTask) task = g_steal_pointer (&attach->task);
  GError *error = NULL;

  if (vp_steps_forward_finish (attach->steps, result, &error))
    {
      vp_notice (self->id, NULL, "interface \"%s\" plugged in as %s", attach->device, attach->handle);
      g_task_return_pointer (task, g_steal_pointer (&attach->handle), g_free);
    }
  else
    {
      g_prefix_error (&error, "%s sandbox \"%s\": ", vp_verb_to_string (VP_VERB_SANDBOX_ATTACH), self->id);
      g_task_return_error (task, error);
    }
  attach_free (attach);
  vp_sandbox_changed (self);
  vp_sandbox_end_turn (self);
}

static void
begin (gpointer data)
{
  Attach *attach = data;
  VpSandbox *self = attach->self;
  GError *error = NULL;

  if (vp_sandbox_check_verb (self, VP_VERB_SANDBOX_ATTACH, &error))
    {
      attach->steps = vp_steps_new (attach_steps, G_N_ELEMENTS (attach_steps), attach);
      vp_steps_forward_async (attach->steps, self->end.cancellable, on_steps_done, attach);
      return;
    }
  g_object_ref (self);
  g_task_return_error (attach->task, error);
  g_clear_object (&attach->task);
  attach_free (attach);
  vp_sandbox_end_turn (self);
  g_object_unref (self);
}

void
vp_sandbox_attach_nic_async (VpSandbox *self, const char *device, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;
  Attach *attach;

  if (!vp_sandbox_check_verb (self, VP_VERB_SANDBOX_ATTACH, &error))
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  attach = g_new0 (Attach, 1);
  attach->self = g_object_ref (self);
  attach->task = task;
  attach->device = g_strdup (device);
  if (vp_sandbox_take_turn (self, begin, attach, &error))
    return;
  g_task_return_error (g_steal_pointer (&attach->task), error);
  g_object_unref (task);
  attach_free (attach);
}

char *
vp_sandbox_attach_nic_finish (VpSandbox *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
