/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-agent-address.h"
#include "vp-json-writer.h"

/* What is written down of a sandbox, and nothing else: docs/store.md lists it. */

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const char *const *) a, *(const char *const *) b);
}

static void
describe_labels (VpSandbox *self, VpRecord *record)
{
  guint n_names;
  g_autofree gpointer *names = g_hash_table_get_keys_as_array (self->labels, &n_names);

  qsort (names, n_names, sizeof *names, compare_names);
  for (guint i = 0; i < n_names; i++)
    vp_record_add_label (record, names[i], g_hash_table_lookup (self->labels, names[i]));
}

static void
describe_machine (VpSandbox *self, VpRecordMachine *machine)
{
  const VpPlan *plan = self->machine.plan;
  const VpDevice *channel, *vsock, *console;

  if (plan == NULL)
    return;
  channel = vp_plan_find_device (plan, VP_DEVICE_CHANNEL);
  vsock = vp_plan_find_device (plan, VP_DEVICE_VSOCK);
  if (channel != NULL)
    {
      machine->transport = g_strdup (VP_SANDBOX_TRANSPORT_SERIAL);
      machine->agent_path = g_strdup (channel->u.channel.socket);
    }
  else if (vsock != NULL)
    {
      machine->transport = g_strdup (VP_SANDBOX_TRANSPORT_VSOCK);
      machine->agent_path = vp_agent_address_for_vsock (self->machine.cid, vsock->u.vsock.port);
    }
  else
    return;
  console = vp_plan_find_device (plan, VP_DEVICE_CONSOLE);
  if (console != NULL)
    {
      machine->console_path = g_strdup (console->u.console.socket);
      machine->console_log = g_strdup (console->u.console.log);
      machine->console_max_bytes = console->u.console.max_bytes;
    }
  machine->accelerator = g_strdup (vp_accel_to_string (plan->accel));
  machine->vcpus = plan->vcpus;
  machine->memory = plan->memory;
  machine->xml = g_strdup (self->machine.xml);
}

static VpRecord *
describe (VpSandbox *self)
{
  VpRecord *record = vp_record_new ();

  record->id = g_strdup (self->id);
  record->handler = g_strdup (self->handler);
  record->network = g_strdup (self->network);
  record->bundle = g_strdup (vp_spec_get_bundle (self->spec));
  record->domain_name = g_strdup (self->domain_name);
  record->domain_uuid = g_strdup (self->uuid);
  record->state = g_strdup (vp_sandbox_state_to_string (self->state));
  if (self->state == VP_SANDBOX_STOPPING)
    record->exit_reason = g_strdup (self->end.reason);
  else if (*self->exit_reason != '\0')
    record->exit_reason = g_strdup (self->exit_reason);
  record->exit_status = self->exit_status;
  record->owner = self->owner;
  record->created_at = (guint64) self->created_at;
  record->started_at = (guint64) self->started_at;
  record->exited_at = (guint64) self->exited_at;
  describe_labels (self, record);
  describe_machine (self, &record->machine);
  for (guint i = 0; i < self->containers->len; i++)
    vp_container_describe (self->containers->pdata[i], record);
  if (self->machine.share_dir != NULL)
    vp_record_add_resource (record, "share", self->machine.share_dir);
  if (self->machine.xml != NULL)
    vp_record_add_resource (record, "domain", self->domain_name);
  vp_sandbox_describe_namespace (self, record);
  vp_sandbox_describe_network (self, record);
  vp_sandbox_describe_cgroup (self, record);
  return record;
}

gboolean
vp_sandbox_save (VpSandbox *self, GError **error)
{
  g_autoptr (VpRecord) record = describe (self);
  g_autofree char *json = NULL;
  gsize len = 0;

  json = vp_record_to_json (record, &len);
  if (self->state == VP_SANDBOX_CREATING)
    return vp_store_add (self->services->store, self->domain_name, json, len, error);
  return vp_store_save (self->services->store, self->domain_name, json, len, error);
}

gboolean
vp_sandbox_save_spec (VpSandbox *self, VpContainer *container, GError **error)
{
  gsize len = 0;
  g_autofree char *text = vp_json_to_text (vp_spec_get_json (vp_container_get_spec (container)), FALSE, &len);

  return vp_store_save_spec (self->services->store, self->domain_name, vp_container_get_id (container), text, len,
                             error);
}

gboolean
vp_sandbox_record_func (gpointer user_data, GError **error)
{
  VpSandbox *self = user_data;

  return self->deleted || vp_sandbox_save (self, error);
}
