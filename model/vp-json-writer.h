/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-json.h"

/* Makes JSON text, or a new document out of parts of old ones. Members come
 * out in the order they are added, so equal calls give equal bytes. Within an
 * array and for the top value @name is NULL. Strings must be valid UTF-8
 * (anything else is a programming error). */
typedef struct _VpJsonWriter VpJsonWriter;

VpJsonWriter *vp_json_writer_new (gboolean pretty);
void vp_json_writer_free (VpJsonWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpJsonWriter, vp_json_writer_free)

void vp_json_writer_begin_object (VpJsonWriter *writer, const char *name);
void vp_json_writer_end_object (VpJsonWriter *writer);
void vp_json_writer_begin_array (VpJsonWriter *writer, const char *name);
void vp_json_writer_end_array (VpJsonWriter *writer);
void vp_json_writer_add_string (VpJsonWriter *writer, const char *name, const char *value);
void vp_json_writer_add_strv (VpJsonWriter *writer, const char *name, const char *const *values);
void vp_json_writer_add_int (VpJsonWriter *writer, const char *name, gint64 value);
void vp_json_writer_add_uint (VpJsonWriter *writer, const char *name, guint64 value);
void vp_json_writer_add_bool (VpJsonWriter *writer, const char *name, gboolean value);
/* Copies @node and all below it. */
void vp_json_writer_add_copy (VpJsonWriter *writer, const char *name, VpJson *node);

/* The finished text, newline at its end when pretty; the writer is empty afterwards. */
char *vp_json_writer_steal_text (VpJsonWriter *writer, gsize *ret_len);
/* The finished text parsed again; @file as in vp_json_parse(). */
VpJson *vp_json_writer_to_json (VpJsonWriter *writer, const char *file, GError **error);

/* Text of a node and all below it. */
char *vp_json_to_text (VpJson *node, gboolean pretty, gsize *ret_len);
