/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-spec-update.h"

#include "vp-json-writer.h"
#include "vp-spec-table.h"

static VpJson *
parse (const char *text, gsize len, gsize max, const char *what, const VpSpecField *fields, GError **error)
{
  g_autoptr (VpJson) json = NULL;

  if (len > max)
    {
      g_autoptr (VpJson) nothing = vp_json_parse ("{}", 2, what, NULL);

      vp_json_set_error (error, nothing, "has %" G_GSIZE_FORMAT " bytes, %" G_GSIZE_FORMAT " are allowed", len, max);
      return NULL;
    }
  json = vp_json_parse (text, len, what, error);
  if (json == NULL)
    return NULL;
  if (vp_json_get_type (json) != VP_JSON_OBJECT)
    {
      vp_json_set_error (error, json, "must be an object, is %s", vp_json_type_name (vp_json_get_type (json)));
      return NULL;
    }
  return vp_spec_check_fields (json, fields, error) ? g_steal_pointer (&json) : NULL;
}

/* Members of @object that are the guest's, and those that nobody knows: who
 * makes the message of them says whether it can carry them. @without: one that is left out, or NULL. */
static void
copy_members (VpJsonWriter *writer, VpJson *object, const VpSpecField *fields, VpJson *without)
{
  for (guint i = 0; i < vp_json_get_n_items (object); i++)
    {
      VpJson *item = vp_json_get_item (object, i);
      const VpSpecField *field = vp_spec_field_find (fields, vp_json_get_name (item));

      if (item == without || vp_json_get_type (item) == VP_JSON_NULL
          || (field != NULL && field->fate != VP_FATE_GUEST))
        continue;
      if (field != NULL && field->type == VP_SPEC_OBJECT && (field->flags & VP_SPEC_LIST) == 0)
        {
          vp_json_writer_begin_object (writer, vp_json_get_name (item));
          copy_members (writer, item, field->members, without);
          vp_json_writer_end_object (writer);
        }
      else if (field == NULL || !vp_spec_value_is_empty (item) || field->type != VP_SPEC_MAP)
        vp_json_writer_add_copy (writer, vp_json_get_name (item), item);
    }
}

static VpJson *
copy (VpJson *json, const VpSpecField *fields, VpJson *without, GError **error)
{
  g_autoptr (VpJsonWriter) writer = vp_json_writer_new (FALSE);

  vp_json_writer_begin_object (writer, NULL);
  copy_members (writer, json, fields, without);
  vp_json_writer_end_object (writer);
  return vp_json_writer_to_json (writer, vp_json_get_file (json), error);
}

static char *
to_text (VpJson *json)
{
  g_autoptr (VpJsonWriter) writer = vp_json_writer_new (FALSE);

  vp_json_writer_add_copy (writer, NULL, json);
  return vp_json_writer_steal_text (writer, NULL);
}

/* Whether @devices are those that the container was made with, as the same program writes them. */
static gboolean
are_of_spec (VpJson *devices, VpSpec *spec)
{
  static const char *const path[] = { "linux", "resources", "devices" };
  VpJson *made = spec == NULL ? NULL : vp_spec_get_json (spec);
  g_autofree char *wanted = NULL, *given = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (path) && made != NULL; i++)
    made = vp_json_lookup (made, path[i]);
  if (made == NULL)
    return FALSE;
  wanted = to_text (devices);
  given = to_text (made);
  return g_str_equal (wanted, given);
}

VpJson *
vp_spec_parse_resources (const char *text, gsize len, VpSpec *spec, GError **error)
{
  const VpSpecField *fields = vp_spec_field_find (vp_spec_linux_fields, "resources")->members;
  g_autoptr (VpJson) json = parse (text, len, VP_SPEC_RESOURCES_MAX, "resources", fields, error);
  VpJson *devices, *cpu, *burst, *same = NULL;

  if (json == NULL)
    return NULL;
  devices = vp_json_lookup (json, "devices");
  if (devices != NULL && are_of_spec (devices, spec))
    same = devices;
  else if (devices != NULL && vp_json_get_n_items (devices) > 0)
    {
      vp_spec_refuse (error, devices, "cannot be changed while the container is there");
      return NULL;
    }
  cpu = vp_json_lookup (json, "cpu");
  burst = cpu == NULL ? NULL : vp_json_lookup (cpu, "burst");
  if (burst != NULL && !vp_spec_value_is_empty (burst))
    {
      vp_spec_refuse (error, burst, "cannot be changed while the container is there");
      return NULL;
    }
  return copy (json, fields, same, error);
}

VpJson *
vp_spec_parse_exec (const char *text, gsize len, GError **error)
{
  const VpSpecField *fields = vp_spec_field_find (vp_spec_fields, "process")->members;
  g_autoptr (VpJson) json = parse (text, len, VP_SPEC_PROCESS_MAX, "process", fields, error);
  VpJson *args, *cwd;

  if (json == NULL)
    return NULL;
  args = vp_json_lookup (json, "args");
  if (vp_json_get_n_items (args) == 0 || *vp_json_get_string (vp_json_get_item (args, 0)) == '\0')
    {
      vp_json_set_member_error (error, json, "args", "is empty");
      return NULL;
    }
  cwd = vp_json_lookup (json, "cwd");
  if (*vp_json_get_string (cwd) != '/')
    {
      vp_json_set_error (error, cwd, "must be an absolute path");
      return NULL;
    }
  return copy (json, fields, NULL, error);
}
