/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-spec.h"

#include <fcntl.h>
#include <string.h>

#include "vp-error.h"
#include "vp-fd.h"
#include "vp-names.h"
#include "vp-spec-private.h"
#include "vp-spec-table.h"

static void
clear_mount (gpointer data)
{
  VpSpecMount *mount = data;

  g_strfreev ((char **)mount->options);
}

static VpSpec *
spec_new (VpJson *json, const char *bundle)
{
  VpSpec *spec = g_new0 (VpSpec, 1);

  g_atomic_ref_count_init (&spec->ref_count);
  spec->bundle = g_strdup (bundle);
  spec->json = vp_json_ref (json);
  spec->mounts = g_array_new (FALSE, TRUE, sizeof (VpSpecMount));
  g_array_set_clear_func (spec->mounts, clear_mount);
  spec->memory_limit = -1;
  spec->cpu_quota = -1;
  spec->shm_size = VP_SPEC_SHM_SIZE;
  return spec;
}

VpSpec *
vp_spec_ref (VpSpec *spec)
{
  g_atomic_ref_count_inc (&spec->ref_count);
  return spec;
}

void
vp_spec_unref (VpSpec *spec)
{
  if (spec == NULL || !g_atomic_ref_count_dec (&spec->ref_count))
    return;
  g_free (spec->bundle);
  g_strfreev (spec->args);
  g_strfreev (spec->env);
  g_strfreev (spec->dns);
  g_array_unref (spec->mounts);
  vp_json_unref (spec->json);
  g_free (spec);
}

static gboolean
parse_root (VpSpec *spec, GError **error)
{
  VpJson *root;

  if (!vp_json_member_object (spec->json, "root", TRUE, &root, error)
      || !vp_json_member_string (root, "path", TRUE, &spec->root_path, error)
      || !vp_json_member_bool (root, "readonly", FALSE, &spec->root_readonly, error))
    return FALSE;
  if (spec->root_path[0] == '\0')
    return vp_json_set_member_error (error, root, "path", "is empty");
  return TRUE;
}

VpSpec *
vp_spec_parse (const char *text, gsize len, const char *bundle, GError **error)
{
  g_autofree char *file = g_build_filename (bundle, VP_FILE_OCI_CONFIG, NULL);
  g_autoptr (VpJson) json = vp_json_parse (text, len, file, error);
  g_autoptr (VpSpec) spec = NULL;

  if (json == NULL)
    return NULL;
  spec = spec_new (json, bundle);
  if (!vp_json_member_string (json, "ociVersion", TRUE, &spec->oci_version, error)
      || !vp_spec_check_fields (json, vp_spec_fields, error)
      || !vp_json_member_string (json, "hostname", FALSE, &spec->hostname, error) || !parse_root (spec, error)
      || !vp_spec_parse_process (spec, error) || !vp_spec_parse_mounts (spec, error)
      || !vp_spec_parse_linux (spec, error)
      || !vp_json_member_object (json, "annotations", FALSE, &spec->annotations, error))
    return NULL;
  if (!g_str_has_prefix (spec->oci_version, "1."))
    {
      vp_json_set_member_error (error, json, "ociVersion", "\"%s\" is not version 1 of the runtime spec",
                                spec->oci_version);
      return NULL;
    }
  return g_steal_pointer (&spec);
}

VpSpec *
vp_spec_load (const char *bundle, GError **error)
{
  VP_AUTO_FD bundle_fd = -1;
  VP_AUTO_FD config_fd = -1;
  VP_AUTO_FD rootfs_fd = -1;
  g_autofree char *file = NULL;
  g_autofree char *text = NULL;
  g_autoptr (VpSpec) spec = NULL;
  gsize len;

  if (!g_path_is_absolute (bundle))
    {
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "bundle \"%s\": must be an absolute path",
                   bundle);
      return NULL;
    }
  bundle_fd = vp_fd_open (bundle, O_PATH | O_DIRECTORY, "bundle", error);
  if (bundle_fd < 0)
    return NULL;
  file = g_build_filename (bundle, VP_FILE_OCI_CONFIG, NULL);
  /* not blocking, should somebody have put a fifo there */
  config_fd
      = vp_fd_open_beneath (bundle_fd, VP_FILE_OCI_CONFIG, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, file, error);
  if (config_fd < 0)
    return NULL;
  text = vp_fd_read_all (config_fd, VP_JSON_MAX_BYTES, file, &len, error);
  if (text == NULL)
    return NULL;
  spec = vp_spec_parse (text, len, bundle, error);
  if (spec == NULL)
    return NULL;
  rootfs_fd = vp_spec_open_rootfs (spec, error);
  if (rootfs_fd < 0)
    return NULL;
  vp_spec_gather (spec);
  return g_steal_pointer (&spec);
}

int
vp_spec_open_rootfs (VpSpec *spec, GError **error)
{
  g_autofree char *what = g_strdup_printf ("%s: root.path", vp_json_get_file (spec->json));
  VP_AUTO_FD bundle_fd = -1;

  if (g_path_is_absolute (spec->root_path))
    return vp_fd_open (spec->root_path, O_PATH | O_DIRECTORY, what, error);
  bundle_fd = vp_fd_open (spec->bundle, O_PATH | O_DIRECTORY, "bundle", error);
  if (bundle_fd < 0)
    return -1;
  return vp_fd_open_beneath (bundle_fd, spec->root_path, O_PATH | O_DIRECTORY, 0, what, error);
}

const char *
vp_spec_get_bundle (VpSpec *spec)
{
  return spec->bundle;
}

const char *
vp_spec_get_oci_version (VpSpec *spec)
{
  return spec->oci_version;
}

const char *
vp_spec_get_hostname (VpSpec *spec)
{
  return spec->hostname;
}

char *
vp_spec_dup_guest_hostname (VpSpec *spec)
{
  const char *hostname = spec->hostname ?: "";
  const char *end;

  if (strlen (hostname) <= VP_HOSTNAME_MAX)
    return g_strdup (hostname);
  end = g_utf8_find_prev_char (hostname, hostname + VP_HOSTNAME_MAX + 1);
  return g_strndup (hostname, (gsize)(end - hostname));
}

VpJson *
vp_spec_get_json (VpSpec *spec)
{
  return spec->json;
}

const char *
vp_spec_get_root_path (VpSpec *spec)
{
  return spec->root_path;
}

char *
vp_spec_dup_root_path (VpSpec *spec)
{
  if (g_path_is_absolute (spec->root_path))
    return g_strdup (spec->root_path);
  return g_build_filename (spec->bundle, spec->root_path, NULL);
}

gboolean
vp_spec_get_root_readonly (VpSpec *spec)
{
  return spec->root_readonly;
}

VpJson *
vp_spec_get_annotations (VpSpec *spec)
{
  return spec->annotations;
}

const char *
vp_spec_get_annotation (VpSpec *spec, const char *key)
{
  VpJson *item = spec->annotations != NULL ? vp_json_lookup (spec->annotations, key) : NULL;

  return item != NULL ? vp_json_get_string (item) : NULL;
}
