/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vp-sandbox-private.h"

#include "vp-agent-names.h"
#include "vp-error.h"
#include "vp-host-mount.h"
#include "vp-log.h"

/* The guest's packet filter. What it takes to look at it and to set it is not in the
 * image, since each guest would pay for that when it boots: it lies beside the kernel
 * that it goes with, and is shown to a guest that says it has not got it. Whether it was
 * shown is nowhere written down: the guest knows, also after another daemon. */

#define DIRECTORY "tools"
/* longer than the agent lets them run */
#define MIN_TIMEOUT_MS 40000

typedef struct
{
  VpVerb verb;
  gboolean ipv6;
  char *rules; /* NULL: they are asked for */
  gboolean shown;
  VpHostBind *bind;
  char *share_dir;
} Asking;

static void
asking_free (gpointer data)
{
  Asking *asking = data;

  g_clear_pointer (&asking->bind, vp_host_bind_free);
  g_free (asking->share_dir);
  g_free (asking->rules);
  g_free (asking);
}

static void ask (GTask *task);

/* ---- what it takes ---- */

static void
show_in_worker (GTask *task, gpointer source, gpointer task_data)
{
  const Asking *asking = task_data;
  g_autoptr (GError) error = NULL;

  /* somebody else has asked for it at the same time, or its image is not ours */
  if (vp_host_mount_bind (asking->share_dir, asking->bind, -1, &error) || vp_error_is (error, VP_ERROR_ALREADY_EXISTS))
    g_task_return_boolean (task, TRUE);
  else if (vp_error_is (error, VP_ERROR_NOT_FOUND))
    g_task_return_new_error (task, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
                             "the guest has no iptables, and none is installed for it: %s", error->message);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
on_shown (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VpSandbox *self = VP_SANDBOX (source);
  GError *error = NULL;

  (void)g_task_propagate_boolean (G_TASK (result), &error);
  vp_sandbox_end_turn (self);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    ask (g_steal_pointer (&task));
}

static void
show (gpointer data)
{
  g_autoptr (GTask) task = data;
  VpSandbox *self = g_task_get_source_object (task);
  const Asking *asking = g_task_get_task_data (task);
  g_autoptr (VpSandbox) held = g_object_ref (self);
  GError *error = NULL;

  if (vp_sandbox_check_verb (self, asking->verb, &error))
    {
      vp_worker_run_async (self->services->worker, self, show, show_in_worker, (gpointer)asking, NULL, NULL, on_shown,
                           g_steal_pointer (&task));
      return;
    }
  g_task_return_error (task, error);
  vp_sandbox_end_turn (held);
}

/* Takes @task. The end of the sandbox waits for a turn that is taken, so that the share is
 * not removed meanwhile. */
static void
show_tools (GTask *task)
{
  g_autoptr (GTask) owned = task;
  VpSandbox *self = g_task_get_source_object (task);
  Asking *asking = g_task_get_task_data (task);
  const char *type = vp_config_get_string (self->config, VP_CONFIG_SHARE_TYPE);
  g_autofree char *place = g_path_get_dirname (vp_config_get_string (self->config, VP_CONFIG_GUEST_KERNEL));
  g_autofree char *source = g_build_filename (place, DIRECTORY, NULL);
  GError *error = NULL;

  if (g_str_equal (type, "none"))
    {
      g_task_return_new_error (task, VP_ERROR, VP_ERROR_NOT_SUPPORTED,
                               "the guest has no iptables, and there is no share to show it one by (%s)",
                               vp_config_key_name (VP_CONFIG_SHARE_TYPE));
      return;
    }
  asking->shown = TRUE;
  asking->share_dir = g_strdup (self->machine.share_dir);
  asking->bind = vp_host_bind_new (vp_config_key_name (VP_CONFIG_GUEST_KERNEL), source, VP_GUEST_TOOLS);
  asking->bind->read_only = TRUE;
  if (vp_sandbox_take_turn (self, show, task, &error))
    (void)g_steal_pointer (&owned);
  else
    g_task_return_error (task, error);
}

/* ---- the guest ---- */

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Asking *asking = g_task_get_task_data (task);
  GError *error = NULL;
  char *text = vp_agent_client_iptables_finish (VP_AGENT_CLIENT (source), result, &error);

  if (text != NULL)
    g_task_return_pointer (task, text, g_free);
  else if (vp_error_is (error, VP_ERROR_NOT_SUPPORTED) && !asking->shown)
    {
      g_error_free (error);
      show_tools (g_steal_pointer (&task));
    }
  else
    g_task_return_error (task, error);
}

/* Takes @task. */
static void
ask (GTask *task)
{
  g_autoptr (GTask) owned = task;
  VpSandbox *self = g_task_get_source_object (task);
  const Asking *asking = g_task_get_task_data (task);
  guint64 timeout = vp_config_get_uint (self->config, VP_CONFIG_AGENT_REQUEST_TIMEOUT_MS);
  GError *error = NULL;
  VpAgentClient *agent = vp_sandbox_get_agent (self, asking->verb, &error);

  if (agent == NULL)
    g_task_return_error (task, error);
  else
    vp_agent_client_iptables_async (agent, asking->ipv6, asking->rules, (guint)MAX (timeout, MIN_TIMEOUT_MS),
                                    self->end.cancellable, on_answered, g_steal_pointer (&owned));
}

void
vp_sandbox_iptables_async (VpSandbox *self, gboolean ipv6, const char *rules, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  Asking *asking = g_new0 (Asking, 1);

  asking->verb = rules != NULL ? VP_VERB_SANDBOX_SET_NETWORK : VP_VERB_SANDBOX_LIST_NETWORK;
  asking->ipv6 = ipv6;
  asking->rules = g_strdup (rules);
  g_task_set_task_data (task, asking, asking_free);
  ask (task);
}

char *
vp_sandbox_iptables_finish (VpSandbox *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
