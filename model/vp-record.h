/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A sandbox as it is kept on disk (record.json in its directory), so that a
 * restarted daemon finds everything that was acquired for it. Version 1. What
 * the words mean is the daemon's business; here they are only kept.
 *
 * The format is ours: unknown members and a version that is not known are
 * errors, equal records give equal bytes. */

#define VP_RECORD_VERSION 1

typedef struct
{
  char *id;
  char *bundle;
  char *state;
  guint64 created_at; /* microseconds since 1970 */
} VpRecordContainer;

/* Something on the host to be given back: recorded before it is acquired. */
typedef struct
{
  char *kind; /* "domain", "directory", "mount", ... */
  char *path;
} VpRecordResource;

typedef struct
{
  char *id;
  char *handler;
  char *bundle;
  char *domain_name;
  char *domain_uuid;
  char *state;
  guint64 created_at;    /* microseconds since 1970 */
  GPtrArray *containers; /* of VpRecordContainer */
  GPtrArray *resources;  /* of VpRecordResource, in the order of acquisition */
} VpRecord;

VpRecord *vp_record_new (void);
void vp_record_free (VpRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpRecord, vp_record_free)

VpRecordContainer *vp_record_add_container (VpRecord *record, const char *id, const char *bundle,
                                            const char *state, guint64 created_at);
VpRecordResource *vp_record_add_resource (VpRecord *record, const char *kind, const char *path);

/* @file names the record in errors. InvalidArgument; NotSupported for a version of the future. */
VpRecord *vp_record_parse (const char *json, gsize len, const char *file, GError **error);
char *vp_record_to_json (const VpRecord *record, gsize *ret_len);
