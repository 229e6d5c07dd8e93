/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-record.h"

#include "vp-error.h"
#include "vp-json.h"

/* Versions 1 and 2 of the record. Nothing that version 2 added is required, so
 * that one reader does for both; a record of version 1 may not have it. */

static gboolean
read_version (VpJson *json, guint64 *ret_version, GError **error)
{
  guint64 version;

  if (!vp_json_member_uint (json, "version", TRUE, G_MAXUINT64, &version, error))
    return FALSE;
  if (version > VP_RECORD_VERSION)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
                   "%s: version: %" G_GUINT64_FORMAT " was written by a newer virtpodd, this one knows %d",
                   vp_json_get_file (json), version, VP_RECORD_VERSION);
      return FALSE;
    }
  if (version < 1)
    return vp_json_set_member_error (error, json, "version", "must be at least 1");
  *ret_version = version;
  return TRUE;
}

static gboolean
read_string (VpJson *object, const char *name, gboolean required, char **ret, GError **error)
{
  const char *text = NULL;

  if (!vp_json_member_string (object, name, required, &text, error))
    return FALSE;
  *ret = g_strdup (text);
  return TRUE;
}

static gboolean
read_uint32 (VpJson *object, const char *name, guint *ret, GError **error)
{
  guint64 number = *ret;

  if (!vp_json_member_uint (object, name, FALSE, G_MAXUINT32, &number, error))
    return FALSE;
  *ret = (guint) number;
  return TRUE;
}

static gboolean
read_stream (VpJson *item, const char *name, char **ret, GError **error)
{
  if (!read_string (item, name, FALSE, ret, error))
    return FALSE;
  if (*ret == NULL || **ret == '/' || g_str_equal (*ret, VP_RECORD_STREAM_FD))
    return TRUE;
  return vp_json_set_member_error (error, item, name, "must be an absolute path or \"%s\"", VP_RECORD_STREAM_FD);
}

static gboolean
read_processes (VpRecordContainer *container, VpJson *json, GError **error)
{
  static const char *const members[] = { "exec-id",     "state",         "terminal", "exit-status", "exited-at",
                                         "standin-pid", "standin-start", "stdin",    "stdout",      "stderr",
                                         NULL };
  VpJson *array = NULL;

  if (!vp_json_member_array (json, "processes", FALSE, &array, error))
    return FALSE;
  for (guint i = 0; array != NULL && i < vp_json_get_n_items (array); i++)
    {
      VpJson *item = vp_json_get_item (array, i);
      VpRecordProcess *process;
      const char *exec_id, *state;

      if (!vp_json_check_members (item, members, error)
          || !vp_json_member_string (item, "exec-id", TRUE, &exec_id, error)
          || !vp_json_member_string (item, "state", TRUE, &state, error))
        return FALSE;
      process = vp_record_add_process (container, exec_id, state);
      if (!vp_json_member_bool (item, "terminal", FALSE, &process->terminal, error)
          || !read_uint32 (item, "exit-status", &process->exit_status, error)
          || !vp_json_member_uint (item, "exited-at", FALSE, G_MAXINT64, &process->exited_at, error)
          || !read_uint32 (item, "standin-pid", &process->standin_pid, error)
          || !vp_json_member_uint (item, "standin-start", FALSE, G_MAXUINT64, &process->standin_start, error)
          || !read_stream (item, "stdin", &process->streams[0], error)
          || !read_stream (item, "stdout", &process->streams[1], error)
          || !read_stream (item, "stderr", &process->streams[2], error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_containers (VpRecord *record, VpJson *json, guint64 version, GError **error)
{
  static const char *const members_1[] = { "id", "bundle", "state", "created-at", NULL };
  static const char *const members_2[]
      = { "id", "bundle", "state", "created-at", "started-at", "hooked", "foreign-paths", "oom-killed",
          "processes", NULL };
  VpJson *array;

  if (!vp_json_member_array (json, "containers", TRUE, &array, error))
    return FALSE;
  for (guint i = 0; i < vp_json_get_n_items (array); i++)
    {
      VpJson *item = vp_json_get_item (array, i);
      VpRecordContainer *container;
      const char *id, *bundle, *state;
      guint64 created_at;

      if (!vp_json_check_members (item, version == 1 ? members_1 : members_2, error)
          || !vp_json_member_string (item, "id", TRUE, &id, error)
          || !vp_json_member_string (item, "bundle", TRUE, &bundle, error)
          || !vp_json_member_string (item, "state", TRUE, &state, error)
          || !vp_json_member_uint (item, "created-at", TRUE, G_MAXUINT64, &created_at, error))
        return FALSE;
      container = vp_record_add_container (record, id, bundle, state, created_at);
      if (!vp_json_member_uint (item, "started-at", FALSE, G_MAXINT64, &container->started_at, error)
          || !vp_json_member_bool (item, "hooked", FALSE, &container->hooked, error)
          || !vp_json_member_bool (item, "foreign-paths", FALSE, &container->foreign_paths, error)
          || !vp_json_member_bool (item, "oom-killed", FALSE, &container->oom_killed, error)
          || !read_processes (container, item, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_resources (VpRecord *record, VpJson *json, GError **error)
{
  static const char *const members[] = { "kind", "path", NULL };
  VpJson *array;

  if (!vp_json_member_array (json, "resources", TRUE, &array, error))
    return FALSE;
  for (guint i = 0; i < vp_json_get_n_items (array); i++)
    {
      VpJson *item = vp_json_get_item (array, i);
      const char *kind, *path;

      if (!vp_json_check_members (item, members, error)
          || !vp_json_member_string (item, "kind", TRUE, &kind, error)
          || !vp_json_member_string (item, "path", TRUE, &path, error))
        return FALSE;
      vp_record_add_resource (record, kind, path);
    }
  return TRUE;
}

static gboolean
read_labels (VpRecord *record, VpJson *json, GError **error)
{
  VpJson *object = NULL;

  if (!vp_json_member_object (json, "labels", FALSE, &object, error))
    return FALSE;
  for (guint i = 0; object != NULL && i < vp_json_get_n_items (object); i++)
    {
      VpJson *item = vp_json_get_item (object, i);

      if (vp_json_get_type (item) != VP_JSON_STRING)
        return vp_json_set_error (error, item, "must be a string");
      vp_record_add_label (record, vp_json_get_name (item), vp_json_get_string (item));
    }
  return TRUE;
}

static gboolean
read_machine (VpRecordMachine *machine, VpJson *json, GError **error)
{
  static const char *const members[]
      = { "transport", "agent-path", "console-path", "console-log", "console-max-bytes",
          "accelerator", "vcpus", "memory-bytes", "domain-xml", NULL };
  VpJson *object = NULL;

  if (!vp_json_member_object (json, "machine", FALSE, &object, error))
    return FALSE;
  return object == NULL
         || (vp_json_check_members (object, members, error)
             && read_string (object, "transport", TRUE, &machine->transport, error)
             && read_string (object, "agent-path", TRUE, &machine->agent_path, error)
             && read_string (object, "console-path", FALSE, &machine->console_path, error)
             && read_string (object, "console-log", FALSE, &machine->console_log, error)
             && vp_json_member_uint (object, "console-max-bytes", FALSE, G_MAXINT64, &machine->console_max_bytes, error)
             && read_string (object, "accelerator", FALSE, &machine->accelerator, error)
             && read_uint32 (object, "vcpus", &machine->vcpus, error)
             && vp_json_member_uint (object, "memory-bytes", FALSE, G_MAXINT64, &machine->memory, error)
             && read_string (object, "domain-xml", FALSE, &machine->xml, error));
}

static gboolean
read_life (VpRecord *record, VpJson *json, GError **error)
{
  return read_string (json, "exit-reason", FALSE, &record->exit_reason, error)
         && read_uint32 (json, "exit-status", &record->exit_status, error)
         && read_uint32 (json, "owner", &record->owner, error)
         && vp_json_member_uint (json, "started-at", FALSE, G_MAXINT64, &record->started_at, error)
         && vp_json_member_uint (json, "exited-at", FALSE, G_MAXINT64, &record->exited_at, error)
         && read_machine (&record->machine, json, error) && read_labels (record, json, error);
}

VpRecord *
vp_record_parse (const char *text, gsize len, const char *file, GError **error)
{
  static const char *const members_1[]
      = { "version", "id",         "handler",    "bundle",    "domain-name", "domain-uuid",
          "state",   "created-at", "containers", "resources", NULL };
  static const char *const members_2[]
      = { "version",    "id",         "handler",   "bundle",  "domain-name", "domain-uuid", "state",
          "network", "exit-reason", "exit-status", "created-at", "started-at", "exited-at", "owner", "machine", "labels",
          "containers", "resources", NULL };
  g_autoptr (VpJson) json = vp_json_parse (text, len, file, error);
  g_autoptr (VpRecord) record = vp_record_new ();
  guint64 version = 0;

  if (json == NULL || !read_version (json, &version, error)
      || !vp_json_check_members (json, version == 1 ? members_1 : members_2, error)
      || !read_string (json, "id", TRUE, &record->id, error)
      || !read_string (json, "handler", TRUE, &record->handler, error)
      || !read_string (json, "bundle", TRUE, &record->bundle, error)
      || !read_string (json, "domain-name", TRUE, &record->domain_name, error)
      || !read_string (json, "domain-uuid", TRUE, &record->domain_uuid, error)
      || !read_string (json, "state", TRUE, &record->state, error)
      || !read_string (json, "network", FALSE, &record->network, error)
      || !vp_json_member_uint (json, "created-at", TRUE, G_MAXUINT64, &record->created_at, error)
      || !read_containers (record, json, version, error) || !read_resources (record, json, error)
      || !read_life (record, json, error))
    return NULL;
  return g_steal_pointer (&record);
}
