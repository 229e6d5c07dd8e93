/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-annotation-apply.h"

#include <fnmatch.h>
#include <string.h>

#include "vp-annotation-table.h"
#include "vp-annotation-value.h"
#include "vp-decision.h"
#include "vp-error.h"

#define PREFIX "io.katacontainers."
#define SGX_EPC "sgx.intel.com/epc"
#define SOURCE "annotation "

typedef struct
{
  VpSpec *spec;
  const VpFactsInit *facts; /* NULL: not known */
  VpAnnotations *result;
  gboolean changed; /* result->config is a copy of its own */
} Job;

/* ---- the object ------------------------------------------------------------- */

static void
digest_free (gpointer data)
{
  VpAnnotationDigest *digest = data;

  g_free (digest->sha512);
  g_free (digest);
}

static VpAnnotations *
annotations_new (VpConfig *config)
{
  VpAnnotations *annotations = g_new (VpAnnotations, 1);

  annotations->config = vp_config_ref (config);
  annotations->decisions = vp_decisions_new ();
  annotations->digests = g_ptr_array_new_with_free_func (digest_free);
  return annotations;
}

void
vp_annotations_free (VpAnnotations *annotations)
{
  if (annotations == NULL)
    return;
  vp_config_unref (annotations->config);
  g_ptr_array_unref (annotations->decisions);
  g_ptr_array_unref (annotations->digests);
  g_free (annotations);
}

/* ---- who may ---------------------------------------------------------------- */

gboolean
vp_annotation_is_allowed (const char *const *patterns, const char *name)
{
  for (; *patterns != NULL; patterns++)
    {
      g_autofree char *whole = NULL;
      g_autoptr (GRegex) regex = NULL;

      if (g_str_equal (*patterns, name))
        return TRUE;
      /* "path" is about path and not about jailer_path */
      whole = g_strdup_printf ("\\A(?:%s)\\z", *patterns);
      regex = g_regex_new (whole, 0, 0, NULL);
      if (regex != NULL && g_regex_match (regex, name, 0, NULL))
        return TRUE;
    }
  return FALSE;
}

gboolean
vp_annotation_path_is_allowed (const char *const *globs, const char *path)
{
  for (; *globs != NULL; globs++)
    {
      if (fnmatch (*globs, path, FNM_PATHNAME | FNM_PERIOD) == 0)
        return TRUE;
    }
  return FALSE;
}

/* ---- errors: all begin with file and place of the annotation ---------------- */

static gboolean fail (Job *job, const VpAnnotationRow *row, VpError code, GError **error, const char *format,
                      ...) G_GNUC_PRINTF (5, 6);

static gboolean
fail (Job *job, const VpAnnotationRow *row, VpError code, GError **error, const char *format, ...)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *why = NULL;
  va_list args;

  va_start (args, format);
  why = g_strdup_vprintf (format, args);
  va_end (args);
  vp_json_set_member_error (&local, vp_spec_get_annotations (job->spec), row->name, "%s", why);
  local->code = (gint)code;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static char *
dup_source (const char *name)
{
  return g_strconcat (SOURCE, name, NULL);
}

static gboolean
asked_for (Job *job, VpConfigKey key)
{
  return g_str_has_prefix (vp_config_get_source (job->result->config, key), SOURCE);
}

/* ---- what to do ------------------------------------------------------------- */

static void
note (Job *job, const VpAnnotationRow *row, const char *what, const char *value, const char *why)
{
  g_autofree char *source = dup_source (row->name);

  vp_decisions_add (job->result->decisions, what, value, source, why);
}

static gboolean
set_key (Job *job, const VpAnnotationRow *row, VpConfigKey key, const char *text, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *source = dup_source (row->name);

  if (!job->changed)
    {
      VpConfig *copy = vp_config_copy (job->result->config);

      vp_config_unref (job->result->config);
      job->result->config = copy;
      job->changed = TRUE;
    }
  if (!vp_config_override_from (job->result->config, key, text, source, &local))
    {
      const char *why = local->message;

      /* said once is enough */
      if (g_str_has_prefix (why, source) && g_str_has_prefix (why + strlen (source), ": "))
        why += strlen (source) + strlen (": ");
      return fail (job, row, (VpError)local->code, error, "%s", why);
    }
  note (job, row, vp_config_key_name (key), text, NULL);
  return TRUE;
}

/* Setting one way of plugging host devices ends the other; a sandbox that asks
 * for both contradicts itself, which the whole configuration is checked for. */
static gboolean
end_other_plug (Job *job, const VpAnnotationRow *row, const char *text, GError **error)
{
  VpConfigKey other = row->key == VP_CONFIG_HYPERVISOR_HOT_PLUG_VFIO ? VP_CONFIG_HYPERVISOR_COLD_PLUG_VFIO
                                                                     : VP_CONFIG_HYPERVISOR_HOT_PLUG_VFIO;
  VpConfig *config = job->result->config;

  if (g_str_equal (text, "no-port") || g_str_equal (vp_config_get_string (config, other), "no-port")
      || asked_for (job, other))
    return TRUE;
  return set_key (job, row, other, "no-port", error);
}

static gboolean
apply_set (Job *job, const VpAnnotationRow *row, const char *text, GError **error)
{
  g_autofree char *with_unit = g_strconcat (text, row->unit, NULL);
  VpConfig *config = job->result->config;

  if (row->globs != VP_N_CONFIG_KEYS
      && !vp_annotation_path_is_allowed (vp_config_get_list (config, row->globs), text))
    return fail (job, row, VP_ERROR_NOT_AUTHORIZED, error, "\"%s\" is not among %s (%s)", text,
                 vp_config_key_name (row->globs), vp_config_get_source (config, row->globs));
  if (!set_key (job, row, row->key, with_unit, error))
    return FALSE;
  if (row->key == VP_CONFIG_HYPERVISOR_HOT_PLUG_VFIO || row->key == VP_CONFIG_HYPERVISOR_COLD_PLUG_VFIO)
    return end_other_plug (job, row, text, error);
  /* a mapping of nodes is of no use to a guest without them */
  if (row->key == VP_CONFIG_HYPERVISOR_NUMA_MAPPING)
    return set_key (job, row, VP_CONFIG_HYPERVISOR_NUMA, "true", error);
  return TRUE;
}

static gboolean
apply_merge (Job *job, const VpAnnotationRow *row, const char *text, GError **error)
{
  g_autofree char *merged = NULL;
  g_autoptr (GPtrArray) arguments = NULL;

  if (row->type == VP_ANNOTATION_TYPE_PARAMS)
    {
      merged = vp_annotation_merge_params (vp_config_get_string (job->result->config, row->key), text);
      return set_key (job, row, row->key, merged, error);
    }
  arguments = vp_annotation_parse_arguments (text, error);
  if (arguments == NULL)
    return FALSE;
  for (guint i = 0; i < arguments->len; i++)
    {
      const VpAnnotationArgument *argument = g_ptr_array_index (arguments, i);

      if (!set_key (job, row, argument->key, argument->text, error))
        return FALSE;
    }
  return TRUE;
}

static void
apply_digest (Job *job, const VpAnnotationRow *row, const char *text)
{
  VpAnnotationDigest *digest = g_new (VpAnnotationDigest, 1);

  *digest = (VpAnnotationDigest){ row->key, row->name, g_strdup (text) };
  g_ptr_array_add (job->result->digests, digest);
  note (job, row, vp_config_key_name (row->key), "checked", "the content must have this SHA-512");
}

static gboolean
apply (Job *job, const VpAnnotationRow *row, const char *value, GError **error)
{
  VpConfigKey gate = vp_annotation_row_gate (row);
  g_autoptr (GError) local = NULL;
  g_autofree char *text = NULL;

  if (!vp_annotation_parse_value (row, value, job->facts, &text, &local))
    return fail (job, row, (VpError)local->code, error, "%s", local->message);
  if (row->action == VP_ANNOTATION_REFUSE && !vp_annotation_row_is_neutral (row, text != NULL ? text : ""))
    return fail (job, row, VP_ERROR_NOT_SUPPORTED, error, "%s", row->reason);
  if (gate != VP_N_CONFIG_KEYS
      && !vp_annotation_is_allowed (vp_config_get_list (job->result->config, gate),
                                    vp_annotation_row_short_name (row)))
    return fail (job, row, VP_ERROR_NOT_AUTHORIZED, error, "is not allowed, %s (%s) does not name \"%s\"",
                 vp_config_key_name (gate), vp_config_get_source (job->result->config, gate),
                 vp_annotation_row_short_name (row));
  if (text == NULL)
    {
      note (job, row, vp_annotation_row_short_name (row), NULL, "the value asks for nothing");
      return TRUE;
    }
  switch (row->action)
    {
    case VP_ANNOTATION_SET:
    case VP_ANNOTATION_SET_NOT:
      return apply_set (job, row, text, error);
    case VP_ANNOTATION_MERGE:
      return apply_merge (job, row, text, error);
    case VP_ANNOTATION_DIGEST:
      apply_digest (job, row, text);
      return TRUE;
    case VP_ANNOTATION_REFUSE:
      note (job, row, vp_annotation_row_short_name (row), value, "this is so anyway");
      return TRUE;
    case VP_ANNOTATION_PASS:
      break;
    }
  return TRUE;
}

/* ---- all of them ------------------------------------------------------------ */

static gboolean
is_ours (const char *name)
{
  return g_str_has_prefix (name, PREFIX) || g_str_equal (name, SGX_EPC);
}

/* Where each row's value is in the spec. FALSE for a name nobody knows. */
static gboolean
collect (Job *job, VpJson *annotations, const char **values, gboolean *ret_any, GError **error)
{
  for (guint i = 0; i < vp_json_get_n_items (annotations); i++)
    {
      VpJson *item = vp_json_get_item (annotations, i);
      const char *name = vp_json_get_name (item);
      const VpAnnotationRow *row;

      if (!is_ours (name))
        continue;
      row = vp_annotation_find (name);
      if (row == NULL)
        {
          g_autofree char *shown = vp_error_shown (name);

          g_set_error (error, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
                       "%s: annotations[\"%s\"]: no annotation has this name", vp_json_get_file (annotations),
                       shown);
          return FALSE;
        }
      values[row - vp_annotation_table] = vp_json_get_string (item);
      *ret_any = TRUE;
    }
  return TRUE;
}

/* What is well in itself may not go together. */
static gboolean
check_whole (Job *job, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (!job->changed)
    return TRUE;
  if (asked_for (job, VP_CONFIG_GUEST_IMAGE) && asked_for (job, VP_CONFIG_GUEST_INITRD))
    g_set_error (&local, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: there is an initrd too, only one can boot",
                 vp_config_get_source (job->result->config, VP_CONFIG_GUEST_IMAGE));
  else if (vp_config_check (job->result->config, &local))
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "%s: annotations: %s",
               vp_json_get_file (vp_spec_get_annotations (job->spec)), local->message);
  return FALSE;
}

VpAnnotations *
vp_annotations_apply (VpSpec *spec, VpConfig *config, VpFacts *facts, GError **error)
{
  g_autoptr (VpAnnotations) result = annotations_new (config);
  VpJson *annotations = vp_spec_get_annotations (spec);
  Job job = { spec, facts != NULL ? vp_facts_get (facts) : NULL, result, FALSE };
  g_autofree const char **values = NULL;
  gboolean any = FALSE;

  if (annotations == NULL)
    return g_steal_pointer (&result);
  values = g_new0 (const char *, vp_annotation_n_rows);
  if (!collect (&job, annotations, values, &any, error))
    return NULL;
  for (guint i = 0; any && i < vp_annotation_n_rows; i++)
    {
      if (values[i] != NULL && !apply (&job, &vp_annotation_table[i], values[i], error))
        return NULL;
    }
  if (!check_whole (&job, error))
    return NULL;
  return g_steal_pointer (&result);
}

gboolean
vp_annotations_check_container (VpSpec *spec, GError **error)
{
  Job job = { spec, NULL, NULL, FALSE };

  for (guint i = 0; vp_spec_get_annotations (spec) != NULL && i < vp_annotation_n_rows; i++)
    {
      const VpAnnotationRow *row = &vp_annotation_table[i];
      const char *value
          = row->scope == VP_ANNOTATION_CONTAINER ? vp_spec_get_annotation (spec, row->name) : NULL;
      g_autoptr (GError) local = NULL;
      g_autofree char *text = NULL;

      if (value == NULL)
        continue;
      if (!vp_annotation_parse_value (row, value, NULL, &text, &local))
        return fail (&job, row, (VpError)local->code, error, "%s", local->message);
      return fail (&job, row, VP_ERROR_NOT_SUPPORTED, error, "%s", row->reason);
    }
  return TRUE;
}
