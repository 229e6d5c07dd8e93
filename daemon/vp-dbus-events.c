/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-dbus.h"

#include "vp-dbus-verbs.h"

/* Manager1.SandboxEvent: what the signals of the objects below tell, as one
 * stream. States are compared with those that were told last, as "changed" is
 * emitted for many things. */

#define TOLD "told-states" /* of a skeleton: object -> state + 1 */

static void
emit (VpDBusManager1 *skeleton, const char *sandbox_id, const char *event, const char *container_id,
      GVariantDict *details)
{
  g_autofree char *path = vp_dbus_path_sandbox (sandbox_id);

  g_variant_dict_insert (details, "id", "s", sandbox_id);
  g_variant_dict_insert (details, "time", "t", (guint64) g_get_real_time ());
  if (container_id != NULL)
    g_variant_dict_insert (details, "container", "s", container_id);
  vp_dbus_manager1_emit_sandbox_event (skeleton, path, event, g_variant_dict_end (details));
}

static const char *
sandbox_of (VpContainer *container)
{
  return g_object_get_data (G_OBJECT (container), "sandbox-id");
}

/* TRUE when @state is another than was told; it has been then. */
static gboolean
is_news (VpDBusManager1 *skeleton, gpointer object, guint state, guint *ret_before)
{
  GHashTable *told = g_object_get_data (G_OBJECT (skeleton), TOLD);
  guint before = GPOINTER_TO_UINT (g_hash_table_lookup (told, object));

  *ret_before = before - 1;
  if (before == state + 1)
    return FALSE;
  g_hash_table_replace (told, object, GUINT_TO_POINTER (state + 1));
  return before != 0;
}

static void
forget (VpDBusManager1 *skeleton, gpointer object)
{
  g_signal_handlers_disconnect_by_data (object, skeleton);
  g_hash_table_remove (g_object_get_data (G_OBJECT (skeleton), TOLD), object);
}

/* ---- containers ---- */

static void
on_container_changed (VpContainer *container, VpDBusManager1 *skeleton)
{
  VpContainerState state = vp_container_get_state (container);
  const char *event = NULL;
  GVariantDict details;
  guint before;

  if (!is_news (skeleton, container, state, &before))
    return;
  if (state == VP_CONTAINER_PAUSED)
    event = "container-paused";
  else if (state == VP_CONTAINER_RUNNING)
    event = before == VP_CONTAINER_PAUSED ? "container-resumed" : "container-started";
  if (event == NULL)
    return;
  g_variant_dict_init (&details, NULL);
  emit (skeleton, sandbox_of (container), event, vp_container_get_id (container), &details);
}

static void
on_exited (VpContainer *container, VpProcess *process, VpDBusManager1 *skeleton)
{
  const char *exec_id = vp_process_get_exec_id (process);
  GVariantDict details;

  g_variant_dict_init (&details, NULL);
  g_variant_dict_insert (&details, "exit-status", "u", vp_process_get_exit_status (process));
  if (*exec_id != '\0')
    g_variant_dict_insert (&details, "exec-id", "s", exec_id);
  emit (skeleton, sandbox_of (container), *exec_id != '\0' ? "exec-exited" : "container-exited",
        vp_container_get_id (container), &details);
}

static void
watch_container (VpSandbox *sandbox, VpContainer *container, VpDBusManager1 *skeleton)
{
  guint before;

  if (sandbox_of (container) == NULL)
    g_object_set_data_full (G_OBJECT (container), "sandbox-id", g_strdup (vp_sandbox_get_id (sandbox)), g_free);
  (void) is_news (skeleton, container, vp_container_get_state (container), &before);
  g_signal_connect_object (container, "changed", G_CALLBACK (on_container_changed), skeleton, 0);
  g_signal_connect_object (container, "exited", G_CALLBACK (on_exited), skeleton, 0);
}

static void
on_container_added (VpSandbox *sandbox, VpContainer *container, VpDBusManager1 *skeleton)
{
  GVariantDict details;

  watch_container (sandbox, container, skeleton);
  g_variant_dict_init (&details, NULL);
  emit (skeleton, vp_sandbox_get_id (sandbox), "container-created", vp_container_get_id (container), &details);
}

static void
on_container_removed (VpSandbox *sandbox, VpContainer *container, VpDBusManager1 *skeleton)
{
  GVariantDict details;

  forget (skeleton, container);
  g_variant_dict_init (&details, NULL);
  emit (skeleton, vp_sandbox_get_id (sandbox), "container-deleted", vp_container_get_id (container), &details);
}

/* ---- sandboxes ---- */

static void
on_sandbox_changed (VpSandbox *sandbox, VpDBusManager1 *skeleton)
{
  VpSandboxState state = vp_sandbox_get_state (sandbox);
  const char *event = vp_sandbox_state_to_string (state);
  GVariantDict details;
  guint before;

  if (!is_news (skeleton, sandbox, state, &before) || state == VP_SANDBOX_CREATED)
    return;
  if (state == VP_SANDBOX_READY && before == VP_SANDBOX_PAUSED)
    event = "resumed";
  g_variant_dict_init (&details, NULL);
  if (vp_sandbox_state_is_end (state))
    {
      g_variant_dict_insert (&details, "reason", "s", vp_sandbox_get_exit_reason (sandbox));
      g_variant_dict_insert (&details, "exit-status", "u", vp_sandbox_get_exit_status (sandbox));
    }
  emit (skeleton, vp_sandbox_get_id (sandbox), event, NULL, &details);
}

static void
on_oom (VpSandbox *sandbox, VpContainer *container, VpDBusManager1 *skeleton)
{
  GVariantDict details;

  g_variant_dict_init (&details, NULL);
  emit (skeleton, vp_sandbox_get_id (sandbox), "oom", vp_container_get_id (container), &details);
}

static void
watch_sandbox (VpSandbox *sandbox, VpDBusManager1 *skeleton)
{
  GPtrArray *containers = vp_sandbox_get_containers (sandbox);
  guint before;

  (void) is_news (skeleton, sandbox, vp_sandbox_get_state (sandbox), &before);
  for (guint i = 0; i < containers->len; i++)
    watch_container (sandbox, containers->pdata[i], skeleton);
  g_signal_connect_object (sandbox, "changed", G_CALLBACK (on_sandbox_changed), skeleton, 0);
  g_signal_connect_object (sandbox, "oom", G_CALLBACK (on_oom), skeleton, 0);
  g_signal_connect_object (sandbox, "container-added", G_CALLBACK (on_container_added), skeleton, 0);
  g_signal_connect_object (sandbox, "container-removed", G_CALLBACK (on_container_removed), skeleton, 0);
}

static void
on_sandbox_added (VpManager *manager, VpSandbox *sandbox, VpDBusManager1 *skeleton)
{
  GPtrArray *containers = vp_sandbox_get_containers (sandbox);
  GVariantDict details;

  watch_sandbox (sandbox, skeleton);
  g_variant_dict_init (&details, NULL);
  emit (skeleton, vp_sandbox_get_id (sandbox), "created", NULL, &details);
  for (guint i = 0; i < containers->len; i++)
    {
      g_variant_dict_init (&details, NULL);
      emit (skeleton, vp_sandbox_get_id (sandbox), "container-created", vp_container_get_id (containers->pdata[i]),
            &details);
    }
}

static void
on_sandbox_removed (VpManager *manager, VpSandbox *sandbox, VpDBusManager1 *skeleton)
{
  GVariantDict details;

  forget (skeleton, sandbox);
  g_variant_dict_init (&details, NULL);
  emit (skeleton, vp_sandbox_get_id (sandbox), "deleted", NULL, &details);
}

void
vp_dbus_watch_events (VpDBusManager1 *skeleton, VpManager *manager)
{
  g_autoptr (GList) all = vp_manager_list (manager);

  g_object_set_data_full (G_OBJECT (skeleton), TOLD, g_hash_table_new (NULL, NULL), (GDestroyNotify) g_hash_table_unref);
  for (GList *l = all; l != NULL; l = l->next)
    watch_sandbox (l->data, skeleton);
  g_signal_connect_object (manager, "sandbox-added", G_CALLBACK (on_sandbox_added), skeleton, 0);
  g_signal_connect_object (manager, "sandbox-removed", G_CALLBACK (on_sandbox_removed), skeleton, 0);
}
