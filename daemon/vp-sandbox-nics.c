/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "vp-error.h"
#include "vp-guest-messages.h"
#include "vp-guest-network.h"
#include "vp-planner.h"

/* The interfaces of a machine that runs: which there are, and that they are
 * changed one at a time. A tap's name ends in a number, by which it is told from
 * the others of the sandbox; handles have the same one, so that they are known
 * from the record alone. */

#define MAX_TURNS 16
#define MAX_NICS VP_NETWORK_MAX_INTERFACES

/* ---- turns ---- */

typedef struct
{
  VpSandboxTurnFunc func;
  gpointer data;
} Turn;

gboolean
vp_sandbox_take_turn (VpSandbox *self, VpSandboxTurnFunc func, gpointer data, GError **error)
{
  Turn *turn;

  if (!self->nics.taken)
    {
      self->nics.taken = TRUE;
      func (data);
      return TRUE;
    }
  if (self->nics.turns.length >= MAX_TURNS)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED,
                   "sandbox \"%s\": %d changes of its interfaces wait already", self->id, MAX_TURNS);
      return FALSE;
    }
  turn = g_new (Turn, 1);
  *turn = (Turn){ func, data };
  g_queue_push_tail (&self->nics.turns, turn);
  return TRUE;
}

void
vp_sandbox_end_turn (VpSandbox *self)
{
  g_autofree Turn *next = g_queue_pop_head (&self->nics.turns);
  VpSteps *held;

  if (next != NULL)
    {
      next->func (next->data);
      return;
    }
  self->nics.taken = FALSE;
  held = g_steal_pointer (&self->nics.held);
  if (held != NULL)
    vp_sandbox_undo_taps (self, held);
}

gboolean
vp_sandbox_hold_end (VpSandbox *self, VpSteps *steps)
{
  if (self->nics.taken)
    self->nics.held = steps;
  else if (self->nics.leaving != NULL)
    g_hash_table_remove_all (self->nics.leaving);
  return self->nics.taken;
}

/* ---- pairs ---- */

/* As planned: what is set up for one is set up for all. */
static VpNetJob *
new_job (VpSandbox *self, const VpNetNsId *id)
{
  VpNetJob *job = vp_net_job_new (self->id, vp_sandbox_get_network_namespace (self), id);

  vp_net_job_set_rates (job, vp_config_get_uint (self->config, VP_CONFIG_NETWORK_RX_MAX_RATE),
                        vp_config_get_uint (self->config, VP_CONFIG_NETWORK_TX_MAX_RATE));
  return job;
}

static guint
n_pairs (VpSandbox *self)
{
  return self->machine.net != NULL ? self->machine.net->pairs->len : 0;
}

/* All pairs but the one of @without (NULL: all). */
static VpNetJob *
copy_net (VpSandbox *self, const VpNetNsId *id, const char *without)
{
  const VpNetJob *old = self->machine.net;
  VpNetJob *copy = new_job (self, old != NULL ? &old->id : id);

  for (guint i = 0; i < n_pairs (self); i++)
    {
      const VpNetPair *pair = old->pairs->pdata[i];

      if (g_strcmp0 (pair->tap, without) != 0)
        vp_net_job_add_pair (copy, pair);
    }
  return copy;
}

void
vp_sandbox_add_pair (VpSandbox *self, const VpNetNsId *id, const VpNetPair *pair)
{
  VpNetJob *copy = copy_net (self, id, NULL);

  vp_net_job_add_pair (copy, pair);
  vp_net_job_unref (self->machine.net);
  self->machine.net = copy;
}

void
vp_sandbox_remove_pair (VpSandbox *self, const char *tap)
{
  VpNetJob *copy = copy_net (self, NULL, tap);

  vp_net_job_unref (self->machine.net);
  self->machine.net = copy;
}

gboolean
vp_sandbox_mark_pair (VpSandbox *self, const char *tap, gboolean changing, GError **error)
{
  for (guint i = 0; i < n_pairs (self); i++)
    {
      VpNetPair *pair = self->machine.net->pairs->pdata[i];
      gboolean before = pair->changing;

      if (!g_str_equal (pair->tap, tap))
        continue;
      /* no job on a worker looks at that */
      pair->changing = changing;
      if (before == changing || vp_sandbox_save (self, error))
        return TRUE;
      pair->changing = before;
      return FALSE;
    }
  return TRUE;
}

VpNetJob *
vp_sandbox_new_nic_job (VpSandbox *self, const VpNetNsId *id, const VpNetPair *pair)
{
  VpNetJob *job = new_job (self, id);

  vp_net_job_add (job, pair->tap, pair->device, pair->mtu, pair->queues);
  return job;
}

char *
vp_sandbox_nic_handle (const VpNetPair *pair)
{
  const char *dash = strrchr (pair->tap, '-');

  return g_strconcat ("nic", dash != NULL ? dash + 1 : "", NULL);
}

const VpNetPair *
vp_sandbox_find_nic (VpSandbox *self, const char *handle)
{
  for (guint i = 0; i < n_pairs (self); i++)
    {
      g_autofree char *own = vp_sandbox_nic_handle (self->machine.net->pairs->pdata[i]);

      if (g_str_equal (own, handle))
        return self->machine.net->pairs->pdata[i];
    }
  return NULL;
}

const VpNetPair *
vp_sandbox_find_pair_of (VpSandbox *self, const char *device)
{
  for (guint i = 0; i < n_pairs (self); i++)
    {
      const VpNetPair *pair = self->machine.net->pairs->pdata[i];

      if (g_strcmp0 (pair->device, device) == 0)
        return pair;
    }
  return NULL;
}

char *
vp_sandbox_dup_free_tap (VpSandbox *self)
{
  for (guint i = 0; i < MAX_NICS; i++)
    {
      g_autofree char *handle = g_strdup_printf ("nic%u", i);

      if (vp_sandbox_find_nic (self, handle) == NULL)
        return vp_planner_dup_tap_name (self->uuid, i);
    }
  return NULL;
}

/* ---- for the bus ---- */

gboolean
vp_sandbox_get_nic (VpSandbox *self, guint i, char **ret_handle, const char **ret_tap, const char **ret_device)
{
  const VpNetPair *pair = i < n_pairs (self) ? self->machine.net->pairs->pdata[i] : NULL;

  if (pair == NULL)
    return FALSE;
  *ret_handle = vp_sandbox_nic_handle (pair);
  *ret_tap = pair->tap;
  *ret_device = pair->device;
  return TRUE;
}

guint
vp_sandbox_get_n_plugged (VpSandbox *self)
{
  return self->nics.n_plugged;
}

/* ---- what the guest is told ---- */

typedef struct
{
  VpNetwork *part; /* what it has of the namespace */
  char *device;
  guint index; /* interfaces, then routes, then neighbours */
} Telling;

static void
telling_free (gpointer data)
{
  Telling *telling = data;

  vp_network_unref (telling->part);
  g_free (telling->device);
  g_free (telling);
}

static gboolean
copy_interface (VpNetwork *part, const VpNetworkInterface *interface, GError **error)
{
  if (!vp_network_add_interface (part, interface, error))
    return FALSE;
  for (guint i = 0; i < interface->addresses->len; i++)
    if (!vp_network_add_address (part, interface->name, interface->addresses->pdata[i], error))
      return FALSE;
  return TRUE;
}

/* Routes and neighbours of interfaces that the guest has not are left out by themselves. */
static VpNetwork *
dup_part (VpSandbox *self, const VpNetwork *network, GError **error)
{
  g_autoptr (VpNetwork) part = vp_network_new ();

  for (guint i = 0; i < vp_network_get_n_interfaces (network); i++)
    {
      const VpNetworkInterface *interface = vp_network_get_interface (network, i);

      if (vp_sandbox_find_pair_of (self, interface->name) != NULL && !copy_interface (part, interface, error))
        return NULL;
    }
  for (guint i = 0; i < vp_network_get_n_routes (network); i++)
    if (!vp_network_add_route (part, vp_network_get_route (network, i), RTPROT_STATIC, error))
      return NULL;
  for (guint i = 0; i < vp_network_get_n_neighbours (network); i++)
    if (!vp_network_add_neighbour (part, vp_network_get_neighbour (network, i), error))
      return NULL;
  return vp_network_seal (part, error) ? g_steal_pointer (&part) : NULL;
}

static void tell_next (GTask *task);

static void
on_told (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error))
    tell_next (g_steal_pointer (&task));
  else
    g_task_return_error (task, error);
}

typedef void (*TellFunc) (VpAgentClient *agent, GBytes *request, guint timeout_ms, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data);

/* Takes @task and @request. */
static void
tell (GTask *task, TellFunc func, ProtobufCMessage *request)
{
  VpSandbox *self = g_task_get_source_object (task);
  g_autoptr (GBytes) packed = vp_guest_message_pack (request);
  guint64 timeout = vp_config_get_uint (self->config, VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS);

  protobuf_c_message_free_unpacked (request, NULL);
  func (self->machine.agent, packed, (guint)MAX (timeout, VP_SANDBOX_PLUG_MS), self->end.cancellable, on_told, task);
}

/* Takes @task. */
static void
tell_next (GTask *task)
{
  VpSandbox *self = g_task_get_source_object (task);
  Telling *telling = g_task_get_task_data (task);
  guint n = vp_network_get_n_interfaces (telling->part);

  while (telling->index < n && telling->device != NULL
         && !g_str_equal (vp_network_get_interface (telling->part, telling->index)->name, telling->device))
    telling->index++;
  if (self->machine.agent == NULL)
    {
      g_task_return_new_error (task, VP_ERROR, VP_ERROR_AGENT_UNAVAILABLE, "the agent has gone");
      g_object_unref (task);
    }
  else if (telling->index < n)
    tell (task, vp_agent_client_update_interface_async,
          &vp_guest_network_update_interface (vp_network_get_interface (telling->part, telling->index++))->base);
  else if (telling->index++ == n && vp_network_get_n_routes (telling->part) > 0)
    tell (task, vp_agent_client_update_routes_async, &vp_guest_network_update_routes (telling->part)->base);
  else if (telling->index <= n + 2 && vp_network_get_n_neighbours (telling->part) > 0)
    {
      telling->index = n + 3;
      tell (task, vp_agent_client_add_neighbours_async, &vp_guest_network_add_neighbours (telling->part)->base);
    }
  else
    {
      g_task_return_boolean (task, TRUE);
      g_object_unref (task);
    }
}

void
vp_sandbox_tell_network_async (VpSandbox *self, const VpNetwork *network, const char *device,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;
  Telling *telling = g_new0 (Telling, 1);

  g_task_set_task_data (task, telling, telling_free);
  telling->device = g_strdup (device);
  telling->part = dup_part (self, network, &error);
  if (telling->part == NULL)
    g_task_return_error (task, error);
  else
    tell_next (g_steal_pointer (&task));
}

gboolean
vp_sandbox_tell_network_finish (VpSandbox *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
