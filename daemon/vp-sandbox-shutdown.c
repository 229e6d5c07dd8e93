/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-failpoint.h"
#include "vp-log.h"
#include "vp-source.h"

/* Between the agent and the end by force: a guest whose agent did not agree to
 * end is asked as one asks a machine, by its power button, for as long as there is
 * grace left. Guests that do not listen to it cost that much and no more. */

typedef struct
{
  VpSandbox *self;
  gulong stopped;
  guint timer;
  GSource *hurry;
} Asking;

static void
asking_free (gpointer data)
{
  Asking *asking = data;

  g_signal_handler_disconnect (asking->self->services->virt, asking->stopped);
  g_clear_handle_id (&asking->timer, g_source_remove);
  vp_source_end (asking->hurry);
  g_free (asking);
}

/* Once; what comes later finds nothing. */
static void
answer (GTask *task)
{
  g_task_set_task_data (task, NULL, NULL);
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static void
on_domain_stopped (VpVirt *virt, const char *name, const char *reason, gpointer user_data)
{
  VpSandbox *self = g_task_get_source_object (user_data);

  if (g_str_equal (name, self->domain_name))
    answer (user_data);
}

static gboolean
on_grace_over (gpointer user_data)
{
  Asking *asking = g_task_get_task_data (user_data);

  asking->timer = 0;
  answer (user_data);
  return G_SOURCE_REMOVE;
}

static gboolean
on_hurry (GCancellable *cancellable, gpointer user_data)
{
  answer (user_data);
  return G_SOURCE_REMOVE;
}

static void
on_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandbox *self = g_task_get_source_object (task);
  g_autoptr (GError) error = NULL;

  VP_FAILPOINT_ONLY ("sandbox.shutdown.after");
  if (vp_virt_shutdown_finish (VP_VIRT (source), result, &error) || g_task_get_task_data (task) == NULL)
    return;
  vp_info (self->id, NULL, "not asked to shut down: %s", error->message);
  answer (task);
}

void
vp_sandbox_shutdown_async (VpSandbox *self, guint grace_ms, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  Asking *asking = g_new0 (Asking, 1);

  VP_FAILPOINT_ONLY ("sandbox.shutdown.before");
  asking->self = self;
  g_task_set_task_data (task, asking, asking_free);
  asking->stopped = g_signal_connect (self->services->virt, "domain-stopped", G_CALLBACK (on_domain_stopped), task);
  asking->timer = g_timeout_add (grace_ms, on_grace_over, task);
  asking->hurry = g_cancellable_source_new (self->end.asking);
  g_source_set_callback (asking->hurry, G_SOURCE_FUNC (on_hurry), task, NULL);
  g_source_attach (asking->hurry, NULL);
  vp_virt_shutdown_async (self->services->virt, self->domain_name, NULL, on_asked, g_object_ref (task));
}

void
vp_sandbox_shutdown_finish (VpSandbox *self, GAsyncResult *result)
{
  (void) g_task_propagate_boolean (G_TASK (result), NULL);
}
