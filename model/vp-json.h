/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* JSON from outside as an immutable tree. Parsing is strict and bounded before
 * any tree is built: RFC 8259 grammar, VP_JSON_MAX_BYTES, VP_JSON_MAX_DEPTH,
 * VP_JSON_MAX_VALUES, valid UTF-8, no duplicate member names, no \u0000, no
 * unpaired surrogates, integers within 64 bits.
 *
 * A VpJson is a node. Nodes belong to their document: a reference on any node
 * keeps the whole document, and child nodes returned here are borrowed from it.
 * Safe to use from several threads (nothing changes after parsing).
 *
 * Every error is InvalidArgument with the message "FILE: PATH: what is wrong",
 * PATH as in "process.args[2]". */

#define VP_JSON_MAX_VALUES (1u << 18)

typedef enum
{
  VP_JSON_NULL,
  VP_JSON_BOOL,
  VP_JSON_INT,    /* a number without fraction and exponent */
  VP_JSON_DOUBLE, /* any other number */
  VP_JSON_STRING,
  VP_JSON_ARRAY,
  VP_JSON_OBJECT,
} VpJsonType;

typedef struct _VpJson VpJson;

/* @file names the document in errors, e.g. "/bundle/config.json". @text need not end with NUL. */
VpJson *vp_json_parse (const char *text, gsize len, const char *file, GError **error);

VpJson *vp_json_ref (VpJson *node);
void vp_json_unref (VpJson *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpJson, vp_json_unref)

VpJsonType vp_json_get_type (VpJson *node);
const char *vp_json_type_name (VpJsonType type); /* "a string", for messages */

/* "process.args[2]"; "(top)" for the document itself. */
char *vp_json_dup_path (VpJson *node);
const char *vp_json_get_file (VpJson *node);

/* Members of an object or elements of an array, in document order; 0 for the rest. */
guint vp_json_get_n_items (VpJson *node);
VpJson *vp_json_get_item (VpJson *node, guint index);
/* Name of this node within its object; NULL in an array and at the top. */
const char *vp_json_get_name (VpJson *node);
/* The object or array this node is in; NULL at the top. */
VpJson *vp_json_get_parent (VpJson *node);
/* Member of an object, NULL when there is none or when @node is no object. */
VpJson *vp_json_lookup (VpJson *node, const char *name);

/* Value of a node of that type; NULL, FALSE and 0 for other types. */
const char *vp_json_get_string (VpJson *node);
gboolean vp_json_get_bool (VpJson *node);
double vp_json_get_double (VpJson *node);
/* FALSE when the node is no integer or does not fit. */
gboolean vp_json_get_int64 (VpJson *node, gint64 *ret);
gboolean vp_json_get_uint64 (VpJson *node, guint64 *ret);

/* Typed members. A missing member and one that is null are the same thing:
 * with @required an error, else TRUE and @ret untouched. Results are borrowed
 * from the document. */
gboolean vp_json_member_string (VpJson *object, const char *name, gboolean required, const char **ret,
                                GError **error);
gboolean vp_json_member_bool (VpJson *object, const char *name, gboolean required, gboolean *ret,
                              GError **error);
gboolean vp_json_member_int (VpJson *object, const char *name, gboolean required, gint64 min, gint64 max,
                             gint64 *ret, GError **error);
gboolean vp_json_member_uint (VpJson *object, const char *name, gboolean required, guint64 max, guint64 *ret,
                              GError **error);
gboolean vp_json_member_object (VpJson *object, const char *name, gboolean required, VpJson **ret,
                                GError **error);
gboolean vp_json_member_array (VpJson *object, const char *name, gboolean required, VpJson **ret,
                               GError **error);
/* Array of strings as a new NULL-terminated vector; missing: an empty one when not @required. */
gboolean vp_json_member_strv (VpJson *object, const char *name, gboolean required, char ***ret,
                              GError **error);

/* Refuses members of @object that are not in the NULL-terminated @names. For
 * documents of our own; foreign ones may have what they like. */
gboolean vp_json_check_members (VpJson *object, const char *const *names, GError **error);

/* Sets @error to InvalidArgument "FILE: PATH: message" and returns FALSE. */
gboolean vp_json_set_error (GError **error, VpJson *node, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* The same for a member that need not exist. */
gboolean vp_json_set_member_error (GError **error, VpJson *object, const char *name, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
