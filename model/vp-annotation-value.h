/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "vp-annotation-table.h"
#include "vp-facts.h"

/* What is in an annotation, before it is known whether it may be used. Errors
 * are without a prefix: InvalidArgument for what is not of the row's type or
 * range, NotSupported for a word that cannot be had. */

/* @ret_text is what the row's key is set to, without its unit; for other
 * actions the value in one spelling. NULL when the value asks for nothing.
 * @facts may be NULL: limits of the host are not looked at. */
gboolean vp_annotation_parse_value (const VpAnnotationRow *row, const char *value, const VpFactsInit *facts,
                                    char **ret_text, GError **error);

/* Parameters of a kernel in one spelling, each behind one blank. *ret stays as it
 * is when there are none. */
gboolean vp_annotation_parse_params (const char *value, char **ret, GError **error);

/* @base with the kernel parameters of @more behind it; of @base those are left
 * out that @more has too, whatever their values. "-" and "_" in a name are the
 * same to the kernel. */
char *vp_annotation_merge_params (const char *base, const char *more);

/* One option of virtiofsd that libvirt has a place for. */
typedef struct
{
  VpConfigKey key;
  char *text;
} VpAnnotationArgument;

/* Of VpAnnotationArgument, in their order. NotSupported names the first that
 * libvirt has no place for. */
GPtrArray *vp_annotation_parse_arguments (const char *value, GError **error);
