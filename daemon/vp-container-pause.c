/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-container-private.h"

#include "vp-error.h"
#include "vp-log.h"

/* Freezing the processes of a container, and letting them go on. */

static const struct {
  VpVerb verb;
  VpContainerState from, to;
  const char *doing;
} changes[] = {
  { VP_VERB_CONTAINER_PAUSE, VP_CONTAINER_RUNNING, VP_CONTAINER_PAUSED, "paused" },
  { VP_VERB_CONTAINER_RESUME, VP_CONTAINER_PAUSED, VP_CONTAINER_RUNNING, "resumed" },
};

static void
on_changed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpContainer *self = g_task_get_source_object (task);
  gboolean resume = GPOINTER_TO_INT (g_task_get_task_data (task));
  GError *error = NULL;

  self->changing = FALSE;
  if (vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error)
      && self->place->container != changes[resume].from)
    g_set_error (&error, VP_ERROR, VP_ERROR_INVALID_STATE, "it is %s",
                 vp_container_state_to_string (self->place->container));
  if (error != NULL)
    {
      g_prefix_error (&error, "%s container \"%s\": ", vp_verb_to_string (changes[resume].verb), self->id);
      g_task_return_error (task, error);
      return;
    }
  vp_container_set_state (self, changes[resume].to);
  g_task_return_boolean (task, TRUE);
}

static void
change (VpContainer *self, gboolean resume, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;

  g_task_set_task_data (task, GINT_TO_POINTER (resume), NULL);
  if (!vp_container_check_verb (self, changes[resume].verb, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  if (self->changing)
    {
      g_task_return_new_error (task, VP_ERROR, VP_ERROR_INVALID_STATE, "%s container \"%s\": it is being %s",
                               vp_verb_to_string (changes[resume].verb), self->id, changes[resume].doing);
      return;
    }
  self->changing = TRUE;
  if (resume)
    vp_agent_client_resume_container_async (self->agent, self->id, vp_container_get_request_timeout (), NULL,
                                            on_changed, g_steal_pointer (&task));
  else
    vp_agent_client_pause_container_async (self->agent, self->id, vp_container_get_request_timeout (), NULL,
                                           on_changed, g_steal_pointer (&task));
}

void
vp_container_pause_async (VpContainer *self, GAsyncReadyCallback callback, gpointer user_data)
{
  change (self, FALSE, callback, user_data);
}

void
vp_container_resume_async (VpContainer *self, GAsyncReadyCallback callback, gpointer user_data)
{
  change (self, TRUE, callback, user_data);
}

gboolean
vp_container_pause_finish (VpContainer *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
