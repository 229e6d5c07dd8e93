/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-oci-state.h"

#include "vp-json-writer.h"

#define OCI_VERSION "1.0.2" /* of the state document, should there be no spec */

/* what is not in the specification of the document, for those who read runc's */
static void
add_origin (VpJsonWriter *writer, const VpOciState *state)
{
  g_autoptr (GDateTime) second = g_date_time_new_from_unix_utc (state->created_at / G_USEC_PER_SEC);
  g_autoptr (GDateTime) time
      = second != NULL ? g_date_time_add (second, state->created_at % G_USEC_PER_SEC) : NULL;
  g_autofree char *created = time != NULL ? g_date_time_format_iso8601 (time) : NULL;
  g_autofree char *rootfs = state->spec != NULL ? vp_spec_dup_root_path (state->spec) : NULL;

  if (rootfs != NULL)
    vp_json_writer_add_string (writer, "rootfs", rootfs);
  if (created != NULL)
    vp_json_writer_add_string (writer, "created", created);
}

char *
vp_oci_state_to_json (const VpOciState *state)
{
  g_autoptr (VpJsonWriter) writer = vp_json_writer_new (TRUE);
  VpJson *annotations = state->spec != NULL ? vp_spec_get_annotations (state->spec) : NULL;

  vp_json_writer_begin_object (writer, NULL);
  vp_json_writer_add_string (writer, "ociVersion",
                             state->spec != NULL ? vp_spec_get_oci_version (state->spec) : OCI_VERSION);
  vp_json_writer_add_string (writer, "id", state->id);
  vp_json_writer_add_string (writer, "status", state->status);
  if (state->pid != 0)
    vp_json_writer_add_uint (writer, "pid", state->pid);
  vp_json_writer_add_string (writer, "bundle", state->bundle);
  if (state->created_at != 0)
    add_origin (writer, state);
  if (annotations != NULL)
    vp_json_writer_add_copy (writer, "annotations", annotations);
  vp_json_writer_end_object (writer);
  return vp_json_writer_steal_text (writer, NULL);
}
