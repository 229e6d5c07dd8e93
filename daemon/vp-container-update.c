/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-container-private.h"

#include <string.h>

#include "vp-error.h"
#include "vp-guest-messages.h"
#include "vp-spec-table.h"
#include "vp-spec-update.h"

/* What a container may use, and what it uses: the questions to its cgroup in the guest. */

static void
fail (GTask *task, VpVerb verb, GError *error)
{
  VpContainer *self = g_task_get_source_object (task);

  g_prefix_error (&error, "%s container \"%s\": ", vp_verb_to_string (verb), self->id);
  g_task_return_error (task, error);
}

/* ---- update ---- */

static void
on_updated (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error))
    g_task_return_boolean (task, TRUE);
  else
    fail (task, VP_VERB_CONTAINER_UPDATE, error);
}

void
vp_container_update_async (VpContainer *self, const char *resources, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (VpJson) json = NULL;
  g_autoptr (GBytes) packed = NULL;
  Grpc__UpdateContainerRequest *request = NULL;
  GError *error = NULL;

  if (!vp_container_check_verb (self, VP_VERB_CONTAINER_UPDATE, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  json = vp_spec_parse_resources (resources, strlen (resources), self->spec, &error);
  if (json == NULL || (request = vp_guest_message_update_container (self->id, json, &error)) == NULL)
    {
      fail (task, VP_VERB_CONTAINER_UPDATE, error);
      return;
    }
  packed = vp_guest_message_pack (&request->base);
  grpc__update_container_request__free_unpacked (request, NULL);
  if (vp_spec_value_is_empty (json)) /* nothing of it is the guest's */
    g_task_return_boolean (task, TRUE);
  else
    vp_agent_client_update_container_async (self->agent, packed, vp_container_get_request_timeout (), NULL,
                                            on_updated, g_steal_pointer (&task));
}

gboolean
vp_container_update_finish (VpContainer *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- statistics ---- */

static void
on_stats (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  GVariant *stats = vp_agent_client_stats_container_finish (VP_AGENT_CLIENT (source), result, &error);

  if (stats != NULL)
    g_task_return_pointer (task, stats, (GDestroyNotify) g_variant_unref);
  else
    fail (task, VP_VERB_CONTAINER_STATS, error);
}

void
vp_container_stats_async (VpContainer *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;

  if (vp_container_check_verb (self, VP_VERB_CONTAINER_STATS, &error))
    vp_agent_client_stats_container_async (self->agent, self->id, vp_container_get_request_timeout (), NULL, on_stats,
                                           g_steal_pointer (&task));
  else
    g_task_return_error (task, error);
}

GVariant *
vp_container_stats_finish (VpContainer *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* ---- pids ---- */

static void
on_pids (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  GArray *pids = vp_agent_client_list_pids_finish (VP_AGENT_CLIENT (source), result, &error);

  if (pids != NULL)
    {
      g_task_return_pointer (task, pids, (GDestroyNotify) g_array_unref);
      return;
    }
  /* agents that have no such log say so in their own ways */
  if (vp_error_is (error, VP_ERROR_INVALID_ARGUMENT))
    error->code = VP_ERROR_NOT_SUPPORTED;
  fail (task, VP_VERB_CONTAINER_PIDS, error);
}

void
vp_container_list_pids_async (VpContainer *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;

  if (vp_container_check_verb (self, VP_VERB_CONTAINER_PIDS, &error))
    vp_agent_client_list_pids_async (self->agent, self->id, vp_container_get_request_timeout (), NULL, on_pids,
                                     g_steal_pointer (&task));
  else
    g_task_return_error (task, error);
}

GArray *
vp_container_list_pids_finish (VpContainer *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
