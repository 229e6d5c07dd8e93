/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "vp-sandbox.h"

/* All sandboxes of the host: ids, limits, coming and going.
 *
 * Main thread. Signals: "sandbox-added" (VpSandbox *), "sandbox-removed"
 * (VpSandbox *), "changed" () when a count, the handlers or the draining are new. */
#define VP_TYPE_MANAGER (vp_manager_get_type ())
G_DECLARE_FINAL_TYPE (VpManager, vp_manager, VP, MANAGER, GObject)

/* @services outlives the manager. */
VpManager *vp_manager_new (const VpServices *services);

const VpServices *vp_manager_get_services (VpManager *self);

guint vp_manager_get_n_sandboxes (VpManager *self);
guint vp_manager_get_n_containers (VpManager *self);

/* Borrowed list (transfer container) in no order. */
GList *vp_manager_list (VpManager *self);

/* NotFound naming the id. Borrowed. */
VpSandbox *vp_manager_find_sandbox (VpManager *self, const char *id, GError **error);
VpSandbox *vp_manager_find_container (VpManager *self, const char *id, VpContainer **ret_container, GError **error);

/* Names that the handler of vp_manager_create_async () may have; NULL-terminated. */
const char *const *vp_manager_get_handlers (VpManager *self);

/* Makes a sandbox that an earlier daemon left known again; takes it. */
void vp_manager_take (VpManager *self, VpSandbox *sandbox);

typedef struct
{
  const char *id;
  const char *bundle;
  const char *handler; /* NULL: the default one */
  const char *network; /* network.model of this one; NULL: as configured */
  GHashTable *labels;
  VpStreams *streams; /* taken */
  VpMountNs *mount_ns; /* where its paths are; NULL: here */
  guint32 owner;      /* the user who wants it, whose quota it counts for */
} VpManagerCreate;

/* What Manager1.CreateSandbox () does. The sandbox is borrowed. */
void vp_manager_create_async (VpManager *self, const VpManagerCreate *create, GAsyncReadyCallback callback,
                              gpointer user_data);
VpSandbox *vp_manager_create_finish (VpManager *self, GAsyncResult *result, GError **error);

/* While draining, no sandbox is made; what there is goes on. */
void vp_manager_set_draining (VpManager *self, gboolean draining);
gboolean vp_manager_get_draining (VpManager *self);

/* The configuration among the services is another one. */
void vp_manager_config_changed (VpManager *self);

/* What Sandbox1.CreateContainer () does. Takes @streams. @mount_ns: where its paths are, NULL: here.
 * The container is borrowed. */
void vp_manager_create_container_async (VpManager *self, VpSandbox *sandbox, const char *id, const char *bundle,
                                        VpStreams *streams, VpMountNs *mount_ns, GAsyncReadyCallback callback,
                                        gpointer user_data);
VpContainer *vp_manager_create_container_finish (VpManager *self, GAsyncResult *result, GError **error);

/* What Manager1.Explain () does: nothing is made. @id, @handler: NULL for any
 * fitting one and the default; @format: a word of vp_explain_format_from_string (). */
void vp_manager_explain_async (VpManager *self, const char *bundle, const char *id, const char *handler,
                               const char *format, GAsyncReadyCallback callback, gpointer user_data);
char *vp_manager_explain_finish (VpManager *self, GAsyncResult *result, GError **error);

typedef struct
{
  VpSandbox *sandbox;
  GVariant *stats;      /* as Sandbox1.GetStats (); NULL with @error */
  GVariant *containers; /* a{sv}: container id -> its own */
  GError *error;        /* the guest did not tell */
} VpManagerStats;
void vp_manager_stats_free (VpManagerStats *self);

/* Of the sandboxes that are ready among @ids (NULL: of all), asked at the same
 * time: array of VpManagerStats, the caller's. NotFound for an id. */
void vp_manager_stats_async (VpManager *self, const char *const *ids, GAsyncReadyCallback callback, gpointer user_data);
GPtrArray *vp_manager_stats_finish (VpManager *self, GAsyncResult *result, GError **error);

typedef struct
{
  gboolean is_sandbox; /* else a container */
  char *id;
} VpManagerPruned;
void vp_manager_pruned_free (VpManagerPruned *self);

/* Deletes what has ended @older_than microseconds ago or before: array of
 * VpManagerPruned, the caller's. What cannot be deleted is not in it, and logged. */
void vp_manager_prune_async (VpManager *self, guint64 older_than, gboolean dry_run, GAsyncReadyCallback callback,
                             gpointer user_data);
GPtrArray *vp_manager_prune_finish (VpManager *self, GAsyncResult *result);

/* New sandboxes are refused from here on. */
void vp_manager_close (VpManager *self);

/* The same, and deletes every sandbox, running or not; finishes when none is left
 * or cannot be deleted (that is logged). */
void vp_manager_shutdown_async (VpManager *self, GAsyncReadyCallback callback, gpointer user_data);
void vp_manager_shutdown_finish (VpManager *self, GAsyncResult *result);
