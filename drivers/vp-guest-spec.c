/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-guest-spec.h"

#include <string.h>

#include "vp-error.h"
#include "vp-json-writer.h"
#include "vp-names.h"
#include "vp-oci-names.h"
#include "vp-spec-table.h"

#define EXTRA_MAX (256 << 10) /* bytes */

/* protobuf-c frees with free(); g_malloc() is malloc() since GLib 2.46. */

static ProtobufCMessage *new_message (const ProtobufCMessageDescriptor *descriptor, VpJson *json,
                                      GError **error);

static gboolean
wrong_type (GError **error, VpJson *json, const char *wanted)
{
  return vp_json_set_error (error, json, "must be %s, is %s", wanted,
                            vp_json_type_name (vp_json_get_type (json)));
}

static gboolean
set_signed (const ProtobufCFieldDescriptor *field, void *at, VpJson *json, GError **error)
{
  gint64 value;

  if (!vp_json_get_int64 (json, &value))
    return wrong_type (error, json, "an integer of 64 bits with sign");
  if (field->type == PROTOBUF_C_TYPE_INT64)
    {
      *(int64_t *)at = value;
      return TRUE;
    }
  if (value < G_MININT32 || value > G_MAXINT32)
    return vp_json_set_error (error, json, "does not fit 32 bits");
  *(int32_t *)at = (int32_t)value;
  return TRUE;
}

static gboolean
set_unsigned (const ProtobufCFieldDescriptor *field, void *at, VpJson *json, GError **error)
{
  guint64 value;

  if (!vp_json_get_uint64 (json, &value))
    return vp_json_get_type (json) == VP_JSON_INT ? vp_json_set_error (error, json, "must not be negative")
                                                  : wrong_type (error, json, "an integer");
  if (field->type == PROTOBUF_C_TYPE_UINT64)
    {
      *(uint64_t *)at = value;
      return TRUE;
    }
  if (value > G_MAXUINT32)
    return vp_json_set_error (error, json, "does not fit 32 bits");
  *(uint32_t *)at = (uint32_t)value;
  return TRUE;
}

/* One value of @field's type at @at. */
static gboolean
set_value (const ProtobufCFieldDescriptor *field, void *at, VpJson *json, GError **error)
{
  switch (field->type)
    {
    case PROTOBUF_C_TYPE_STRING:
      if (vp_json_get_type (json) != VP_JSON_STRING)
        return wrong_type (error, json, "a string");
      *(char **)at = g_strdup (vp_json_get_string (json));
      return TRUE;
    case PROTOBUF_C_TYPE_BOOL:
      if (vp_json_get_type (json) != VP_JSON_BOOL)
        return wrong_type (error, json, "true or false");
      *(protobuf_c_boolean *)at = vp_json_get_bool (json);
      return TRUE;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_INT64:
      return set_signed (field, at, json, error);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
      return set_unsigned (field, at, json, error);
    case PROTOBUF_C_TYPE_MESSAGE:
      *(ProtobufCMessage **)at = new_message (field->descriptor, json, error);
      return *(ProtobufCMessage **)at != NULL;
    default:
      return vp_json_set_error (error, json, "cannot be sent to the guest");
    }
}

static gsize
size_of_type (ProtobufCType type)
{
  switch (type)
    {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
      return sizeof (void *);
    case PROTOBUF_C_TYPE_BOOL:
      return sizeof (protobuf_c_boolean);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
      return sizeof (uint64_t);
    default:
      return sizeof (uint32_t);
    }
}

/* protobuf writes map<string, string> as a list of entries with key and value. */
static ProtobufCMessage *
new_map_entry (const ProtobufCMessageDescriptor *descriptor, VpJson *json, GError **error)
{
  const ProtobufCFieldDescriptor *key = protobuf_c_message_descriptor_get_field_by_name (descriptor, "key");
  const ProtobufCFieldDescriptor *value
      = protobuf_c_message_descriptor_get_field_by_name (descriptor, "value");
  ProtobufCMessage *entry = g_malloc0 (descriptor->sizeof_message);

  protobuf_c_message_init (descriptor, entry);
  *(char **)((char *)entry + key->offset) = g_strdup (vp_json_get_name (json));
  if (set_value (value, (char *)entry + value->offset, json, error))
    return entry;
  protobuf_c_message_free_unpacked (entry, NULL);
  return NULL;
}

static gboolean
is_map (const ProtobufCFieldDescriptor *field)
{
  const ProtobufCMessageDescriptor *entry = field->descriptor;

  return field->type == PROTOBUF_C_TYPE_MESSAGE && entry->n_fields == 2
         && protobuf_c_message_descriptor_get_field_by_name (entry, "key") != NULL
         && protobuf_c_message_descriptor_get_field_by_name (entry, "value") != NULL;
}

static gboolean
set_repeated (const ProtobufCFieldDescriptor *field, ProtobufCMessage *message, VpJson *json, GError **error)
{
  gboolean map = is_map (field);
  gsize size = size_of_type (field->type), *count = (gsize *)((char *)message + field->quantifier_offset);
  guint n = vp_json_get_n_items (json);
  char *values;

  if (vp_json_get_type (json) != (map ? VP_JSON_OBJECT : VP_JSON_ARRAY))
    return wrong_type (error, json, map ? "an object" : "an array");
  if (n == 0)
    return TRUE;
  values = g_malloc0_n (n, size);
  *(void **)((char *)message + field->offset) = values;
  /* the count follows what is there, so that a failure can be freed */
  for (guint i = 0; i < n; i++)
    {
      VpJson *item = vp_json_get_item (json, i);

      if (map)
        {
          ProtobufCMessage *entry = new_map_entry (field->descriptor, item, error);

          if (entry == NULL)
            return FALSE;
          ((ProtobufCMessage **)values)[i] = entry;
        }
      else if (!set_value (field, values + i * size, item, error))
        return FALSE;
      (*count)++;
    }
  return TRUE;
}

static gboolean
set_field (const ProtobufCFieldDescriptor *field, ProtobufCMessage *message, VpJson *json, GError **error)
{
  if (field->label == PROTOBUF_C_LABEL_REPEATED)
    return set_repeated (field, message, json, error);
  if (!set_value (field, (char *)message + field->offset, json, error))
    return FALSE;
  /* which member of a oneof it is */
  if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
    *(uint32_t *)((char *)message + field->quantifier_offset) = field->id;
  return TRUE;
}

static ProtobufCMessage *
new_message (const ProtobufCMessageDescriptor *descriptor, VpJson *json, GError **error)
{
  ProtobufCMessage *message;

  if (vp_json_get_type (json) != VP_JSON_OBJECT)
    {
      wrong_type (error, json, "an object");
      return NULL;
    }
  message = g_malloc0 (descriptor->sizeof_message);
  protobuf_c_message_init (descriptor, message);
  for (unsigned i = 0; i < descriptor->n_fields; i++)
    {
      const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
      char name[64];
      VpJson *member = vp_json_lookup (json, vp_oci_json_name (field, name));

      if (member == NULL || vp_json_get_type (member) == VP_JSON_NULL)
        continue;
      if (!set_field (field, message, member, error))
        {
          protobuf_c_message_free_unpacked (message, NULL);
          return NULL;
        }
    }
  return message;
}

/* ---- what the protocol has no fields for ------------------------------------- */

static const ProtobufCFieldDescriptor *
find_field (const ProtobufCMessageDescriptor *descriptor, const char *name)
{
  for (unsigned i = 0; i < descriptor->n_fields; i++)
    {
      char buffer[64];

      if (strcmp (vp_oci_json_name (&descriptor->fields[i], buffer), name) == 0)
        return &descriptor->fields[i];
    }
  return NULL;
}

/* Zero is not the same as nothing here, but protobuf writes neither. */
static gboolean
is_lost_zero (const ProtobufCFieldDescriptor *field, VpJson *json)
{
  gint64 number;

  return g_str_equal (field->name, "OOMScoreAdj") && vp_json_get_int64 (json, &number) && number == 0;
}

static gboolean has_extra (const ProtobufCMessageDescriptor *descriptor, VpJson *object);

/* Is there something in the member @json, whose field is @field or NULL, that a message cannot carry? */
static gboolean
member_has_extra (const ProtobufCFieldDescriptor *field, VpJson *json)
{
  if (vp_json_get_type (json) == VP_JSON_NULL)
    return FALSE;
  if (field == NULL || is_lost_zero (field, json))
    return TRUE;
  if (field->type != PROTOBUF_C_TYPE_MESSAGE || is_map (field))
    return FALSE;
  if (field->label != PROTOBUF_C_LABEL_REPEATED)
    return has_extra (field->descriptor, json);
  for (guint i = 0; i < vp_json_get_n_items (json); i++)
    {
      if (has_extra (field->descriptor, vp_json_get_item (json, i)))
        return TRUE;
    }
  return FALSE;
}

static gboolean
has_extra (const ProtobufCMessageDescriptor *descriptor, VpJson *object)
{
  for (guint i = 0; i < vp_json_get_n_items (object); i++)
    {
      VpJson *item = vp_json_get_item (object, i);

      if (member_has_extra (find_field (descriptor, vp_json_get_name (item)), item))
        return TRUE;
    }
  return FALSE;
}

static void
write_extra (VpJsonWriter *writer, const char *name, const ProtobufCMessageDescriptor *descriptor,
             VpJson *object)
{
  vp_json_writer_begin_object (writer, name);
  for (guint i = 0; i < vp_json_get_n_items (object); i++)
    {
      VpJson *item = vp_json_get_item (object, i);
      const ProtobufCFieldDescriptor *field = find_field (descriptor, vp_json_get_name (item));

      if (!member_has_extra (field, item))
        continue;
      if (field == NULL || field->type != PROTOBUF_C_TYPE_MESSAGE)
        vp_json_writer_add_copy (writer, vp_json_get_name (item), item);
      else if (field->label != PROTOBUF_C_LABEL_REPEATED)
        write_extra (writer, vp_json_get_name (item), field->descriptor, item);
      else
        {
          vp_json_writer_begin_object (writer, vp_json_get_name (item));
          for (guint j = 0; j < vp_json_get_n_items (item); j++)
            {
              g_autofree char *index = g_strdup_printf ("%u", j);

              if (has_extra (field->descriptor, vp_json_get_item (item, j)))
                write_extra (writer, index, field->descriptor, vp_json_get_item (item, j));
            }
          vp_json_writer_end_object (writer);
        }
    }
  vp_json_writer_end_object (writer);
}

static gboolean
add_extra (Grpc__Spec *spec, VpJson *json, GError **error)
{
  g_autoptr (VpJsonWriter) writer = NULL;
  Grpc__Spec__AnnotationsEntry *entry;
  g_autofree char *text = NULL;
  gsize len;

  G_STATIC_ASSERT (sizeof (VP_OCI_EXTRA) == sizeof (VP_ANNOTATION_SPEC_EXTRA));
  if (!has_extra (&grpc__spec__descriptor, json))
    return TRUE;
  writer = vp_json_writer_new (FALSE);
  write_extra (writer, NULL, &grpc__spec__descriptor, json);
  text = vp_json_writer_steal_text (writer, &len);
  if (len > EXTRA_MAX)
    return vp_json_set_error (error, json, "has %" G_GSIZE_FORMAT " bytes in unknown fields, %d are allowed",
                              len, EXTRA_MAX);
  entry = g_new0 (Grpc__Spec__AnnotationsEntry, 1);
  grpc__spec__annotations_entry__init (entry);
  entry->key = g_strdup (VP_OCI_EXTRA);
  entry->value = g_steal_pointer (&text);
  spec->annotations = g_renew (Grpc__Spec__AnnotationsEntry *, spec->annotations, spec->n_annotations + 1);
  spec->annotations[spec->n_annotations++] = entry;
  return TRUE;
}

Grpc__Spec *
vp_guest_spec_new (VpJson *json, GError **error)
{
  Grpc__Spec *spec = (Grpc__Spec *)new_message (&grpc__spec__descriptor, json, error);

  if (spec != NULL && !add_extra (spec, json, error))
    {
      grpc__spec__free_unpacked (spec, NULL);
      return NULL;
    }
  return spec;
}

Grpc__Process *
vp_guest_spec_new_process (VpJson *process, GError **error)
{
  return (Grpc__Process *)new_message (&grpc__process__descriptor, process, error);
}

/* The first value that has no field. */
static VpJson *
find_extra (const ProtobufCMessageDescriptor *descriptor, VpJson *object)
{
  for (guint i = 0; i < vp_json_get_n_items (object); i++)
    {
      VpJson *item = vp_json_get_item (object, i);
      const ProtobufCFieldDescriptor *field = find_field (descriptor, vp_json_get_name (item));

      if (!member_has_extra (field, item))
        continue;
      if (field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE && field->label != PROTOBUF_C_LABEL_REPEATED)
        return find_extra (field->descriptor, item);
      return item;
    }
  return NULL;
}

Grpc__LinuxResources *
vp_guest_spec_new_resources (VpJson *resources, GError **error)
{
  VpJson *extra;

  if (has_extra (&grpc__linux_resources__descriptor, resources))
    {
      extra = find_extra (&grpc__linux_resources__descriptor, resources);
      (void) vp_spec_refuse (error, extra, "cannot be changed in a guest that runs: its protocol has no field for it");
      return NULL;
    }
  return (Grpc__LinuxResources *)new_message (&grpc__linux_resources__descriptor, resources, error);
}
