/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include <string.h>
#include <sys/random.h>

#include "vp-error.h"
#include "vp-log.h"

/* Stopping the processors of the virtual machine and letting them run on; and
 * what a guest cannot know by itself after that, or after it has booted. */

#define SEED_BYTES 64 /* more than the kernel's pool can hold of entropy */

/* ---- time and entropy ---- */

/* Neither is worth a failure: the guest has a clock and a random device of its
 * own, and agents need not know the calls. */
static void
on_refreshed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VpSandbox) self = user_data;
  g_autoptr (GError) error = NULL;

  if (!vp_agent_client_empty_finish (VP_AGENT_CLIENT (source), result, &error)
      && !vp_error_is (error, VP_ERROR_NOT_SUPPORTED) && !vp_error_is (error, VP_ERROR_AGENT_UNAVAILABLE))
    vp_warning (self->id, NULL, "guest not refreshed: %s", error->message);
}

void
vp_sandbox_refresh_guest (VpSandbox *self)
{
  guint timeout = (guint) vp_config_get_uint (self->config, VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS);
  guint8 seed[SEED_BYTES];
  g_autoptr (GBytes) bytes = NULL;

  vp_agent_client_set_date_time_async (self->machine.agent, g_get_real_time (), timeout, NULL, on_refreshed,
                                       g_object_ref (self));
  if (getrandom (seed, sizeof seed, GRND_NONBLOCK) != (ssize_t) sizeof seed)
    return;
  bytes = g_bytes_new (seed, sizeof seed);
  explicit_bzero (seed, sizeof seed);
  vp_agent_client_reseed_random_async (self->machine.agent, bytes, timeout, NULL, on_refreshed, g_object_ref (self));
}

/* ---- pause ---- */

static gboolean
check (VpSandbox *self, VpVerb verb, const char *doing, GError **error)
{
  if (!vp_sandbox_check_verb (self, verb, error))
    return FALSE;
  if (!self->changing)
    return TRUE;
  g_set_error (error, VP_ERROR, VP_ERROR_INVALID_STATE, "%s sandbox \"%s\": it is being %s", vp_verb_to_string (verb),
               self->id, doing);
  return FALSE;
}

static void
fail (GTask *task, VpVerb verb, GError *error)
{
  VpSandbox *self = g_task_get_source_object (task);

  g_prefix_error (&error, "%s sandbox \"%s\": ", vp_verb_to_string (verb), self->id);
  g_task_return_error (task, error);
}

static void
on_suspended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandbox *self = g_task_get_source_object (task);
  GError *error = NULL;
  gboolean ok = vp_virt_suspend_finish (VP_VIRT (source), result, &error);

  self->changing = FALSE;
  if (ok && self->state != VP_SANDBOX_READY)
    {
      /* a stop came in between: what it asks of the guest needs the guest to run */
      vp_virt_resume_async (self->services->virt, self->domain_name, NULL, NULL, NULL);
      g_set_error (&error, VP_ERROR, VP_ERROR_INVALID_STATE, "it is %s", vp_sandbox_state_to_string (self->state));
    }
  if (error != NULL)
    {
      fail (task, VP_VERB_SANDBOX_PAUSE, error);
      return;
    }
  vp_sandbox_set_state (self, VP_SANDBOX_PAUSED);
  g_task_return_boolean (task, TRUE);
}

void
vp_sandbox_pause_async (VpSandbox *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;

  if (!check (self, VP_VERB_SANDBOX_PAUSE, "paused", &error))
    {
      g_task_return_error (task, error);
      return;
    }
  self->changing = TRUE;
  vp_virt_suspend_async (self->services->virt, self->domain_name, NULL, on_suspended, g_steal_pointer (&task));
}

gboolean
vp_sandbox_pause_finish (VpSandbox *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- resume ---- */

static void
on_resumed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandbox *self = g_task_get_source_object (task);
  GError *error = NULL;

  self->changing = FALSE;
  if (vp_virt_resume_finish (VP_VIRT (source), result, &error) && self->state != VP_SANDBOX_PAUSED)
    g_set_error (&error, VP_ERROR, VP_ERROR_INVALID_STATE, "it is %s", vp_sandbox_state_to_string (self->state));
  if (error != NULL)
    {
      fail (task, VP_VERB_SANDBOX_RESUME, error);
      return;
    }
  vp_sandbox_set_state (self, VP_SANDBOX_READY);
  vp_sandbox_refresh_guest (self);
  g_task_return_boolean (task, TRUE);
}

void
vp_sandbox_resume_async (VpSandbox *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;

  if (!check (self, VP_VERB_SANDBOX_RESUME, "resumed", &error))
    {
      g_task_return_error (task, error);
      return;
    }
  self->changing = TRUE;
  vp_virt_resume_async (self->services->virt, self->domain_name, NULL, on_resumed, g_steal_pointer (&task));
}

gboolean
vp_sandbox_resume_finish (VpSandbox *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
