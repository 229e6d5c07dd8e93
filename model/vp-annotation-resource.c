/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-annotation-resource.h"

#include <string.h>

#define CRI "io.kubernetes.cri.sandbox-"

/* The present name and the one before it. */
static const char *const crio_names[]
    = { "pod-linux-resources.crio.io", "io.kubernetes.cri-o.PodLinuxResources" };

/* *ret stays as it is when the annotation is absent. */
static gboolean
read_signed (VpSpec *spec, const char *name, gint64 *ret, const char **ret_name, GError **error)
{
  const char *text = vp_spec_get_annotation (spec, name);

  if (text == NULL)
    return TRUE;
  if (!g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, ret, NULL))
    return vp_json_set_member_error (error, vp_spec_get_annotations (spec), name,
                                     "must be a number of 64 bits");
  *ret_name = name;
  return TRUE;
}

static gboolean
read_unsigned (VpSpec *spec, const char *name, guint64 *ret, const char **ret_name, GError **error)
{
  const char *text = vp_spec_get_annotation (spec, name);

  if (text == NULL)
    return TRUE;
  if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64, ret, NULL))
    return vp_json_set_member_error (error, vp_spec_get_annotations (spec), name,
                                     "must be a number of 64 bits, not negative");
  *ret_name = name;
  return TRUE;
}

static gboolean
read_containerd (VpSpec *spec, VpSandboxResources *ret, GError **error)
{
  return read_unsigned (spec, CRI "cpu-period", &ret->cpu_period, &ret->cpu_name, error)
         && read_unsigned (spec, CRI "cpu-shares", &ret->cpu_shares, &ret->cpu_name, error)
         && read_signed (spec, CRI "cpu-quota", &ret->cpu_quota, &ret->cpu_name, error)
         && read_signed (spec, CRI "memory", &ret->memory, &ret->memory_name, error);
}

static gboolean
has_member (VpJson *json, const char *name)
{
  return vp_json_lookup (json, name) != NULL;
}

/* Members that say something else (CPU sets, huge pages...) are left alone. */
static gboolean
read_crio (VpSpec *spec, const char *name, VpSandboxResources *ret, GError **error)
{
  const char *text = vp_spec_get_annotation (spec, name);
  g_autoptr (GError) local = NULL;
  g_autoptr (VpJson) json = vp_json_parse (text, strlen (text), "(value)", &local);

  if (json == NULL || !vp_json_member_uint (json, "cpu_period", FALSE, G_MAXUINT64, &ret->cpu_period, &local)
      || !vp_json_member_uint (json, "cpu_shares", FALSE, G_MAXUINT64, &ret->cpu_shares, &local)
      || !vp_json_member_int (json, "cpu_quota", FALSE, G_MININT64, G_MAXINT64, &ret->cpu_quota, &local)
      || !vp_json_member_int (json, "memory_limit_in_bytes", FALSE, G_MININT64, G_MAXINT64, &ret->memory,
                              &local))
    return vp_json_set_member_error (error, vp_spec_get_annotations (spec), name, "%s", local->message);
  if (has_member (json, "cpu_period") || has_member (json, "cpu_shares") || has_member (json, "cpu_quota"))
    ret->cpu_name = name;
  if (has_member (json, "memory_limit_in_bytes"))
    ret->memory_name = name;
  return TRUE;
}

gboolean
vp_annotation_get_sandbox_resources (VpSpec *spec, VpSandboxResources *ret, GError **error)
{
  VpSandboxResources found = { 0 };

  if (!read_containerd (spec, &found, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (crio_names) && found.cpu_name == NULL && found.memory_name == NULL; i++)
    {
      if (vp_spec_get_annotation (spec, crio_names[i]) != NULL
          && !read_crio (spec, crio_names[i], &found, error))
        return FALSE;
    }
  *ret = found;
  return TRUE;
}
