/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-agent-client.h"

#include "vp-agent-client-private.h"
#include "vp-error.h"

/* From a socket that may not be there yet to an agent that serves. */

/* how often a new agent is asked whether it serves already */
#define CHECK_AGAIN_MS 100

static void check_serves (GTask *task);

/* Takes @task and @error; NULL: it serves. */
static void
finish (GTask *task, GError *error)
{
  g_autoptr (GTask) opening = task;
  VpAgentClient *self = g_task_get_source_object (task);

  if (error == NULL)
    {
      vp_agent_client_set_open (self);
      g_task_return_boolean (opening, TRUE);
      return;
    }
  vp_agent_conn_close (vp_agent_client_get_conn (self));
  g_task_return_error (opening, error);
}

static gboolean
on_check_again (gpointer user_data)
{
  check_serves (user_data);
  return G_SOURCE_REMOVE;
}

static void
on_checked (GObject *object, GAsyncResult *result, gpointer user_data)
{
  VpAgentClient *self = VP_AGENT_CLIENT (object);
  GTask *task = user_data;
  g_autoptr (GError) error = NULL;

  if (!vp_agent_client_empty_finish (self, result, &error) && vp_error_is (error, VP_ERROR_AGENT_UNAVAILABLE)
      && vp_agent_conn_is_open (vp_agent_client_get_conn (self)))
    {
      g_autoptr (GSource) again = g_timeout_source_new (CHECK_AGAIN_MS);

      /* the channel is fine but the agent is still starting */
      g_source_set_callback (again, on_check_again, task, NULL);
      g_source_attach (again, g_task_get_context (task));
      return;
    }
  finish (task, g_steal_pointer (&error));
}

/* Takes @task. */
static void
check_serves (GTask *task)
{
  VpAgentClient *self = g_task_get_source_object (task);
  const gint64 *deadline = g_task_get_task_data (task);
  guint timeout_ms = 0;

  if (*deadline != 0)
    {
      gint64 left = (*deadline - g_get_monotonic_time ()) / 1000;

      if (left <= 0)
        {
          finish (task, g_error_new (VP_ERROR, VP_ERROR_TIMED_OUT, "Check: the agent does not serve"));
          return;
        }
      timeout_ms = (guint) left;
    }
  vp_agent_client_check_async (self, timeout_ms, g_task_get_cancellable (task), on_checked, task);
}

static void
on_conn_opened (GObject *object, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;

  if (vp_agent_conn_open_finish (VP_AGENT_CONN (object), result, &error))
    {
      check_serves (user_data);
      return;
    }
  g_task_return_error (user_data, error);
  g_object_unref (user_data);
}

void
vp_agent_client_open_async (VpAgentClient *self, guint timeout_ms, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  gint64 *deadline = g_new0 (gint64, 1);

  if (timeout_ms != 0)
    *deadline = g_get_monotonic_time () + (gint64) timeout_ms * 1000;
  g_task_set_source_tag (task, vp_agent_client_open_async);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, deadline, g_free);
  vp_agent_conn_open_async (vp_agent_client_get_conn (self), timeout_ms, cancellable, on_conn_opened, task);
}

gboolean
vp_agent_client_open_finish (VpAgentClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}
