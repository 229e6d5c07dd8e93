/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-record.h"

#include "vp-json-writer.h"

static const char *const stream_names[VP_RECORD_N_STREAMS] = { "stdin", "stdout", "stderr" };

static void
label_free (gpointer data)
{
  VpRecordLabel *label = data;

  g_free (label->name);
  g_free (label->value);
  g_free (label);
}

static void
process_free (gpointer data)
{
  VpRecordProcess *process = data;

  g_free (process->exec_id);
  g_free (process->state);
  for (guint i = 0; i < VP_RECORD_N_STREAMS; i++)
    g_free (process->streams[i]);
  g_free (process);
}

static void
container_free (gpointer data)
{
  VpRecordContainer *container = data;

  g_free (container->id);
  g_free (container->bundle);
  g_free (container->state);
  g_ptr_array_unref (container->processes);
  g_free (container);
}

static void
resource_free (gpointer data)
{
  VpRecordResource *resource = data;

  g_free (resource->kind);
  g_free (resource->path);
  g_free (resource);
}

VpRecord *
vp_record_new (void)
{
  VpRecord *record = g_new0 (VpRecord, 1);

  record->owner = G_MAXUINT;
  record->labels = g_ptr_array_new_with_free_func (label_free);
  record->containers = g_ptr_array_new_with_free_func (container_free);
  record->resources = g_ptr_array_new_with_free_func (resource_free);
  return record;
}

void
vp_record_free (VpRecord *record)
{
  if (record == NULL)
    return;
  g_free (record->id);
  g_free (record->handler);
  g_free (record->network);
  g_free (record->bundle);
  g_free (record->domain_name);
  g_free (record->domain_uuid);
  g_free (record->state);
  g_free (record->exit_reason);
  g_free (record->machine.transport);
  g_free (record->machine.agent_path);
  g_free (record->machine.console_path);
  g_free (record->machine.console_log);
  g_free (record->machine.accelerator);
  g_free (record->machine.xml);
  g_ptr_array_unref (record->labels);
  g_ptr_array_unref (record->containers);
  g_ptr_array_unref (record->resources);
  g_free (record);
}

void
vp_record_add_label (VpRecord *record, const char *name, const char *value)
{
  VpRecordLabel *label = g_new0 (VpRecordLabel, 1);

  label->name = g_strdup (name);
  label->value = g_strdup (value);
  g_ptr_array_add (record->labels, label);
}

VpRecordContainer *
vp_record_add_container (VpRecord *record, const char *id, const char *bundle, const char *state,
                         guint64 created_at)
{
  VpRecordContainer *container = g_new0 (VpRecordContainer, 1);

  container->id = g_strdup (id);
  container->bundle = g_strdup (bundle);
  container->state = g_strdup (state);
  container->created_at = created_at;
  container->processes = g_ptr_array_new_with_free_func (process_free);
  g_ptr_array_add (record->containers, container);
  return container;
}

VpRecordProcess *
vp_record_add_process (VpRecordContainer *container, const char *exec_id, const char *state)
{
  VpRecordProcess *process = g_new0 (VpRecordProcess, 1);

  process->exec_id = g_strdup (exec_id);
  process->state = g_strdup (state);
  g_ptr_array_add (container->processes, process);
  return process;
}

VpRecordResource *
vp_record_add_resource (VpRecord *record, const char *kind, const char *path)
{
  VpRecordResource *resource = g_new0 (VpRecordResource, 1);

  resource->kind = g_strdup (kind);
  resource->path = g_strdup (path);
  g_ptr_array_add (record->resources, resource);
  return resource;
}

/* ---- writing ---------------------------------------------------------------- */

static void
add_if_set (VpJsonWriter *writer, const char *name, const char *value)
{
  if (value != NULL)
    vp_json_writer_add_string (writer, name, value);
}

static void
add_if_true (VpJsonWriter *writer, const char *name, gboolean value)
{
  if (value)
    vp_json_writer_add_bool (writer, name, TRUE);
}

static void
add_if_not_zero (VpJsonWriter *writer, const char *name, guint64 value)
{
  if (value != 0)
    vp_json_writer_add_uint (writer, name, value);
}

static void
write_processes (VpJsonWriter *writer, const VpRecordContainer *container)
{
  vp_json_writer_begin_array (writer, "processes");
  for (guint i = 0; i < container->processes->len; i++)
    {
      const VpRecordProcess *process = g_ptr_array_index (container->processes, i);

      vp_json_writer_begin_object (writer, NULL);
      vp_json_writer_add_string (writer, "exec-id", process->exec_id);
      vp_json_writer_add_string (writer, "state", process->state);
      add_if_true (writer, "terminal", process->terminal);
      add_if_not_zero (writer, "exit-status", process->exit_status);
      add_if_not_zero (writer, "exited-at", process->exited_at);
      add_if_not_zero (writer, "standin-pid", process->standin_pid);
      add_if_not_zero (writer, "standin-start", process->standin_start);
      for (guint s = 0; s < VP_RECORD_N_STREAMS; s++)
        add_if_set (writer, stream_names[s], process->streams[s]);
      vp_json_writer_end_object (writer);
    }
  vp_json_writer_end_array (writer);
}

static void
write_containers (VpJsonWriter *writer, const VpRecord *record)
{
  vp_json_writer_begin_array (writer, "containers");
  for (guint i = 0; i < record->containers->len; i++)
    {
      const VpRecordContainer *container = g_ptr_array_index (record->containers, i);

      vp_json_writer_begin_object (writer, NULL);
      vp_json_writer_add_string (writer, "id", container->id);
      vp_json_writer_add_string (writer, "bundle", container->bundle);
      vp_json_writer_add_string (writer, "state", container->state);
      vp_json_writer_add_uint (writer, "created-at", container->created_at);
      add_if_not_zero (writer, "started-at", container->started_at);
      add_if_true (writer, "hooked", container->hooked);
      add_if_true (writer, "foreign-paths", container->foreign_paths);
      add_if_true (writer, "oom-killed", container->oom_killed);
      write_processes (writer, container);
      vp_json_writer_end_object (writer);
    }
  vp_json_writer_end_array (writer);
}

static void
write_resources (VpJsonWriter *writer, const VpRecord *record)
{
  vp_json_writer_begin_array (writer, "resources");
  for (guint i = 0; i < record->resources->len; i++)
    {
      const VpRecordResource *resource = g_ptr_array_index (record->resources, i);

      vp_json_writer_begin_object (writer, NULL);
      vp_json_writer_add_string (writer, "kind", resource->kind);
      vp_json_writer_add_string (writer, "path", resource->path);
      vp_json_writer_end_object (writer);
    }
  vp_json_writer_end_array (writer);
}

static void
write_labels (VpJsonWriter *writer, const GPtrArray *labels)
{
  vp_json_writer_begin_object (writer, "labels");
  for (guint i = 0; i < labels->len; i++)
    {
      const VpRecordLabel *label = g_ptr_array_index (labels, i);

      vp_json_writer_add_string (writer, label->name, label->value);
    }
  vp_json_writer_end_object (writer);
}

static void
write_machine (VpJsonWriter *writer, const VpRecordMachine *machine)
{
  vp_json_writer_begin_object (writer, "machine");
  add_if_set (writer, "transport", machine->transport);
  add_if_set (writer, "agent-path", machine->agent_path);
  add_if_set (writer, "console-path", machine->console_path);
  add_if_set (writer, "console-log", machine->console_log);
  add_if_not_zero (writer, "console-max-bytes", machine->console_max_bytes);
  add_if_set (writer, "accelerator", machine->accelerator);
  add_if_not_zero (writer, "vcpus", machine->vcpus);
  add_if_not_zero (writer, "memory-bytes", machine->memory);
  add_if_set (writer, "domain-xml", machine->xml);
  vp_json_writer_end_object (writer);
}

char *
vp_record_to_json (const VpRecord *record, gsize *ret_len)
{
  g_autoptr (VpJsonWriter) writer = vp_json_writer_new (TRUE);

  vp_json_writer_begin_object (writer, NULL);
  vp_json_writer_add_uint (writer, "version", VP_RECORD_VERSION);
  vp_json_writer_add_string (writer, "id", record->id ?: "");
  vp_json_writer_add_string (writer, "handler", record->handler ?: "");
  vp_json_writer_add_string (writer, "bundle", record->bundle ?: "");
  vp_json_writer_add_string (writer, "domain-name", record->domain_name ?: "");
  vp_json_writer_add_string (writer, "domain-uuid", record->domain_uuid ?: "");
  vp_json_writer_add_string (writer, "state", record->state ?: "");
  add_if_set (writer, "network", record->network);
  add_if_set (writer, "exit-reason", record->exit_reason);
  add_if_not_zero (writer, "exit-status", record->exit_status);
  vp_json_writer_add_uint (writer, "created-at", record->created_at);
  add_if_not_zero (writer, "started-at", record->started_at);
  add_if_not_zero (writer, "exited-at", record->exited_at);
  if (record->owner != G_MAXUINT)
    vp_json_writer_add_uint (writer, "owner", record->owner);
  if (record->machine.transport != NULL)
    write_machine (writer, &record->machine);
  write_labels (writer, record->labels);
  write_containers (writer, record);
  write_resources (writer, record);
  vp_json_writer_end_object (writer);
  return vp_json_writer_steal_text (writer, ret_len);
}
