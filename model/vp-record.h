/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A sandbox as it is kept on disk (record.json in its directory), so that a
 * restarted daemon finds everything that was acquired for it and goes on with
 * it. What the words mean is the daemon's business; here they are only kept.
 * docs/store.md lists the members.
 *
 * The format is ours: unknown members and a version that is not known are
 * errors, equal records give equal bytes. Version 2 is written; version 1, which
 * told only what to clean up, is read: what it does not say is NULL, 0 or empty. */

#define VP_RECORD_VERSION 2

typedef struct
{
  char *name;
  char *value;
} VpRecordLabel;

#define VP_RECORD_N_STREAMS 3
#define VP_RECORD_STREAM_FD "fd" /* a descriptor that somebody passed */

typedef struct
{
  char *exec_id; /* "": the container's first */
  char *state;
  gboolean terminal;
  guint exit_status;
  guint64 exited_at;                  /* microseconds since 1970, 0: not yet */
  guint standin_pid;                  /* of who stands for it on the host, 0: nobody */
  guint64 standin_start;              /* when that was started, in clock ticks since the boot */
  char *streams[VP_RECORD_N_STREAMS]; /* absolute path, VP_RECORD_STREAM_FD, or NULL: bound to nothing */
} VpRecordProcess;

typedef struct
{
  char *id;
  char *bundle;
  char *state;
  guint64 created_at; /* microseconds since 1970, like the others */
  guint64 started_at;
  gboolean hooked; /* hooks for its end are due */
  gboolean foreign_paths; /* its spec's paths are of another mount namespace */
  gboolean oom_killed;
  GPtrArray *processes; /* of VpRecordProcess, the first one is the container's own; version 1: none */
} VpRecordContainer;

/* Something on the host to be given back: recorded before it is acquired. */
typedef struct
{
  char *kind; /* "domain", "share", ... */
  char *path;
} VpRecordResource;

/* How its running machine is reached. NULL: not planned yet. */
typedef struct
{
  char *transport; /* of the agent: "serial", "vsock" */
  char *agent_path;
  char *console_path;
  char *console_log;
  guint64 console_max_bytes;
  char *accelerator; /* what it was planned with */
  guint vcpus;
  guint64 memory; /* bytes */
  char *xml;
} VpRecordMachine;

typedef struct
{
  char *id;
  char *handler;
  char *bundle;
  char *domain_name;
  char *domain_uuid;
  char *state;
  char *network;     /* the model it was created with; NULL: the configured one */
  char *exit_reason; /* while it is stopping: what it will be */
  guint exit_status;
  guint64 created_at; /* microseconds since 1970, like the others */
  guint64 started_at;
  guint64 exited_at;
  guint owner; /* user who made it; G_MAXUINT: not known */
  VpRecordMachine machine;
  GPtrArray *labels;     /* of VpRecordLabel */
  GPtrArray *containers; /* of VpRecordContainer */
  GPtrArray *resources;  /* of VpRecordResource, in the order of acquisition */
} VpRecord;

VpRecord *vp_record_new (void);
void vp_record_free (VpRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VpRecord, vp_record_free)

void vp_record_add_label (VpRecord *record, const char *name, const char *value);
VpRecordContainer *vp_record_add_container (VpRecord *record, const char *id, const char *bundle,
                                            const char *state, guint64 created_at);
VpRecordProcess *vp_record_add_process (VpRecordContainer *container, const char *exec_id, const char *state);
VpRecordResource *vp_record_add_resource (VpRecord *record, const char *kind, const char *path);

/* @file names the record in errors. InvalidArgument; NotSupported for a version of the future. */
VpRecord *vp_record_parse (const char *json, gsize len, const char *file, GError **error);
char *vp_record_to_json (const VpRecord *record, gsize *ret_len);
