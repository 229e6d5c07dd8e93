/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-manager.h"

#include <unistd.h>

#include "vp-annotation.h"
#include "vp-error.h"
#include "vp-id.h"
#include "vp-log.h"

#define VP_ID_SHOWN 80 /* characters of an unknown id in a message */

struct _VpManager
{
  GObject parent;
  const VpServices *services;
  GHashTable *sandboxes; /* id -> VpSandbox */
  char **handlers;
  GHashTable *pending;   /* ids (sandbox and container alike) whose bundle is being read -> uid */
  gboolean closing;
  gboolean draining;
};

enum {
  SIGNAL_ADDED,
  SIGNAL_REMOVED,
  SIGNAL_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (VpManager, vp_manager, G_TYPE_OBJECT)

static void
vp_manager_finalize (GObject *object)
{
  VpManager *self = VP_MANAGER (object);

  g_strfreev (self->handlers);
  g_hash_table_unref (self->sandboxes);
  g_hash_table_unref (self->pending);
  G_OBJECT_CLASS (vp_manager_parent_class)->finalize (object);
}

static void
vp_manager_class_init (VpManagerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = vp_manager_finalize;
  signals[SIGNAL_ADDED] = g_signal_new ("sandbox-added", VP_TYPE_MANAGER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                        G_TYPE_NONE, 1, VP_TYPE_SANDBOX);
  signals[SIGNAL_REMOVED] = g_signal_new ("sandbox-removed", VP_TYPE_MANAGER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 1, VP_TYPE_SANDBOX);
  signals[SIGNAL_CHANGED]
      = g_signal_new ("changed", VP_TYPE_MANAGER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
vp_manager_init (VpManager *self)
{
  self->sandboxes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  self->pending = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static void
on_domain_stopped (VpVirt *virt, const char *name, const char *reason, gpointer user_data)
{
  VpManager *self = user_data;
  GHashTableIter iter;
  gpointer sandbox;

  g_hash_table_iter_init (&iter, self->sandboxes);
  while (g_hash_table_iter_next (&iter, NULL, &sandbox))
    if (g_str_equal (vp_sandbox_get_domain_name (sandbox), name))
      {
        vp_sandbox_domain_stopped (sandbox, reason);
        return;
      }
}

VpManager *
vp_manager_new (const VpServices *services)
{
  VpManager *self = g_object_new (VP_TYPE_MANAGER, NULL);

  self->services = services;
  self->handlers = vp_config_list_handlers (services->config);
  g_signal_connect_object (services->virt, "domain-stopped", G_CALLBACK (on_domain_stopped), self, 0);
  return self;
}

const VpServices *
vp_manager_get_services (VpManager *self)
{
  return self->services;
}

const char *const *
vp_manager_get_handlers (VpManager *self)
{
  return (const char *const *) self->handlers;
}

void
vp_manager_config_changed (VpManager *self)
{
  g_strfreev (self->handlers);
  self->handlers = vp_config_list_handlers (self->services->config);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

void
vp_manager_set_draining (VpManager *self, gboolean draining)
{
  if (self->draining == draining)
    return;
  self->draining = draining;
  vp_notice (NULL, NULL, draining ? "draining: no new sandboxes" : "new sandboxes are taken again");
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

gboolean
vp_manager_get_draining (VpManager *self)
{
  return self->draining;
}

guint
vp_manager_get_n_sandboxes (VpManager *self)
{
  return g_hash_table_size (self->sandboxes);
}

guint
vp_manager_get_n_containers (VpManager *self)
{
  GHashTableIter iter;
  gpointer sandbox;
  guint n = 0;

  g_hash_table_iter_init (&iter, self->sandboxes);
  while (g_hash_table_iter_next (&iter, NULL, &sandbox))
    n += vp_sandbox_get_containers (sandbox)->len;
  return n;
}

GList *
vp_manager_list (VpManager *self)
{
  return g_hash_table_get_values (self->sandboxes);
}

VpSandbox *
vp_manager_find_sandbox (VpManager *self, const char *id, GError **error)
{
  VpSandbox *sandbox = g_hash_table_lookup (self->sandboxes, id);

  if (sandbox == NULL)
    {
      g_autofree char *shown = g_strescape (id, NULL);
      g_set_error (error, VP_ERROR, VP_ERROR_NOT_FOUND, "sandbox \"%.*s\": does not exist", VP_ID_SHOWN, shown);
    }
  return sandbox;
}

VpSandbox *
vp_manager_find_container (VpManager *self, const char *id, VpContainer **ret_container, GError **error)
{
  g_autofree char *shown = NULL;
  GHashTableIter iter;
  gpointer sandbox;

  g_hash_table_iter_init (&iter, self->sandboxes);
  while (g_hash_table_iter_next (&iter, NULL, &sandbox))
    {
      VpContainer *container = vp_sandbox_find_container (sandbox, id);

      if (container == NULL)
        continue;
      if (ret_container != NULL)
        *ret_container = container;
      return sandbox;
    }
  shown = g_strescape (id, NULL);
  g_set_error (error, VP_ERROR, VP_ERROR_NOT_FOUND, "container \"%.*s\": does not exist", VP_ID_SHOWN, shown);
  return NULL;
}

/* ---- coming and going ---- */

static void
on_containers_changed (VpSandbox *sandbox, VpContainer *container, gpointer user_data)
{
  g_signal_emit (user_data, signals[SIGNAL_CHANGED], 0);
}

static void
on_deleted (VpSandbox *sandbox, gpointer user_data)
{
  VpManager *self = user_data;
  G_GNUC_UNUSED g_autoptr (VpSandbox) keep = g_object_ref (sandbox);

  g_signal_handlers_disconnect_by_data (sandbox, self);
  g_hash_table_remove (self->sandboxes, vp_sandbox_get_id (sandbox));
  g_signal_emit (self, signals[SIGNAL_REMOVED], 0, sandbox);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

void
vp_manager_take (VpManager *self, VpSandbox *sandbox)
{
  g_hash_table_insert (self->sandboxes, g_strdup (vp_sandbox_get_id (sandbox)), sandbox);
  g_signal_connect (sandbox, "deleted", G_CALLBACK (on_deleted), self);
  g_signal_connect (sandbox, "container-added", G_CALLBACK (on_containers_changed), self);
  g_signal_connect (sandbox, "container-removed", G_CALLBACK (on_containers_changed), self);
  g_signal_emit (self, signals[SIGNAL_ADDED], 0, sandbox);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

/* ---- create: the bundle is read on a worker, then it is decided what it is ---- */

typedef struct
{
  char *id;
  char *bundle;
  char *handler;
  char *network; /* NULL: as configured */
  GHashTable *labels;
  VpStreams *streams;
  VpMountNs *mount_ns; /* NULL: ours */
  VpSandbox *sandbox; /* to join; NULL: as the bundle says */
  guint32 owner;      /* of a new sandbox */
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_free (request->id);
  g_free (request->bundle);
  g_free (request->handler);
  g_free (request->network);
  g_clear_pointer (&request->labels, g_hash_table_unref);
  g_clear_pointer (&request->streams, vp_streams_free);
  vp_mount_ns_unref (request->mount_ns);
  g_clear_object (&request->sandbox);
  g_free (request);
}

static gboolean
check_limit (guint n, guint64 max, const char *what, GError **error)
{
  if (n < max)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_RESOURCE_EXHAUSTED, "%s: there are %u already, as many as are allowed", what,
               n);
  return FALSE;
}

/* What @owner has now and is about to get; nobody counts what root has. */
static gboolean
check_quota (VpManager *self, guint32 owner, gboolean new_sandbox, GError **error)
{
  VpConfig *config = self->services->config;
  guint sandboxes = 0, containers = 0;
  GHashTableIter iter;
  gpointer value;

  if (owner == 0 || owner == geteuid ())
    return TRUE;
  g_hash_table_iter_init (&iter, self->sandboxes);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (vp_sandbox_get_owner (value) == owner)
      {
        sandboxes++;
        containers += vp_sandbox_get_containers (value)->len;
      }
  g_hash_table_iter_init (&iter, self->pending);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (GPOINTER_TO_UINT (value) == owner)
      {
        sandboxes++;
        containers++;
      }
  return check_limit (containers, vp_config_get_uint (config, VP_CONFIG_DAEMON_MAX_CONTAINERS_PER_USER),
                      "containers of this user", error)
         && (!new_sandbox
             || check_limit (sandboxes, vp_config_get_uint (config, VP_CONFIG_DAEMON_MAX_SANDBOXES_PER_USER),
                             "sandboxes of this user", error));
}

static gboolean
check_open (VpManager *self, Request *request, GError **error)
{
  if (!self->closing)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE, "create \"%s\": the daemon is going down", request->id);
  return FALSE;
}

static gboolean
check_not_draining (VpManager *self, Request *request, GError **error)
{
  if (!self->draining)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE, "create \"%s\": the daemon is draining, it takes no new sandboxes",
               request->id);
  return FALSE;
}

static gboolean
check_request (VpManager *self, Request *request, GError **error)
{
  VpConfig *config = self->services->config;
  guint pending = g_hash_table_size (self->pending);

  if (!check_open (self, request, error))
    return FALSE;
  if (!vp_id_check (request->id, request->sandbox != NULL ? "container id" : "sandbox id", error))
    return FALSE;
  if (!g_path_is_absolute (request->bundle))
    {
      g_autofree char *shown = g_strescape (request->bundle, NULL);
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "bundle \"%s\": must be an absolute path", shown);
      return FALSE;
    }
  if (request->handler != NULL && !g_strv_contains ((const char *const *) self->handlers, request->handler))
    {
      g_autofree char *shown = g_strescape (request->handler, NULL);
      g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT, "handler \"%s\": is not configured", shown);
      return FALSE;
    }
  if (g_hash_table_contains (self->pending, request->id) || g_hash_table_contains (self->sandboxes, request->id)
      || vp_manager_find_container (self, request->id, NULL, NULL) != NULL)
    {
      g_set_error (error, VP_ERROR, VP_ERROR_ALREADY_EXISTS, "id \"%s\": is in use", request->id);
      return FALSE;
    }
  if (!check_quota (self, request->owner, request->sandbox == NULL, error))
    return FALSE;
  return check_limit (vp_manager_get_n_containers (self) + pending,
                      vp_config_get_uint (config, VP_CONFIG_DAEMON_MAX_CONTAINERS), "containers", error)
         && (request->sandbox != NULL
             || check_limit (vp_manager_get_n_sandboxes (self) + pending,
                             vp_config_get_uint (config, VP_CONFIG_DAEMON_MAX_SANDBOXES), "sandboxes", error));
}

typedef struct
{
  char *bundle;
  VpMountNs *mount_ns;
  VpSpec *spec; /* NULL: not loaded */
} Load;

static void
load_free (gpointer data)
{
  Load *load = data;

  g_free (load->bundle);
  vp_mount_ns_unref (load->mount_ns);
  vp_spec_unref (load->spec);
  g_free (load);
}

static gboolean
load_there (gpointer data, GError **error)
{
  Load *load = data;

  load->spec = vp_spec_load (load->bundle, error);
  return load->spec != NULL;
}

static void
load_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  Load *load = task_data;
  GError *error = NULL;

  if (vp_mount_ns_run (load->mount_ns, load_there, load, &error))
    g_task_return_pointer (task, g_steal_pointer (&load->spec), (GDestroyNotify) vp_spec_unref);
  else
    g_task_return_error (task, error);
}

static void
on_container_added (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (vp_sandbox_add_container_finish (VP_SANDBOX (source), result, &error) == NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

/* The sandbox a bundle belongs to: the one it was created in, the one its
 * annotations name, or (NULL without an error) one of its own. */
static gboolean
find_home (VpManager *self, Request *request, VpSpec *spec, GError **error)
{
  VpContainerType type;
  const char *sandbox_id = NULL;
  VpSandbox *sandbox;

  if (!vp_annotation_get_container_type (spec, &type, error) || !vp_annotation_get_sandbox_id (spec, &sandbox_id, error))
    return FALSE;
  if (request->sandbox != NULL)
    {
      if (type == VP_CONTAINER_CONTAINER && !g_str_equal (sandbox_id, vp_sandbox_get_id (request->sandbox)))
        {
          g_set_error (error, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                       "container \"%s\": its annotations say sandbox \"%s\", not \"%s\"", request->id, sandbox_id,
                       vp_sandbox_get_id (request->sandbox));
          return FALSE;
        }
      return TRUE;
    }
  if (type != VP_CONTAINER_CONTAINER)
    return TRUE;
  sandbox = vp_manager_find_sandbox (self, sandbox_id, error);
  g_set_object (&request->sandbox, sandbox);
  return sandbox != NULL;
}

static void
on_loaded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpManager *self = VP_MANAGER (source);
  Request *request = g_task_get_task_data (task);
  g_autoptr (VpSpec) spec = NULL;
  g_autoptr (VpSandbox) sandbox = NULL;
  g_autoptr (VpConfig) config = NULL;
  const char *handler = request->handler != NULL ? request->handler : self->handlers[0];
  GError *error = NULL;

  spec = g_task_propagate_pointer (G_TASK (result), &error);
  /* from here on it is counted, and its id taken, by the object that it becomes */
  g_hash_table_remove (self->pending, request->id);
  if (spec == NULL
      || (!vp_config_get_bool (self->services->config, VP_CONFIG_DAEMON_HOOKS)
          && !vp_spec_check_no_hooks (spec, &error))
      || !check_open (self, request, &error) || !find_home (self, request, spec, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  if (request->sandbox != NULL && request->network != NULL)
    {
      g_task_return_new_error (task, VP_ERROR, VP_ERROR_INVALID_ARGUMENT,
                               "option network: container \"%s\" joins sandbox \"%s\", whose network it has",
                               request->id, vp_sandbox_get_id (request->sandbox));
      return;
    }
  if (request->sandbox != NULL)
    {
      vp_sandbox_add_container_async (request->sandbox, request->id, spec, g_steal_pointer (&request->streams),
                                      request->mount_ns, on_container_added, g_steal_pointer (&task));
      return;
    }
  if (check_not_draining (self, request, &error))
    config = vp_config_for_handler (self->services->config, handler, &error);
  if (config != NULL)
    {
      sandbox = vp_sandbox_new (self->services, request->id, handler, config, request->labels);
      vp_sandbox_set_owner (sandbox, request->owner);
    }
  if (sandbox == NULL
      || (request->network != NULL && !vp_sandbox_set_network_model (sandbox, request->network, &error))
      || !vp_sandbox_create (sandbox, spec, g_steal_pointer (&request->streams), request->mount_ns, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  g_set_object (&request->sandbox, sandbox);
  vp_manager_take (self, g_steal_pointer (&sandbox));
  g_task_return_boolean (task, TRUE);
}

static void
begin (VpManager *self, Request *request, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;
  Load *load;

  g_task_set_task_data (task, request, request_free);
  if (!check_request (self, request, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  g_hash_table_insert (self->pending, g_strdup (request->id), GUINT_TO_POINTER (request->owner));
  load = g_new0 (Load, 1);
  load->bundle = g_strdup (request->bundle);
  load->mount_ns = request->mount_ns != NULL ? vp_mount_ns_ref (request->mount_ns) : NULL;
  vp_worker_run_async (self->services->worker, self, begin, load_in_worker, load, load_free, NULL, on_loaded,
                       g_steal_pointer (&task));
}

void
vp_manager_create_async (VpManager *self, const VpManagerCreate *create, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->id = g_strdup (create->id);
  request->bundle = g_strdup (create->bundle);
  request->handler = g_strdup (create->handler);
  request->network = g_strdup (create->network);
  request->labels = g_hash_table_ref (create->labels);
  request->streams = create->streams;
  request->mount_ns = create->mount_ns != NULL ? vp_mount_ns_ref (create->mount_ns) : NULL;
  request->owner = create->owner;
  begin (self, request, callback, user_data);
}

VpSandbox *
vp_manager_create_finish (VpManager *self, GAsyncResult *result, GError **error)
{
  Request *request = g_task_get_task_data (G_TASK (result));

  return g_task_propagate_boolean (G_TASK (result), error) ? request->sandbox : NULL;
}

void
vp_manager_create_container_async (VpManager *self, VpSandbox *sandbox, const char *id, const char *bundle,
                                   VpStreams *streams, VpMountNs *mount_ns, GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->id = g_strdup (id);
  request->bundle = g_strdup (bundle);
  request->streams = streams;
  request->mount_ns = mount_ns != NULL ? vp_mount_ns_ref (mount_ns) : NULL;
  request->sandbox = g_object_ref (sandbox);
  request->owner = vp_sandbox_get_owner (sandbox);
  begin (self, request, callback, user_data);
}

VpContainer *
vp_manager_create_container_finish (VpManager *self, GAsyncResult *result, GError **error)
{
  Request *request = g_task_get_task_data (G_TASK (result));
  VpContainer *container;

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return NULL;
  container = vp_sandbox_find_container (request->sandbox, request->id);
  if (container == NULL)
    g_set_error (error, VP_ERROR, VP_ERROR_NOT_FOUND, "container \"%s\": was deleted meanwhile", request->id);
  return container;
}

/* ---- shutdown ---- */

void
vp_manager_close (VpManager *self)
{
  self->closing = TRUE;
}

static void
on_shutdown_deleted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  guint left = GPOINTER_TO_UINT (g_task_get_task_data (task)) - 1;

  if (!vp_sandbox_delete_finish (VP_SANDBOX (source), result, &error))
    vp_warning (vp_sandbox_get_id (VP_SANDBOX (source)), NULL, "not deleted at shutdown: %s", error->message);
  g_task_set_task_data (task, GUINT_TO_POINTER (left), NULL);
  if (left == 0)
    g_task_return_boolean (task, TRUE);
}

void
vp_manager_shutdown_async (VpManager *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (GList) all = g_hash_table_get_values (self->sandboxes);

  self->closing = TRUE;
  g_task_set_task_data (task, GUINT_TO_POINTER (g_list_length (all)), NULL);
  if (all == NULL)
    g_task_return_boolean (task, TRUE);
  for (GList *l = all; l != NULL; l = l->next)
    vp_sandbox_delete_async (l->data, TRUE, on_shutdown_deleted, g_object_ref (task));
}

void
vp_manager_shutdown_finish (VpManager *self, GAsyncResult *result)
{
  (void) g_task_propagate_boolean (G_TASK (result), NULL);
}
