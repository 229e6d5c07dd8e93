/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-record.h"

#include "vp-error.h"
#include "vp-json-writer.h"

static void
container_free (gpointer data)
{
  VpRecordContainer *container = data;

  g_free (container->id);
  g_free (container->bundle);
  g_free (container->state);
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
  g_free (record->bundle);
  g_free (record->domain_name);
  g_free (record->domain_uuid);
  g_free (record->state);
  g_ptr_array_unref (record->containers);
  g_ptr_array_unref (record->resources);
  g_free (record);
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
  g_ptr_array_add (record->containers, container);
  return container;
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

/* ---- reading ---------------------------------------------------------------- */

static gboolean
check_version (VpJson *json, GError **error)
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
  return TRUE;
}

/* A required string as a copy. */
static gboolean
read_string (VpJson *object, const char *name, char **ret, GError **error)
{
  const char *text = NULL;

  if (!vp_json_member_string (object, name, TRUE, &text, error))
    return FALSE;
  *ret = g_strdup (text);
  return TRUE;
}

static gboolean
read_containers (VpRecord *record, VpJson *json, GError **error)
{
  static const char *const members[] = { "id", "bundle", "state", "created-at", NULL };
  VpJson *array;

  if (!vp_json_member_array (json, "containers", TRUE, &array, error))
    return FALSE;
  for (guint i = 0; i < vp_json_get_n_items (array); i++)
    {
      VpJson *item = vp_json_get_item (array, i);
      const char *id, *bundle, *state;
      guint64 created_at;

      if (!vp_json_check_members (item, members, error)
          || !vp_json_member_string (item, "id", TRUE, &id, error)
          || !vp_json_member_string (item, "bundle", TRUE, &bundle, error)
          || !vp_json_member_string (item, "state", TRUE, &state, error)
          || !vp_json_member_uint (item, "created-at", TRUE, G_MAXUINT64, &created_at, error))
        return FALSE;
      vp_record_add_container (record, id, bundle, state, created_at);
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

VpRecord *
vp_record_parse (const char *text, gsize len, const char *file, GError **error)
{
  static const char *const members[]
      = { "version", "id",         "handler",    "bundle",    "domain-name", "domain-uuid",
          "state",   "created-at", "containers", "resources", NULL };
  g_autoptr (VpJson) json = vp_json_parse (text, len, file, error);
  g_autoptr (VpRecord) record = vp_record_new ();

  if (json == NULL || !check_version (json, error) || !vp_json_check_members (json, members, error)
      || !read_string (json, "id", &record->id, error)
      || !read_string (json, "handler", &record->handler, error)
      || !read_string (json, "bundle", &record->bundle, error)
      || !read_string (json, "domain-name", &record->domain_name, error)
      || !read_string (json, "domain-uuid", &record->domain_uuid, error)
      || !read_string (json, "state", &record->state, error)
      || !vp_json_member_uint (json, "created-at", TRUE, G_MAXUINT64, &record->created_at, error)
      || !read_containers (record, json, error) || !read_resources (record, json, error))
    return NULL;
  return g_steal_pointer (&record);
}

/* ---- writing ---------------------------------------------------------------- */

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
  vp_json_writer_add_uint (writer, "created-at", record->created_at);
  write_containers (writer, record);
  write_resources (writer, record);
  vp_json_writer_end_object (writer);
  return vp_json_writer_steal_text (writer, ret_len);
}
